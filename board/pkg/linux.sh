# The kernel: tinyconfig plus the fragments of kernel-config/, each line checked to have survived.
# Output: bzImage, config, font_8x16.c.
deb=linux-source-6.12
inputs=$(echo kernel-config/*.config)
licence=GPL-2.0-only
build() {
	tar -xf usr/src/linux-source-6.12.tar.xz --strip-components=1
	export KBUILD_BUILD_TIMESTAMP="@$SOURCE_DATE_EPOCH" KBUILD_BUILD_USER=hearth KBUILD_BUILD_HOST=hearth
	unset CC CFLAGS
	make -s tinyconfig
	scripts/kconfig/merge_config.sh -m .config "$TOP"/kernel-config/*.config >/dev/null
	make -s olddefconfig
	"$TOP/kernel-config/check.sh" .config "$TOP"/kernel-config/*.config
	make -s -j"$JOBS" bzImage
	cp arch/x86/boot/bzImage "$OUT/bzImage"
	cp .config "$OUT/config"
	cp lib/fonts/font_8x16.c "$OUT/" # the tests read the screen with it
}
