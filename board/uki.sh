#!/bin/sh
# The boot entry: kernel, initramfs and command line as one EFI program, the same for both slots -> uki.efi.
# board/uki.sh [OUT-FOLDER]; wants root.env and root/ there.
set -eu
cd "$(dirname "$0")/.."
out=${1:-build}
# shellcheck source=/dev/null
. "$out/root.env"
work=$out/image
mkdir -p "$work"

# An .osrel without a version lets the boot loader order entries by their names alone (init/host/bootenv.h); without a
# name it would ignore them.
python3 board/cpio.py build/hearth | zstd -q -19 >"$work/initrd"
echo "hearth.root=$ROOT_UUID hearth.roothash=$ROOT_HASH $(grep -v '^#' board/cmdline | paste -sd ' ')" >"$work/cmdline"
grep -v -e ^VERSION -e ^BUILD_ID= "$out/root/usr/lib/os-release" >"$work/osrel"
python3 board/uki.py build/pkg/systemd-boot/efi/linuxx64.efi.stub "$out/uki.efi" .osrel="$work/osrel" \
	.cmdline="$work/cmdline" .initrd="$work/initrd" .linux=build/pkg/linux/bzImage
