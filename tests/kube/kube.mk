# The kube role against a real cluster on this machine. `make kube-test K=drift` runs some cases.

kube-test: $(HEARTH) ## the kube role against k3s, containerd and runc in namespaces, with injected faults; K=NAME, --quick or --long
	@python3 tests/kube/run.py $(K)

kube-server: ## k3s itself, whichever is in the build: pods, policies, secrets, stops, kills and a power cut
	@python3 tests/kube/server.py

kube-images: ## the images of the root against a real containerd: registered, damaged, killed in between, forgotten
	@python3 tests/kube/images.py

.PHONY: kube-test kube-server kube-images
