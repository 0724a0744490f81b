#!/bin/sh
# Packs the folder root/ -> root.img (EROFS, and its dm-verity tree behind it) and root.env (UUID and root hash for the
# boot entry). No root rights, no loop device. board/seal.sh [OUT-FOLDER]
set -eu
cd "$(dirname "$0")/.."
out=${1:-build}
. board/vars.sh
rm -f "$out/root.img"
mkfs.erofs --quiet -zlz4hc,9 -T "$EPOCH" --all-root -x-1 -U 00000000-0000-0000-0000-000000000000 \
	"$out/root.img" "$out/root" >/dev/null
size=$(stat -c %s "$out/root.img")
[ $((size % 4096)) -eq 0 ] || { truncate -s $(((size / 4096 + 1) * 4096)) "$out/root.img"; size=$(stat -c %s "$out/root.img"); }
# The UUID comes from the content: same tree, same UUID and root hash.
digest=$(sha256sum "$out/root.img" | cut -c 1-64)
uuid=$(echo "$digest" | sed 's/^\(.\{8\}\)\(.\{4\}\).\(.\{3\}\).\(.\{3\}\)\(.\{12\}\).*/\1-\2-4\3-8\4-\5/')
hash=$(veritysetup format "$out/root.img" "$out/root.img" --hash-offset="$size" --salt="$VERITY_SALT" --uuid="$uuid" |
	sed -n 's/^Root hash:[[:space:]]*//p')
total=$(stat -c %s "$out/root.img")
[ "$total" -le $((SYSTEM_MIB << 20)) ] || {
	echo "the root is $((total >> 20)) MiB, the slot has $SYSTEM_MIB MiB (SYSTEM_MIB in board/board.mk)" >&2
	exit 1
}
printf 'ROOT_UUID=%s\nROOT_HASH=%s\nROOT_BYTES=%s\n' "$uuid" "$hash" "$size" >"$out/root.env"
echo "root: $((size >> 10)) KiB, with its hash tree $((total >> 10)) KiB, $uuid"
