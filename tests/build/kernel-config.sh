#!/bin/sh
# The check of the kernel configuration can fail: a line that was dropped, one that was changed and one that came back
# are each found, and what survived passes. Rows go to build/results/kernel-config.tsv.
set -eu
cd "$(dirname "$0")/../.."
out=build/results/kernel-config.tsv
mkdir -p build/results
: >"$out"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
printf 'CONFIG_NET=y\nCONFIG_HZ=250\n# CONFIG_SOUND is not set\nCONFIG_USB=y\n' >"$scratch/final"

expect() { # pass|fail name fragment-text
	printf '%b' "$3" >"$scratch/fragment.config"
	if kernel-config/check.sh "$scratch/final" "$scratch/fragment.config" >"$scratch/said" 2>&1; then got=pass; else got=fail; fi
	verdict=pass
	[ "$got" = "$1" ] || verdict=fail
	[ "$1" = pass ] || grep -q 'fragment.config:[0-9]' "$scratch/said" || verdict=fail
	printf '%s\tkernel-config:%s\t0\t%s\n' "$verdict" "$2" "$(head -n 1 "$scratch/said")" >>"$out"
	echo "$verdict $2"
}

expect pass survived 'CONFIG_NET=y\nCONFIG_HZ=250\n# CONFIG_SOUND is not set\nCONFIG_WIFI=n\n'
expect fail dropped 'CONFIG_NET=y\nCONFIG_BRIDGE=y\n'
expect fail changed 'CONFIG_HZ=1000\n'
expect fail came-back 'CONFIG_USB=n\n'
! grep -q '^fail' "$out"
