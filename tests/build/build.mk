# The build itself under test.

reproducible: ## same inputs, same bytes: assembles the image twice; and the kernel check can fail
	@tests/build/kernel-config.sh
	@tests/build/reproducible.sh

.PHONY: reproducible
