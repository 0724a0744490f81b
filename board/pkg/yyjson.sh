# Reads JSON in the worker roles. One file of code; share/ has it for the unit tests, which use the host's libc.
source=yyjson
licence=MIT
build() {
	mkdir -p "$OUT/include" "$OUT/lib" "$OUT/share"
	$CC $CFLAGS -c src/yyjson.c -o yyjson.o
	ar rcs "$OUT/lib/libyyjson.a" yyjson.o
	cp src/yyjson.h "$OUT/include/"
	cp src/yyjson.c src/yyjson.h "$OUT/share/"
}
