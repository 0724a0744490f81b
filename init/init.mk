# The program: one static binary from every .c file under init/.

HEARTH := build/hearth
INIT_SRC := $(sort $(wildcard init/*.c init/*/*.c))
INIT_OBJ := $(INIT_SRC:init/%.c=build/init/%.o)
INIT_LIBS := libyaml mbedtls libwebsockets yyjson

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual \
	-Wwrite-strings -Wvla -Wundef -Wformat=2 -Wswitch-enum -Wno-format-nonliteral -Wno-switch-enum \
	-Wimplicit-fallthrough -Wdouble-promotion -Wnull-dereference
# Hardening that costs next to nothing; _FORTIFY_SOURCE does nothing with musl, so it is not here.
TARGET_CFLAGS := -std=c11 -D_GNU_SOURCE -Os -g0 -fno-common -ffunction-sections -fdata-sections \
	-fstack-protector-strong -fno-asynchronous-unwind-tables -ffile-prefix-map=$(CURDIR)=. \
	$(WARN) -Iinit -Ibuild/gen $(INIT_LIBS:%=-isystem build/pkg/%/include) \
	-idirafter /usr/include -idirafter /usr/include/x86_64-linux-gnu
TARGET_LDFLAGS := -static -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,relro,-z,now -s
TARGET_LDLIBS := $(INIT_LIBS:%=-Lbuild/pkg/%/lib) -lwebsockets -lmbedtls -lmbedx509 -lmbedcrypto -lyaml -lyyjson

build/init/%.o: init/%.c build/gen/board.h | $(INIT_LIBS:%=build/pkg/%)
	@mkdir -p $(@D)
	musl-gcc $(TARGET_CFLAGS) -MMD -MP -c $< -o $@

$(HEARTH): $(INIT_OBJ)
	musl-gcc $(TARGET_LDFLAGS) -o $@ $^ $(TARGET_LDLIBS)

hearth: $(HEARTH) ## build the program alone (build/hearth)

.PHONY: hearth
-include $(INIT_OBJ:.o=.d)
