# TLS, certificates, hashes and signatures: TLS 1.2 and 1.3 with ECDHE and AEAD ciphers, nothing older.
source=mbedtls
licence=Apache-2.0
build() {
	scripts/config.py unset MBEDTLS_SELF_TEST
	scripts/config.py unset MBEDTLS_DEBUG_C
	scripts/config.py unset MBEDTLS_SSL_RENEGOTIATION
	scripts/config.py unset MBEDTLS_DES_C
	scripts/config.py unset MBEDTLS_CAMELLIA_C
	scripts/config.py unset MBEDTLS_ARIA_C
	scripts/config.py unset MBEDTLS_RIPEMD160_C
	scripts/config.py unset MBEDTLS_PSA_CRYPTO_STORAGE_C
	scripts/config.py unset MBEDTLS_PSA_ITS_FILE_C
	# What we send fits a small record; what servers send us may need the largest one (16 KiB, the default).
	scripts/config.py set MBEDTLS_SSL_OUT_CONTENT_LEN 4096
	# Randomness by getrandom(2): mbedTLS knows that only glibc has it, and would open /dev/urandom for each connection.
	sed -i 's/((defined(__linux__) \&\& defined(__GLIBC__)) ||/((defined(__linux__)) ||/' library/entropy_poll.c
	grep -q '((defined(__linux__)) ||' library/entropy_poll.c
	cmake -B b -DCMAKE_INSTALL_PREFIX="$OUT" -DCMAKE_C_COMPILER=musl-gcc -DCMAKE_BUILD_TYPE=None \
		-DCMAKE_C_FLAGS="$CFLAGS $MUSL_INCLUDES" -DENABLE_TESTING=OFF -DENABLE_PROGRAMS=OFF \
		-DGEN_FILES=OFF -DMBEDTLS_FATAL_WARNINGS=OFF >/dev/null
	make -s -C b -j"$JOBS" install >/dev/null
	rm -rf "$OUT/lib/cmake" "$OUT/lib/pkgconfig"
}
