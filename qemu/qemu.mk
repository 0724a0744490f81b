# The image in a virtual machine. `make qemu C=reboot` runs one case.

qemu: ## boot the real image in QEMU and prove every case (C=NAME for some)
	@python3 qemu/run.py $(if $(ALL),--all) $(C)

.PHONY: qemu
