# HTTP/2 framing for curl: the library alone, without its programs.
source=nghttp2
licence=MIT
build() {
	cmake -B b -DCMAKE_INSTALL_PREFIX="$OUT" -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_C_COMPILER=musl-gcc \
		-DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="$CFLAGS -DNDEBUG" -DENABLE_LIB_ONLY=ON -DBUILD_SHARED_LIBS=OFF \
		-DBUILD_STATIC_LIBS=ON -DBUILD_TESTING=OFF -DENABLE_DOC=OFF >/dev/null
	make -s -C b -j"$JOBS" install >/dev/null
	# curl's configure insists on this file; the folder has another name afterwards.
	sed -i "s|^prefix=.*|prefix=\${pcfiledir}/../..|; s|=.*/out|=\${prefix}|" "$OUT/lib/pkgconfig/libnghttp2.pc"
	rm -rf "$OUT/lib/cmake" "$OUT/share"
}
