# The update role and its worker, with files in the place of partitions. `make update-test U=url` runs some cases.

update-test: $(HEARTH) ## the update role and its worker: files for partitions, a server that misbehaves; U=NAME for some
	@python3 tests/update/run.py $(U)

.PHONY: update-test
