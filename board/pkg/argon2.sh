# The slow hash of the owner's password (Argon2id, RFC 9106). One thread. share/ has the code for the unit tests, which
# use the host's libc.
source=argon2
licence=CC0-1.0
build() {
	mkdir -p "$OUT/include" "$OUT/lib" "$OUT/share/blake2"
	cp include/argon2.h "$OUT/include/"
	cp include/argon2.h src/argon2.c src/core.c src/core.h src/encoding.h src/opt.c src/thread.h "$OUT/share/"
	cp src/encoding.c "$OUT/share/"
	cp src/blake2/* "$OUT/share/blake2/"
	cat >one.c <<-'EOF'
		#define ARGON2_NO_THREADS
		#include "core.c"
		#include "argon2.c"
		#include "encoding.c"
		#include "opt.c"
		#include "blake2/blake2b.c"
	EOF
	cp one.c "$OUT/share/"
	$CC $CFLAGS -O2 -I"$OUT/share" -c "$OUT/share/one.c" -o one.o
	ar rcs "$OUT/lib/libargon2.a" one.o
}
