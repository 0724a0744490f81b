# BusyBox: the shell and small programs that scripts and services of the root use. Output: bin/busybox, applets.
source=busybox
inputs=board/busybox.config
licence=GPL-2.0-only
build() {
	make -s allnoconfig >/dev/null
	# The first line about a symbol wins; yes "" takes the default of what the fragment brings along.
	sed 's/^\(CONFIG_[A-Z0-9_]*\)=n$/# \1 is not set/' "$TOP/board/busybox.config" | cat - .config >.merged
	mv .merged .config
	yes '' | make -s oldconfig >/dev/null 2>&1
	"$TOP/kernel-config/check.sh" .config "$TOP/board/busybox.config"
	make -s -j"$JOBS" CC="$CC" KCONFIG_NOTIMESTAMP=1 EXTRA_CFLAGS="-ffile-prefix-map=$PWD=." \
		SKIP_STRIP=n busybox >/dev/null
	mkdir -p "$OUT/bin"
	cp busybox "$OUT/bin/busybox"
	"$OUT/bin/busybox" --list >"$OUT/applets"
}
