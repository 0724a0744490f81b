#!/bin/sh
# The update: root, hash tree and boot entry in one signed file -> build/hearth-VERSION.hearth. What is in it stands in
# init/update/tar.h and init/update/manifest.h. board/bundle.sh [OUT-FOLDER]; wants root/, root.img, root.env, uki.efi
# there. Signed by KEY (board/keys.sh).
set -eu
cd "$(dirname "$0")/.."
out=${1:-build}
version=$(sed -n 's/^VERSION_ID=//p' "$out/root/usr/lib/os-release")
bundle=$out/hearth-$version.hearth
python3 board/bundle.py "$out" "$(board/keys.sh private)" "$bundle.new"
# Would a box take it?
build/hearth bundle verify --keys "$out/root/etc/hearth/update-keys" "$bundle.new" >/dev/null || {
	rm "$bundle.new"
	exit 1
}
mv "$bundle.new" "$bundle"
build/hearth bundle info --keys "$out/root/etc/hearth/update-keys" "$bundle"
echo "summary: $(($(stat -c %s "$bundle") >> 20)) MiB: $bundle"
