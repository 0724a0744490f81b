# Benchmarks: side by side with a floor in one run; never a pass or fail of `make test`.

build/bench/floor: tests/bench/floor.c $(HEARTH)
	@mkdir -p $(@D)
	@echo "cc $<"
	@musl-gcc $(TARGET_CFLAGS) $(TARGET_LDFLAGS) -o $@ $< $(wildcard build/init/base/*.o) \
		build/init/host/cmdline.o build/init/host/mounts.o build/init/host/verity.o

bench-boot: build/bench/floor ## times from power on to prompt beside a bare init's, sizes, memory of each role
	@$(STEPS) $(BUILD_STEPS)
	@python3 tests/bench/boot.py

bench-kube: build/bench/floor ## apply beside kubectl, boots to running pods beside a bare script's, idle CPU and memory (KB=apply, boot or idle)
	@$(STEPS) $(BUILD_STEPS)
	@$(foreach part,$(or $(KB),apply boot idle),python3 tests/bench/kube_$(part).py &&) true

build/bench/blocks: tests/bench/blocks.c build/client/libinit.a
	@mkdir -p $(@D)
	@echo "cc $<"
	@musl-gcc $(TARGET_CFLAGS) $(TARGET_LDFLAGS) -o $@ $^ $(TARGET_LDLIBS)

bench-blocks: build/bench/blocks ## the blocks of an install beside dd and sha256sum; RUNNING=other/root.img for a delta
	@tests/bench/blocks.sh $(RUNNING)

bench-update: ## an install beside dd + SHA-256, RAUC and SWUpdate; bytes of a delta; memory (UB=times, delta or memory)
	@board/setup.sh tests/bench/packages.txt
	@$(STEPS) $(BUILD_STEPS)
	@python3 tests/bench/update.py $(or $(ROUNDS),5) $(UB)

.PHONY: bench-boot bench-kube bench-blocks bench-update
