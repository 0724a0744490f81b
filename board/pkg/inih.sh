# A reader of INI files, for mkfs.xfs.
source=libinih
licence=BSD-3-Clause
build() {
	mkdir -p "$OUT/lib" "$OUT/include"
	$CC $CFLAGS -c ini.c -o ini.o
	ar rcs "$OUT/lib/libinih.a" ini.o
	cp ini.h "$OUT/include/"
}
