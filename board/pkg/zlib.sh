# Deflate, for libarchive and curl.
source=zlib
licence=Zlib
build() {
	CHOST='' ./configure --static --prefix="$OUT" >/dev/null
	make -s -j"$JOBS" libz.a
	mkdir -p "$OUT/lib" "$OUT/include"
	cp libz.a "$OUT/lib/"
	cp zlib.h zconf.h "$OUT/include/"
}
