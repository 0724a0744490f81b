# Checks, and at worst makes anew, the boot partition (FAT). Output: sbin/fsck.fat, sbin/mkfs.fat.
source=dosfstools
licence=GPL-3.0-or-later
build() {
	./configure --host=x86_64-linux-musl --without-iconv --disable-compat-symlinks --quiet \
		LDFLAGS=-static >/dev/null
	make -s -j"$JOBS" >/dev/null
	mkdir -p "$OUT/sbin"
	for p in fsck.fat mkfs.fat; do
		strip -o "$OUT/sbin/$p" "src/$p"
	done
}
