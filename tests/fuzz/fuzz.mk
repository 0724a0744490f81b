# Fuzzing: tests/fuzz/fuzz_NAME.c feeds one parser, tests/fuzz/corpus/NAME/ holds its first inputs. A new target is
# these two, nothing else. `make fuzz` runs every corpus file and N mutations of them with a small driver, the same
# ones every time; `make fuzz-long T=NAME` lets libFuzzer search (needs clang).

FUZZ_TARGETS := $(sort $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_BIN := $(FUZZ_TARGETS:%=build/fuzz/%)
FUZZ_LDLIBS = $(UNIT_LDLIBS)
N ?= 2000
SECONDS ?= 60

build/fuzz/driver.o: tests/fuzz/driver.c tests/fuzz/check.h
	@mkdir -p $(@D)
	@$(CC) $(UNIT_CFLAGS) -c $< -o $@

build/fuzz/broken: tests/fuzz/broken.c tests/fuzz/check.h build/fuzz/driver.o
	@$(CC) $(UNIT_CFLAGS) $< build/fuzz/driver.o -o $@

# unit.mk, which knows what can run on the host, is read after this file: its variables are expanded late ($$).
.SECONDEXPANSION:
$(FUZZ_BIN): build/fuzz/%: tests/fuzz/fuzz_%.c tests/fuzz/check.h build/fuzz/driver.o build/unit/libinit.a \
		$$(UNIT_LIBS) $$(UNIT_FAKE)
	@echo "fuzz $*"
	@$(CC) $(UNIT_CFLAGS) $< build/fuzz/driver.o $(UNIT_FAKE) build/unit/libinit.a $(FUZZ_LDLIBS) -o $@

# Inputs that are not text are made, not committed.
build/fuzz/corpus.made: tests/fuzz/make_corpus.py
	@mkdir -p $(@D)
	@python3 $< build/fuzz/corpus
	@touch $@

fuzz: $(if $(T),$(T:%=build/fuzz/%),$(FUZZ_BIN)) build/fuzz/broken build/fuzz/corpus.made ## each parser over its corpus and N=2000 mutations of it; T=NAME for one
	@N=$(N) tests/fuzz/run.sh $(if $(T),$(T),$(FUZZ_TARGETS))

# libFuzzer wants its own instrumentation in all code.
FUZZ_LONG_CFLAGS = $(filter-out -Werror,$(UNIT_CFLAGS)) -fsanitize=fuzzer-no-link
FUZZ_LONG_OBJ = $(UNIT_CODE:init/%.c=build/fuzz-long/init/%.o) $(UNIT_FAKE:build/unit/%=build/fuzz-long/%)

build/fuzz-long/init/%.o: init/%.c build/gen/board.h
	@mkdir -p $(@D)
	@echo "clang $<"
	@clang $(FUZZ_LONG_CFLAGS) -MMD -MP -c $< -o $@

build/fuzz-long/fake/%.o: tests/fake/%.c
	@mkdir -p $(@D)
	@echo "clang $<"
	@clang $(FUZZ_LONG_CFLAGS) -MMD -MP -c $< -o $@

build/fuzz-long/libinit.a: $$(FUZZ_LONG_OBJ)
	@rm -f $@
	@$(AR) rcs $@ $^

build/fuzz-long/%: tests/fuzz/fuzz_%.c tests/fuzz/check.h build/fuzz-long/libinit.a $$(UNIT_LIBS)
	@clang $(FUZZ_LONG_CFLAGS) -fsanitize=fuzzer $< build/fuzz-long/libinit.a $(FUZZ_LDLIBS) -o $@

fuzz-long: build/fuzz-long/$(T) build/fuzz/corpus.made ## search with libFuzzer: T=NAME, SECONDS=60
	@mkdir -p build/fuzz-long/corpus/$(T)
	build/fuzz-long/$(T) -max_total_time=$(SECONDS) -max_len=70000 -timeout=20 -print_final_stats=1 \
		-artifact_prefix=build/fuzz/crash-$(T)- build/fuzz-long/corpus/$(T) $(wildcard tests/fuzz/corpus/$(T) build/fuzz/corpus/$(T))

.PHONY: fuzz fuzz-long
-include $(wildcard build/fuzz-long/init/*/*.d build/fuzz-long/fake/*.d)
