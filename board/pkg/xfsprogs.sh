# Makes, grows and repairs XFS (the data partition). Output: sbin/mkfs.xfs, sbin/xfs_growfs, sbin/xfs_repair.
source=xfsprogs
needs="util-linux inih liburcu"
licence=GPL-2.0-only
build() {
	flags="$CFLAGS -I$util_linux_DIR/include -I$inih_DIR/include -I$liburcu_DIR/include -D_LARGEFILE64_SOURCE"
	libs="-L$util_linux_DIR/lib -L$inih_DIR/lib -L$liburcu_DIR/lib"
	CC=musl-gcc # its configure wants one word
	flags="$flags $MUSL_INCLUDES"
	[ -x configure ] || make -s configure >/dev/null 2>&1
	./configure --host=x86_64-linux-musl --disable-shared --enable-static --enable-gettext=no --enable-scrub=no \
		--enable-libicu=no --enable-editline=no --enable-lto=no --disable-addrsan CFLAGS="$flags" \
		LDFLAGS="-static $libs" LIBS="$libs" --quiet >/dev/null
	export OPTIMIZER="-Os" DEBUG=-DNDEBUG
	make -s headers >/dev/null
	make -s -j"$JOBS" mkfs growfs repair LLDFLAGS=-all-static >/dev/null 2>"$work/warnings" || { cat "$work/warnings"; exit 1; }
	mkdir -p "$OUT/sbin"
	strip -o "$OUT/sbin/mkfs.xfs" mkfs/mkfs.xfs
	strip -o "$OUT/sbin/xfs_growfs" growfs/xfs_growfs
	strip -o "$OUT/sbin/xfs_repair" repair/xfs_repair
}
