# The boot loader and the stub that makes a kernel an EFI program, as the distribution built them (they are EFI
# programs, which its compiler settings make; building them here would need its whole build system).
deb=systemd-boot-efi
licence=LGPL-2.1-or-later
build() {
	mkdir -p "$OUT/efi"
	cp usr/lib/systemd/boot/efi/systemd-bootx64.efi usr/lib/systemd/boot/efi/linuxx64.efi.stub "$OUT/efi/"
}
