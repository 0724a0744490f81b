# Reads and writes tar: update bundles.
source=libarchive
needs="zlib zstd xz"
licence=BSD-2-Clause
build() {
	CPPFLAGS="-I$zlib_DIR/include -I$zstd_DIR/include -I$xz_DIR/include"
	LDFLAGS="-L$zlib_DIR/lib -L$zstd_DIR/lib -L$xz_DIR/lib"
	export CPPFLAGS LDFLAGS
	./configure --host=x86_64-linux-musl --prefix="$OUT" --disable-shared --disable-bsdtar --disable-bsdcpio \
		--disable-bsdcat --disable-bsdunzip --without-openssl --without-nettle --without-mbedtls --without-xml2 \
		--without-expat --without-bz2lib --without-lz4 --without-libb2 --without-iconv --disable-acl \
		--disable-xattr --quiet >/dev/null
	make -s -j"$JOBS" install >/dev/null
	rm -rf "$OUT/lib/pkgconfig" "$OUT"/lib/*.la "$OUT/share"
}
