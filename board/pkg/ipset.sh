# Sets of addresses that packet filter rules name: network policies. From bookworm: mirrors lack trixie's source.
# Output: sbin/ipset.
source=ipset
suite=bookworm
needs=libmnl
licence=GPL-2.0-only
build() {
	libmnl_CFLAGS=-I$libmnl_DIR/include libmnl_LIBS="-L$libmnl_DIR/lib -lmnl" \
		./configure --host=x86_64-linux-musl --prefix=/usr --disable-shared --enable-static --with-kmod=no \
		--disable-settype-modules --quiet >/dev/null
	make -s -C lib -j"$JOBS" >/dev/null
	make -s -C src -j"$JOBS" LDFLAGS=-all-static >/dev/null
	mkdir -p "$OUT/sbin"
	strip -o "$OUT/sbin/ipset" src/ipset
}
