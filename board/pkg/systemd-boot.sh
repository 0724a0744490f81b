# The boot loader and the stub that makes a kernel an EFI program. The stub is as the distribution built it. The loader is
# built here, for one change (systemd-boot.patch): when an image does not start, it goes on with the next entry; as it is
# it ends, and the firmware waits in its menu for somebody. Compiled without its build system, with the options that
# src/boot/meson.build has for EFI programs.
source=systemd
deb=systemd-boot-efi
inputs=board/pkg/systemd-boot.patch
licence=LGPL-2.1-or-later
build() {
	mkdir -p "$OUT/efi" efi
	cp usr/lib/systemd/boot/efi/linuxx64.efi.stub "$OUT/efi/"
	patch -s -p1 <"$TOP/board/pkg/systemd-boot.patch"
	cat >efi/efi_config.h <<-'END'
		#define ENABLE_TPM 1
		#define PROJECT_VERSION 257
		#define PROJECT_URL "https://systemd.io/"
		#define COLOR_NORMAL EFI_TEXT_ATTR(EFI_LIGHTGRAY, EFI_BLACK)
		#define COLOR_ENTRY EFI_TEXT_ATTR(EFI_LIGHTGRAY, EFI_BLACK)
		#define COLOR_HIGHLIGHT EFI_TEXT_ATTR(EFI_BLACK, EFI_LIGHTGRAY)
		#define COLOR_EDIT EFI_TEXT_ATTR(EFI_BLACK, EFI_LIGHTGRAY)
	END
	echo "#define GIT_VERSION \"$(cat meson.version)-hearth\"" >efi/version.h
	for f in src/fundamental/*.c src/boot/*.c; do
		case ${f##*/} in
		fuzz-* | test-* | ubsan.c | addon.c | cpio.c | linux*.c | splash.c | stub.c) continue ;; # not of the loader
		esac
		gcc -std=gnu11 -Os -w -DSD_BOOT=1 '-DEFI_MACHINE_TYPE_NAME="x64"' -Iefi -Isrc/fundamental -Isrc/boot \
			-include efi_config.h -ffreestanding -fno-strict-aliasing -fshort-wchar -fwide-exec-charset=UCS2 \
			-maccumulate-outgoing-args -mstack-protector-guard=global -fcf-protection=none -fPIE \
			-fvisibility=hidden -fno-asynchronous-unwind-tables -march=x86-64 -mno-red-zone -mgeneral-regs-only \
			-c "$f" -o "efi/$(basename "$f" .c).o"
	done
	gcc -nostdlib -static-pie -Wl,--entry=efi_main -Wl,--fatal-warnings -Wl,-static,-pie,--no-dynamic-linker,-z,text \
		-Wl,-z,nopack-relative-relocs,-z,noexecstack,-z,relro,-z,separate-code \
		-Wl,-z,common-page-size=4096,-z,max-page-size=4096,--build-id=none efi/*.o -lgcc -o efi/loader.elf
	# Debian's own: it has the ELF reader.
	/usr/bin/python3 tools/elf2efi.py --version-major=257 --version-minor=0 --efi-major=1 --efi-minor=1 --subsystem=10 \
		--copy-sections=.sbat,.sdmagic,.osrel efi/loader.elf "$OUT/efi/systemd-bootx64.efi"
}
