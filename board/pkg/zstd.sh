# Zstandard, for libarchive.
source=libzstd
licence=BSD-3-Clause
build() {
	make -s -C lib -j"$JOBS" ZSTD_LEGACY_SUPPORT=0 libzstd.a >/dev/null
	mkdir -p "$OUT/lib" "$OUT/include"
	cp lib/libzstd.a "$OUT/lib/"
	cp lib/zstd.h lib/zstd_errors.h lib/zdict.h "$OUT/include/"
}
