# Hearth. `make help` lists what can be done; README.md says how it all fits together.

BUILD_STEPS := setup sources libraries userland kubernetes kernel program manifests images root image
TEST_STEPS := lint unit go fuzz client fetch bundle-test update-test powercut-test manifests-check scenario kube-test \
	$(if $(ALL),kube-server kube-images) reproducible qemu
STEPS := board/steps.sh

all: image

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | sort | expand -t 24

run: ## build everything and boot the image in QEMU, its serial console in this terminal
	@$(STEPS) $(BUILD_STEPS)
	@python3 qemu/vm.py

image: ## build everything: build/hearth.img
	@$(STEPS) $(BUILD_STEPS)

bundle: ## build everything, and an update signed by KEY=file: build/hearth-VERSION.hearth (NEXT_KEY=file: the key after it)
	@$(STEPS) $(BUILD_STEPS) bundle

release-check: hearth ## is the root and every bundle in build/ fit to be given away? not with a development key
	@board/release-check.sh

test: ## build everything and pass the tests
	@rm -rf build/results
	@$(STEPS) $(BUILD_STEPS) && { $(STEPS) -k $(TEST_STEPS); board/report.sh $(TEST_STEPS); }

test-all: ## the same, and the QEMU cases that take long
	@$(MAKE) --no-print-directory test ALL=1

times: ## what each step of the last run took
	@awk -F '\t' '{t[$$1] = $$2; r[$$1] = $$3; w[$$1] = $$4; if (!($$1 in n)) {n[$$1] = ++c; o[c] = $$1}} \
		END {for (i = 1; i <= c; i++) {s = o[i]; printf "%-14s %4d:%02d  %s  %s\n", s, t[s] / 60, t[s] % 60, \
		r[s] == 0 ? "ok    " : "failed", w[s]}}' build/times.tsv

lock: ## pin the newest sources of the suite: board/sources.lock
	@python3 board/sources.py lock

clean: ## remove build/ (the cache of built packages stays)
	rm -rf build

.PHONY: all help run image bundle release-check test test-all times lock clean

LIBRARIES := zlib zstd xz libyaml yyjson mbedtls argon2 libwebsockets nghttp2 curl libarchive
USERLAND := busybox e2fsprogs dosfstools util-linux inih liburcu xfsprogs systemd-boot libmnl libnftnl iptables ipset
# Kubernetes and what it runs: one Go module (board/go.mod), so the largest is built first and the others share with it.
KUBERNETES := k3s containerd libseccomp runc cni-plugins hearth-cri
WORKLOADS := ca-certificates pause coredns local-path-provisioner metrics-server prometheus node-exporter pocketbase transmission
BUILD_TOOLS := kustomize kubeconform

step-setup:
	board/setup.sh
step-sources:
	python3 board/sources.py fetch
step-libraries:
	board/pkg.sh $(LIBRARIES)
step-userland:
	board/pkg.sh $(USERLAND)
step-kubernetes:
	board/pkg.sh $(KUBERNETES) $(WORKLOADS) $(BUILD_TOOLS)
step-kernel:
	board/pkg.sh linux
step-program: hearth
	@echo "summary: $$(stat -c %s $(HEARTH) | awk '{print int($$1 / 1024)}') KiB"
step-manifests:
	board/manifests.sh
step-images:
	python3 board/oci.py build
step-root:
	board/root.sh
step-image:
	board/image.sh
step-bundle: build/sign
	board/bundle.sh
step-kube-test:
	$(MAKE) --no-print-directory kube-test $(if $(ALL),,K=--quick)
step-%:
	$(MAKE) --no-print-directory $*

# Signs on the build machine, with the library that checks on the box.
build/sign: board/sign/sign.c | build/pkg/mbedtls
	@mkdir -p $(@D)
	@musl-gcc -std=c11 -O2 $(WARN) -static -s -isystem build/pkg/mbedtls/include -o $@ $< -Lbuild/pkg/mbedtls/lib -lmbedcrypto

include init/init.mk
# unit.mk first: the fuzz targets are built from its lists.
TEST_MK := tests/unit/unit.mk
include $(TEST_MK) $(filter-out $(TEST_MK),$(sort $(wildcard tests/*/*.mk))) qemu/qemu.mk
