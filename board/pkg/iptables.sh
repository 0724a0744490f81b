# The packet filter's program, nf_tables flavour only: kube-proxy, CNI plugins and network policies write rules with it.
# Every extension is built in. From bookworm: mirrors lack trixie's patches, and without them 1.8.11 takes rules that
# differ in the interface alone for the same.
# Output: sbin/xtables-nft-multi and the names it is called by.
source=iptables
suite=bookworm
needs="libmnl libnftnl"
licence=GPL-2.0-or-later
build() {
	quietly() { "$@" >/dev/null 2>"$work/warnings" || { cat "$work/warnings"; exit 1; }; }
	libmnl_CFLAGS=-I$libmnl_DIR/include libmnl_LIBS="-L$libmnl_DIR/lib -lmnl" \
		libnftnl_CFLAGS=-I$libnftnl_DIR/include libnftnl_LIBS="-L$libnftnl_DIR/lib -lnftnl -L$libmnl_DIR/lib -lmnl" \
		./configure --host=x86_64-linux-musl --prefix=/usr --disable-shared --enable-static --disable-connlabel \
		--disable-devel --disable-libipq --disable-bpf-compiler --disable-nfsynproxy --quiet LDFLAGS=-static >/dev/null
	for part in libiptc libxtables extensions; do quietly make -s -C $part -j"$JOBS"; done
	quietly make -s -C iptables -j"$JOBS" LDFLAGS=-all-static xtables-nft-multi
	mkdir -p "$OUT/sbin"
	strip -o "$OUT/sbin/xtables-nft-multi" iptables/xtables-nft-multi
	for family in iptables ip6tables; do
		for verb in '' -save -restore; do ln -s xtables-nft-multi "$OUT/sbin/$family$verb"; done
	done
}
