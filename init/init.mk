# The program: one static binary from every .c file under init/.

HEARTH := build/hearth
INIT_SRC := $(sort $(wildcard init/*.c init/*/*.c))
INIT_OBJ := $(INIT_SRC:init/%.c=build/init/%.o)
INIT_LIBS := libyaml mbedtls argon2 libwebsockets yyjson nghttp2 curl

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual \
	-Wwrite-strings -Wvla -Wundef -Wformat=2 -Wswitch-enum -Wno-format-nonliteral -Wno-switch-enum \
	-Wimplicit-fallthrough -Wdouble-promotion -Wnull-dereference
# Hardening that costs next to nothing; _FORTIFY_SOURCE does nothing with musl, so it is not here.
TARGET_CFLAGS := -std=c11 -D_GNU_SOURCE -Os -g0 -fno-common -ffunction-sections -fdata-sections \
	-fstack-protector-strong -fno-asynchronous-unwind-tables -ffile-prefix-map=$(CURDIR)=. \
	$(WARN) -Iinit -Ibuild/gen $(INIT_LIBS:%=-isystem build/pkg/%/include) \
	-idirafter /usr/include -idirafter /usr/include/x86_64-linux-gnu
TARGET_LDFLAGS := -static -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,relro,-z,now -s
TARGET_LDLIBS := $(INIT_LIBS:%=-Lbuild/pkg/%/lib) -lwebsockets -lcurl -lnghttp2 -lmbedtls -lmbedx509 -lmbedcrypto -largon2 -lyaml -lyyjson

GENERATED := build/gen/board.h build/gen/assets.h

build/gen/board.h: board/gen.sh board/board.mk
	@mkdir -p $(@D)
	board/gen.sh >$@

build/gen/assets.h: init/console/assets/embed.py $(wildcard init/console/assets/*)
	@mkdir -p $(@D)
	python3 init/console/assets/embed.py init/console/assets >$@.new && mv $@.new $@

build/sources.lock: board/sources.lock
	@python3 board/sources.py fetch && touch $@

build/pkg/%: | build/sources.lock
	board/pkg.sh $*

build/init/%.o: init/%.c init/init.mk | $(GENERATED) $(INIT_LIBS:%=build/pkg/%)
	@mkdir -p $(@D)
	@echo "cc $<"
	@musl-gcc $(TARGET_CFLAGS) -MMD -MP -c $< -o $@

# Hashes every byte of an update twice; with -Os the SHA instructions run at half their speed.
build/init/format/sha256.o: TARGET_CFLAGS += -O2

$(HEARTH): $(INIT_OBJ)
	@echo "ld $@"
	@musl-gcc $(TARGET_LDFLAGS) -o $@ $^ $(TARGET_LDLIBS)

hearth: $(HEARTH) ## build the program alone (build/hearth)

.PHONY: hearth
-include $(INIT_OBJ:.o=.d)
