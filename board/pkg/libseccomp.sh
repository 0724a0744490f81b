# System call filters, for runc. Output: lib, include, lib/pkgconfig (runc asks pkg-config).
source=libseccomp
licence=LGPL-2.1-only
build() {
	./configure --host=x86_64-linux-musl --prefix="$OUT" --disable-shared --enable-static --disable-python \
		--quiet >/dev/null
	make -s -C include install >/dev/null
	make -s -C src -j"$JOBS" install >/dev/null
	make -s install-pkgconfDATA >/dev/null
	# The output moves into the cache: what is written there must not name the place where it was built.
	sed -i "s|^prefix=.*|prefix=\${pcfiledir}/../..|; s|$OUT|\${prefix}|" "$OUT/lib/pkgconfig/libseccomp.pc"
	rm -rf "$OUT"/lib/*.la "$OUT/share"
}
