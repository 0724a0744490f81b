# Unit tests: tests/unit/FOLDER/test_NAME.c checks init/FOLDER/NAME.c with cmocka, under ASan and UBSan, on the
# host's libc, with tests/fake/sys.c in place of base/sys.c. `make unit T=fsm` runs one.

UNIT_CFLAGS := -std=c11 -D_GNU_SOURCE -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -Iinit -Itests -Ibuild/gen -isystem build/pkg/yyjson/include $(WARN)
UNIT_LDLIBS := -lcmocka -lyaml
# Everything that can run on the host: not main.c, not the real system calls, not the TLS and HTTP worker.
UNIT_CODE := $(filter-out init/main.c init/base/sys.c init/console/web.c init/console/web_%.c,$(INIT_SRC))
UNIT_TESTS := $(sort $(wildcard tests/unit/*/test_*.c))
UNIT_BIN := $(UNIT_TESTS:tests/unit/%.c=build/unit/%)

build/unit/init/%.o: init/%.c build/gen/board.h
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -MMD -MP -c $< -o $@

build/unit/fake/%.o: tests/fake/%.c
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -MMD -MP -c $< -o $@

build/unit/libinit.a: $(UNIT_CODE:init/%.c=build/unit/init/%.o)
	@rm -f $@
	$(AR) rcs $@ $^

UNIT_FAKE := $(patsubst tests/fake/%.c,build/unit/fake/%.o,$(wildcard tests/fake/*.c))

build/unit/%: tests/unit/%.c build/unit/libinit.a $(UNIT_FAKE)
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -MMD -MP -MF $@.d $< $(UNIT_FAKE) build/unit/libinit.a $(UNIT_LDLIBS) -o $@

unit: $(UNIT_BIN) ## unit tests (cmocka, ASan + UBSan, faked system calls); T=NAME for one
	@tests/unit/run.sh $(if $(T),$(filter %/test_$(T),$(UNIT_BIN)),$(UNIT_BIN))

.PHONY: unit
-include $(wildcard build/unit/*/*.d build/unit/init/*/*.d)
