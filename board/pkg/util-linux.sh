# libuuid and libblkid alone, for mkfs.xfs.
source=util-linux
licence=LGPL-2.1-or-later
build() {
	./configure --host=x86_64-linux-musl --prefix="$OUT" --disable-all-programs --enable-libuuid --enable-libblkid \
		--disable-shared --enable-static --disable-nls --disable-bash-completion --without-systemd \
		--without-udev --without-python --disable-asciidoc --quiet >/dev/null
	make -s -j"$JOBS" install >/dev/null
	rm -rf "$OUT/lib/pkgconfig" "$OUT"/lib/*.la "$OUT/share" "$OUT/bin" "$OUT/sbin"
}
