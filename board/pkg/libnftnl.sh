# nf_tables' objects as netlink messages, for iptables. As the distribution built it, like libmnl: mirrors lack the
# source.
deb=libnftnl-dev
licence=GPL-2.0-or-later
build() {
	mkdir -p "$OUT/lib" "$OUT/include"
	cp -R usr/include/libnftnl "$OUT/include/"
	cp usr/lib/x86_64-linux-gnu/libnftnl.a "$OUT/lib/"
}
