# HTTP server of the console: HTTP/1.1 over mbedTLS, server only, driven by our own loop on sockets that we accept.
# What is off here is code that a stranger could otherwise reach.
source=libwebsockets
needs="mbedtls"
licence=MIT
build() {
	off='' tls=$mbedtls_DIR/lib
	for o in CACHE_NSCOOKIEJAR CONMON DIR EVLIB_PLUGINS EXTERNAL_POLL FILE_OPS HTTP2 \
		HTTP_BASIC_AUTH LEJP LEJP_CONF LWSAC MINIMAL_EXAMPLES NETLINK SHARED SYS_SMD SYS_STATE TLS_SESSIONS \
		UDP; do
		off="$off -DLWS_WITH_$o=OFF"
	done
	cmake -B b -DCMAKE_INSTALL_PREFIX="$OUT" -DCMAKE_C_COMPILER=musl-gcc -DCMAKE_BUILD_TYPE=None \
		-DCMAKE_C_FLAGS="$CFLAGS $MUSL_INCLUDES" -DLWS_WITH_STATIC=ON $off \
		-DLWS_IPV6=OFF -DLWS_UNIX_SOCK=OFF -DLWS_ROLE_WS=OFF -DLWS_ROLE_RAW_FILE=OFF -DLWS_MAX_SMP=1 \
		-DLWS_WITHOUT_CLIENT=ON -DLWS_WITHOUT_TESTAPPS=ON -DLWS_WITHOUT_EXTENSIONS=ON -DLWS_WITHOUT_DAEMONIZE=ON \
		-DLWS_WITH_NO_LOGS=ON -DLWS_LOGS_TIMESTAMP=OFF -DLWS_LOG_TAG_LIFECYCLE=OFF \
		-DLWS_WITH_SSL=ON -DLWS_WITH_MBEDTLS=ON -DLWS_MBEDTLS_INCLUDE_DIRS="$mbedtls_DIR/include" \
		-DMBEDTLS_LIBRARY="$tls/libmbedtls.a" -DMBEDX509_LIBRARY="$tls/libmbedx509.a" \
		-DMBEDCRYPTO_LIBRARY="$tls/libmbedcrypto.a" \
		-DLWS_MBEDTLS_LIBRARIES="$tls/libmbedtls.a;$tls/libmbedx509.a;$tls/libmbedcrypto.a" \
		-DLIBCAP_LIBRARIES= -DDISABLE_WERROR=ON >/dev/null
	make -s -C b -j"$JOBS" install >/dev/null
	rm -rf "$OUT/lib/cmake" "$OUT/lib/pkgconfig" "$OUT/bin" "$OUT/share"
}
