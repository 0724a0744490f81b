"""The scenarios by subject; every function case_* is one, see ../run.py."""
