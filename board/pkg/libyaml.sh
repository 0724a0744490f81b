# YAML events for service files, settings and manifests.
source=libyaml
licence=MIT
build() {
	./bootstrap >/dev/null 2>&1
	./configure --prefix="$OUT" --disable-shared --host=x86_64-linux-musl --quiet
	make -s -j"$JOBS" install >/dev/null
	rm -r "$OUT/lib/pkgconfig" "$OUT"/lib/*.la
}
