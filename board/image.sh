#!/bin/sh
# The flashable image: boot entry, ESP, partition table -> build/hearth.img. No root rights, no loop device.
# board/image.sh [OUT-FOLDER]; wants root.img and root.env there.
set -eu
cd "$(dirname "$0")/.."
out=${1:-build}
. board/vars.sh
work=$out/image
rm -rf "$work"
mkdir -p "$work"

board/uki.sh "$out"

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
