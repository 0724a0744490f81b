# Read-copy-update, for mkfs.xfs. From bookworm: mirrors lack trixie's source.
source=liburcu
suite=bookworm
licence=LGPL-2.1-or-later
build() {
	./configure --host=x86_64-linux-musl --prefix="$OUT" --disable-shared --quiet >/dev/null
	make -s -C include install >/dev/null
	make -s -C src -j"$JOBS" install >/dev/null 2>&1
	rm -rf "$OUT/lib/pkgconfig" "$OUT"/lib/*.la "$OUT/share"
}
