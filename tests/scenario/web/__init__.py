"""The HTTPS console as processes; run.py runs all of it."""
