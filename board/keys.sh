#!/bin/sh
# The keys that sign updates. KEY=file and NEXT_KEY=file (private keys of P-256 in PEM; of the next one the public half is
# enough) or, without them, development keys that are made once on this machine and are worth nothing.
#   board/keys.sh public FOLDER   writes current.pem and next.pem there, for the root
#   board/keys.sh private         prints the file to sign with
set -eu
umask 077
folder=${XDG_CACHE_HOME:-$HOME/.cache}/hearth/keys
mark='Hearth development key: whoever has the machine that made it can sign updates with it. Not for a release.'

development() { # name; prints the file
	if [ ! -s "$folder/$1.key" ]; then
		mkdir -p "$folder"
		openssl ecparam -name prime256v1 -genkey -noout -out "$folder/$1.key.new"
		mv "$folder/$1.key.new" "$folder/$1.key"
	fi
	echo "$folder/$1.key"
}

public() { # file; prints the public half, marked when it is a development key's
	if grep -q 'BEGIN PUBLIC KEY' "$1"; then how=-pubin; else how=''; fi
	# shellcheck disable=SC2086 # a word or none
	pem=$(openssl pkey $how -in "$1" -pubout) || { echo "$1: no key in PEM" >&2 && exit 1; }
	echo "$pem" | openssl pkey -pubin -noout -text | grep -q 'ASN1 OID: prime256v1' ||
		{ echo "$1: not a key of the curve P-256; make one: openssl ecparam -name prime256v1 -genkey -noout" >&2 && exit 1; }
	for d in "$folder"/*.key; do
		[ ! -e "$d" ] || [ "$(openssl pkey -in "$d" -pubout)" != "$pem" ] || echo "$mark"
	done
	echo "$pem"
}

current=${KEY:-$(development current)}
next=${NEXT_KEY:-$(development next)}
case ${1:-} in
public)
	mkdir -p "$2"
	public "$current" >"$2/current.pem"
	public "$next" >"$2/next.pem"
	;;
private) echo "$current" ;;
*) echo "usage: board/keys.sh public FOLDER | private" >&2 && exit 2 ;;
esac
