# BitTorrent client of the namespace htpc, as the distribution built it, with the shared libraries that it and they
# name, one tree to be an image's. Output: root/.
deb="transmission-daemon transmission-common gcc-14-base libb64-0d libbrotli1 libc6 libcap2 libcom-err2 libcurl4t64 libdeflate0 libevent-2.1-7t64 libffi8 libgcc-s1 libgmp10 libgnutls30t64 libgssapi-krb5-2 libhogweed6t64 libidn2-0 libk5crypto3 libkeyutils1 libkrb5-3 libkrb5support0 libldap2 libminiupnpc18 libnatpmp1t64 libnettle8t64 libnghttp2-14 libnghttp3-9 libp11-kit0 libpsl5t64 librtmp1 libsasl2-2 libssh2-1t64 libssl3t64 libstdc++6 libsystemd0 libtasn1-6 libunistring5 libzstd1 zlib1g"
licence="GPL-2.0-only OR GPL-3.0-only"
# Of the parts that are taken, where it is another one.
licences="
gcc-14-base GPL-3.0-or-later WITH GCC-exception-3.1
libb64-0d MIT
libbrotli1 MIT
libc6 LGPL-2.1-or-later
libcap2 BSD-3-Clause OR GPL-2.0-only
libcom-err2 MIT
libcurl4t64 curl
libdeflate0 MIT
libevent-2.1-7t64 BSD-3-Clause
libffi8 MIT
libgcc-s1 GPL-3.0-or-later WITH GCC-exception-3.1
libgmp10 LGPL-3.0-or-later OR GPL-2.0-or-later
libgnutls30t64 LGPL-2.1-or-later
libgssapi-krb5-2 MIT
libhogweed6t64 LGPL-3.0-or-later OR GPL-2.0-or-later
libidn2-0 LGPL-3.0-or-later OR GPL-2.0-or-later
libk5crypto3 MIT
libkeyutils1 LGPL-2.0-or-later
libkrb5-3 MIT
libkrb5support0 MIT
libldap2 OLDAP-2.8
libminiupnpc18 BSD-3-Clause
libnatpmp1t64 BSD-3-Clause
libnettle8t64 LGPL-3.0-or-later OR GPL-2.0-or-later
libnghttp2-14 MIT
libnghttp3-9 MIT
libp11-kit0 BSD-3-Clause
libpsl5t64 MIT
librtmp1 LGPL-2.1-or-later
libsasl2-2 BSD-3-Clause-Attribution
libssh2-1t64 BSD-3-Clause
libssl3t64 Apache-2.0
libstdc++6 GPL-3.0-or-later WITH GCC-exception-3.1
libsystemd0 LGPL-2.1-or-later
libtasn1-6 LGPL-2.1-or-later
libunistring5 LGPL-3.0-or-later OR GPL-2.0-or-later
libzstd1 BSD-3-Clause OR GPL-2.0-only
zlib1g Zlib
"
build() {
	lib=usr/lib/x86_64-linux-gnu
	root=$OUT/root
	mkdir -p "$root/$lib" "$root/usr/bin" "$root/usr/share/transmission" "$root/usr/share/doc"
	ln -s usr/bin "$root/bin"
	ln -s usr/lib "$root/lib"
	ln -s usr/lib64 "$root/lib64"
	mkdir -p "$root/usr/lib64"
	cp usr/bin/transmission-daemon "$root/usr/bin/"
	cp -R usr/share/transmission/public_html "$root/usr/share/transmission/"
	rm "$root"/usr/share/transmission/public_html/*.map
	cp -P usr/lib64/ld-linux-x86-64.so.2 "$root/usr/lib64/"
	# What the program needs, what that needs, and so on; the rest of the packages stays behind.
	set -- usr/bin/transmission-daemon
	while [ $# -gt 0 ]; do
		needed=$(readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
		shift
		for so in $needed; do
			[ ! -e "$root/$lib/$so" ] || continue
			cp -L "$lib/$so" "$root/$lib/$so"
			set -- "$@" "$lib/$so"
		done
	done
	for p in $deb; do
		mkdir "$root/usr/share/doc/$p"
		cp -L "usr/share/doc/$p/copyright" "$root/usr/share/doc/$p/"
	done
}
