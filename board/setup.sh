#!/bin/sh
# Installs the build packages that this machine lacks (packages.txt): as root, or through sudo.
set -eu
cd "$(dirname "$0")"
missing=''
# shellcheck disable=SC2013 # names are words
for p in $(sed '/^#/d; s/[[:space:]].*//' packages.txt); do
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
