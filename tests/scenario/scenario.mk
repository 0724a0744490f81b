# Scenarios: the real program in namespaces on this machine, asked from outside. `make scenario S=shutdown` runs some.

scenario: $(HEARTH) ## the real program as PID 1 in namespaces, and its HTTPS console; S=NAME for some of them
	@python3 tests/scenario/run.py $(S) && { [ -n "$(S)" ] || python3 tests/scenario/web/run.py; }

.PHONY: scenario
