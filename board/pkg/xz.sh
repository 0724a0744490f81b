# LZMA, for libarchive.
source=xz-utils
licence=0BSD
build() {
	./configure --prefix="$OUT" --host=x86_64-linux-musl --disable-shared --disable-nls --disable-doc --disable-xz \
		--disable-xzdec --disable-lzmadec --disable-lzmainfo --disable-scripts --quiet
	make -s -j"$JOBS" install >/dev/null
	rm -rf "$OUT/lib/pkgconfig" "$OUT"/lib/*.la "$OUT/share"
}
