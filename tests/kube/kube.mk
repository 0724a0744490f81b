# The kube role against a real cluster on this machine. `make kube-test K=drift` runs some cases.

kube-test: $(HEARTH) ## the kube role against k3s, containerd and runc in namespaces, with injected faults; K=NAME, --quick or --long
	@python3 tests/kube/run.py $(K)

.PHONY: kube-test
