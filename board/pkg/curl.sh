# HTTP client over TLS, HTTP/2 and HTTP/1.1 and nothing else: the API server, downloads. No compression: the API server
# is on the same machine, and what is downloaded is compressed already.
source=curl
needs="mbedtls nghttp2"
licence=curl
build() {
	off=
	for f in shared ldap ftp file dict telnet tftp rtsp pop3 imap smb smtp gopher mqtt ipfs websockets manual docs \
		ntlm tls-srp aws http-auth proxy unix-sockets netrc cookies hsts alt-svc doh mime form-api headers-api \
		dateparse bindlocal dnsshuffle get-easy-options progress-meter sha512-256 httpsrr verbose rt \
		libcurl-option ca-search; do
		off="$off --disable-$f"
	done
	./configure --host=x86_64-linux-musl --prefix="$OUT" $off --with-mbedtls="$mbedtls_DIR" \
		--with-nghttp2="$nghttp2_DIR" --without-zlib --without-brotli --without-zstd --without-libpsl \
		--without-libidn2 --without-ca-bundle --without-ca-path --enable-threaded-resolver --quiet >/dev/null
	make -s -C lib -j"$JOBS" install >/dev/null
	make -s -C include install >/dev/null
	rm -rf "$OUT/lib/pkgconfig" "$OUT"/lib/*.la
}
