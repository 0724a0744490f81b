#!/bin/sh
# May this be given away? Looks at the keys in the root, and at the images and every bundle in build/: a development key, a
# bundle that the root's own keys did not sign, and a bundle of another root are each a reason not to.
# board/release-check.sh [OUT-FOLDER]
set -eu
cd "$(dirname "$0")/.."
out=${1:-build}
keys=$out/root/etc/hearth/update-keys
development=${XDG_CACHE_HOME:-$HOME/.cache}/hearth/keys
bad=0

wrong() {
	echo "$1" >&2
	bad=1
}

is_development() { # public key; marked, or one of this machine's without its mark
	! grep -q 'development key' "$1" || return 0
	for d in "$development"/*.key; do
		[ ! -e "$d" ] || [ "$(openssl pkey -in "$d" -pubout)" != "$(openssl pkey -pubin -in "$1")" ] || return 0
	done
	return 1
}

for name in current next; do
	[ -s "$keys/$name.pem" ] || wrong "$keys/$name.pem: is not there; build the root first (make image)"
done
for pem in "$keys"/*.pem; do # a box takes every one of them
	if [ -s "$pem" ] && is_development "$pem"; then
		wrong "$pem: a development key; build with KEY=file NEXT_KEY=file"
	fi
done
# Of an earlier build? The mark is near enough to a file's beginning for the file system to store it as it is.
for image in "$out/root.img" "$out/hearth.img"; do
	if [ -e "$image" ] && grep -aq 'Hearth development key' "$image"; then
		wrong "$image: has a development key in it; build with KEY=file NEXT_KEY=file"
	fi
done
hash=$(sed -n 's/^ROOT_HASH=//p' "$out/root.env")
for b in "$out"/*.hearth; do
	[ -e "$b" ] || continue
	if ! said=$(build/hearth bundle verify --keys "$keys" "$b" 2>&1); then
		wrong "$said"
	elif ! build/hearth bundle info --keys "$keys" "$b" | grep -qx "root hash   $hash"; then
		wrong "$b: has another root than $out/root.img; make it again, or remove it"
	else
		echo "$b: signed by $(echo "$said" | sed 's/.* //')"
	fi
done
[ "$bad" -eq 0 ]
