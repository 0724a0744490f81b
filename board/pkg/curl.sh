# HTTP client: the API server, downloads.
source=curl
needs="mbedtls zlib"
licence=curl
build() {
	./configure --host=x86_64-linux-musl --prefix="$OUT" --disable-shared --with-mbedtls="$mbedtls_DIR" \
		--with-zlib="$zlib_DIR" --without-libpsl --without-brotli --without-zstd --without-libidn2 --without-nghttp2 \
		--disable-ldap --disable-ftp --disable-file --disable-dict --disable-telnet --disable-tftp --disable-rtsp \
		--disable-pop3 --disable-imap --disable-smb --disable-smtp --disable-gopher --disable-mqtt --disable-manual \
		--disable-docs --disable-ntlm --disable-unix-sockets --disable-netrc --without-ca-bundle --without-ca-path \
		--enable-threaded-resolver --quiet >/dev/null
	make -s -C lib -j"$JOBS" install >/dev/null
	make -s -C include install >/dev/null
	rm -rf "$OUT/lib/pkgconfig" "$OUT"/lib/*.la
}
