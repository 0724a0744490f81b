#!/bin/sh
# The blocks of an install of build/root.img (verified, written, read back and verified) beside the floor: the same bytes
# by dd, then sha256sum. blocks.sh [RUNNING-ROOT-IMAGE]
set -eu
cd "$(dirname "$0")/../.."
target=build/bench/target
hash=$(sed -n 's/^ROOT_HASH=//p' build/root.env)
mib=$(($(stat -Lc %s build/root.img) / 1048576 + 1))

seconds() { # what command...
	what=$1
	shift
	start=$(date +%s%N)
	"$@"
	printf '%-28s %7d ms\n' "$what" $((($(date +%s%N) - start) / 1000000))
}

# It has its blocks, as a partition has.
dd if=/dev/zero of="$target" bs=1M count="$mib" conv=fsync status=none
cat build/root.img >/dev/null # in memory, for both
seconds 'dd conv=fsync' dd if=build/root.img of="$target" bs=4M conv=fsync,notrunc status=none
sync "$target"
dd if="$target" iflag=nocache count=0 status=none # drops it from memory
seconds "sha256sum of it" sh -c "sha256sum $target >/dev/null"
dd if=/dev/zero of="$target" bs=1M count="$mib" conv=fsync,notrunc status=none
build/bench/blocks build/root.img "$hash" "$target" "$@"
rm -f "$target"
