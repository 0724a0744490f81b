#!/bin/sh
# Installs the build packages that this machine lacks (packages.txt, or another list): as root, or through sudo. Go is
# looked for only: Kubernetes wants a newer one than Debian packages. board/setup.sh [LIST]
set -eu
list=$(realpath "${1:-$(dirname "$0")/packages.txt}")
cd "$(dirname "$0")"
want=$(sed -n 's/^go //p' go.mod)
have=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null | sed 's/^go//; s/[^0-9.].*//')
if [ "$(printf '%s\n%s\n' "$want" "${have:-0}" | sort -V | head -n 1)" != "$want" ]; then
	echo "Go $want or newer must be on the PATH (found: ${have:-none}); it comes from the Go project's download page" >&2
	exit 1
fi
missing=''
# shellcheck disable=SC2013 # names are words
for p in $(sed '/^#/d; s/[[:space:]].*//' "$list"); do
	case $(dpkg-query -W -f '${Status}' "$p" 2>/dev/null || true) in
	*" installed") ;;
	*) missing="$missing $p" ;;
	esac
done
[ -n "$missing" ] || exit 0
echo "installing:$missing"
as_root=''
[ "$(id -u)" -eq 0 ] || as_root=sudo
if [ -n "$as_root" ] && ! command -v sudo >/dev/null; then
	echo "these packages are missing and this is not root; install them, then go on: apt-get install$missing" >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -q
# shellcheck disable=SC2086
$as_root apt-get install -q -y --no-install-recommends $missing
