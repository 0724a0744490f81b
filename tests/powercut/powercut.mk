# The power-cut battery's own tool, without a machine. The battery itself is `make qemu-powercut` (qemu/qemu.mk).

powercut-test: ## the replay of the power-cut battery: hand-made logs, planted defects
	@python3 tests/powercut/run.py $(C)

.PHONY: powercut-test
