# Unit tests: tests/unit/FOLDER/test_NAME.c checks init/FOLDER/NAME.c with cmocka, under ASan and UBSan, on the
# host's libc, with tests/fake/sys.c in place of base/sys.c. `make unit T=fsm` runs one.

UNIT_CFLAGS := -std=c11 -D_GNU_SOURCE -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -Iinit -Itests -Ibuild/gen -isystem build/pkg/yyjson/include -isystem build/pkg/curl/include \
	-isystem build/pkg/argon2/include $(WARN)
# Libraries of the target's libc, built once more for the host's.
UNIT_LIBS := build/unit/yyjson.o build/unit/argon2.o
UNIT_LDLIBS := $(UNIT_LIBS) -lcmocka -lyaml
# Everything that can run on the host: not main.c, not the real system calls, not what stands on mbedTLS and
# libwebsockets, which are built for musl only.
UNIT_NOT := main base/sys console/cert console/cert_pair console/owner_token console/web console/web_answer \
	console/web_owner console/web_pump console/web_request console/web_server update/bundle update/signature
UNIT_CODE := $(filter-out $(UNIT_NOT:%=init/%.c),$(INIT_SRC))
UNIT_TESTS := $(sort $(wildcard tests/unit/*/test_*.c))
UNIT_BIN := $(UNIT_TESTS:tests/unit/%.c=build/unit/%)

build/unit/init/%.o: init/%.c $(GENERATED) | build/pkg/curl build/pkg/yyjson build/pkg/argon2
	@mkdir -p $(@D)
	@echo "cc $<"
	@$(CC) $(UNIT_CFLAGS) -MMD -MP -c $< -o $@

UNIT_FAKE := $(patsubst tests/fake/%.c,build/unit/fake/%.o,$(wildcard tests/fake/*.c))
# Named, so that make does not take them for intermediate and remove them under the feet of a second run.
$(UNIT_FAKE): build/unit/fake/%.o: tests/fake/%.c
	@mkdir -p $(@D)
	@echo "cc $<"
	@$(CC) $(UNIT_CFLAGS) -MMD -MP -c $< -o $@

build/unit/yyjson.o: | build/pkg/yyjson
	@mkdir -p $(@D)
	@$(CC) -O1 -c build/pkg/yyjson/share/yyjson.c -o $@

build/unit/argon2.o: | build/pkg/argon2
	@mkdir -p $(@D)
	@$(CC) -O2 -Ibuild/pkg/argon2/share -c build/pkg/argon2/share/one.c -o $@

build/unit/libinit.a: $(UNIT_CODE:init/%.c=build/unit/init/%.o)
	@rm -f $@
	@$(AR) rcs $@ $^

build/unit/%: tests/unit/%.c build/unit/libinit.a $(UNIT_LIBS) $(UNIT_FAKE)
	@mkdir -p $(@D)
	@echo "cc $<"
	@$(CC) $(UNIT_CFLAGS) -MMD -MP -MF $@.d $< $(UNIT_FAKE) build/unit/libinit.a $(UNIT_LDLIBS) -o $@

unit: $(if $(T),$(filter %/test_$(T),$(UNIT_BIN)),$(UNIT_BIN)) ## unit tests (cmocka, ASan + UBSan, faked system calls); T=NAME for one
	@tests/unit/run.sh $(if $(T),$(filter %/test_$(T),$(UNIT_BIN)),$(UNIT_BIN))

.PHONY: unit
-include $(wildcard build/unit/*/*.d build/unit/init/*/*.d)
