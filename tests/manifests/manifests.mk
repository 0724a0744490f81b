# Checks of the manifests and proof that each check can fail. Rows go to build/results/manifests-check.tsv.

manifests-check: ## yamllint, kustomize, kubeconform, policy lint, secret scan of manifests/, and their broken fixtures
	@python3 tests/manifests/check.py

.PHONY: manifests-check
