# Benchmarks: side by side with a floor in one run; never a pass or fail of `make test`.

build/bench/floor: tests/bench/floor.c $(HEARTH)
	@mkdir -p $(@D)
	@echo "cc $<"
	@musl-gcc $(TARGET_CFLAGS) $(TARGET_LDFLAGS) -o $@ $< $(wildcard build/init/base/*.o) \
		build/init/host/cmdline.o build/init/host/mounts.o build/init/host/verity.o

bench-boot: build/bench/floor ## times from power on to prompt beside a bare init's, sizes, memory of each role
	@$(STEPS) $(BUILD_STEPS)
	@python3 tests/bench/boot.py

.PHONY: bench-boot
