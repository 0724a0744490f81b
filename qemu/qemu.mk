# The image in a virtual machine. `make qemu C=reboot` runs one case.

qemu: ## boot the real image in QEMU and prove every case (C=NAME for some)
	@python3 qemu/run.py $(if $(ALL),--all) $(C)

qemu-powercut: ## cut the power at N=1000 points of recorded runs, judge each (RECORDING=NAME SEED=1 BOOT=50); goes on where it stopped
	@python3 qemu/powercut/battery.py $(if $(filter command%,$(origin N)),-n $(N)) $(if $(SEED),--seed $(SEED)) \
		$(if $(RECORDING),--recording $(RECORDING)) $(if $(BOOT),--boot $(BOOT))

.PHONY: qemu qemu-powercut
