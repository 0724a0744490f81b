#!/bin/sh
# The flashable image: boot entry, ESP, partition table -> build/hearth.img. No root rights, no loop device.
# board/image.sh [OUT-FOLDER]; wants root.img and root.env there.
set -eu
cd "$(dirname "$0")/.."
out=${1:-build}
. board/vars.sh
# shellcheck source=/dev/null
. "$out/root.env"
work=$out/image
rm -rf "$work"
mkdir -p "$work"

# The boot entry: kernel, initramfs and command line as one EFI program, the same for both slots. An .osrel without a
# version lets the boot loader order entries by their names alone (init/host/bootenv.h); without a name it would ignore
# them.
python3 board/cpio.py build/hearth | zstd -q -19 >"$work/initrd"
echo "hearth.root=$ROOT_UUID hearth.roothash=$ROOT_HASH $(grep -v '^#' board/cmdline | paste -sd ' ')" >"$work/cmdline"
grep -v -e ^VERSION -e ^BUILD_ID= "$out/root/usr/lib/os-release" >"$work/osrel"
python3 board/uki.py build/pkg/systemd-boot/efi/linuxx64.efi.stub "$out/uki.efi" .osrel="$work/osrel" \
	.cmdline="$work/cmdline" .initrd="$work/initrd" .linux=build/pkg/linux/bzImage

# The ESP. A FAT directory entry holds local time: TZ is UTC, and files carry the epoch.
esp=$work/esp.img
truncate -s "${ESP_MIB}M" "$esp"
mkfs.fat -F 32 -n "$LABEL_ESP" -i "$IMAGE_ESP_SERIAL" --invariant "$esp" >/dev/null
tree=$work/esp
mkdir -p "$tree/EFI/BOOT" "$tree/EFI/Linux" "$tree/loader"
cp build/pkg/systemd-boot/efi/systemd-bootx64.efi "$tree/EFI/BOOT/BOOTX64.EFI"
cp "$out/uki.efi" "$tree/EFI/Linux/hearth-0001-a+$TRIAL_BOOTS.efi"
cp board/loader.conf "$tree/loader/loader.conf"
find "$tree" -exec touch -d "@$EPOCH" {} +
mcopy -i "$esp" -s -m -Q "$tree/EFI" "$tree/loader" ::/

python3 board/gpt.py "$work/hearth.img" "$esp" "$out/root.img"
mv "$work/hearth.img" "$out/hearth.img"
echo "image: $(stat -c %s "$out/hearth.img" | awk '{print int($1 / 1048576)}') MiB, $(du -m "$out/hearth.img" | cut -f 1) MiB of it written: $out/hearth.img"
