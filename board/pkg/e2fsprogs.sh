# Makes and checks ext4 (the state partition). Output: sbin/mke2fs, sbin/e2fsck, sbin/resize2fs.
source=e2fsprogs
licence=GPL-2.0-only
build() {
	./configure --host=x86_64-linux-musl --disable-nls --disable-uuidd --disable-fuse2fs --disable-debugfs \
		--disable-imager --disable-defrag --disable-tls --disable-mmp --quiet LDFLAGS=-static >/dev/null 2>&1
	make -s -j"$JOBS" libs >/dev/null 2>&1
	make -s -C misc mke2fs mke2fs.conf >/dev/null 2>&1
	make -s -C e2fsck e2fsck >/dev/null 2>&1
	make -s -C resize resize2fs >/dev/null 2>&1
	mkdir -p "$OUT/sbin" "$OUT/etc"
	for p in misc/mke2fs e2fsck/e2fsck resize/resize2fs; do
		strip -o "$OUT/sbin/${p##*/}" "$p"
	done
	cp misc/mke2fs.conf "$OUT/etc/"
}
