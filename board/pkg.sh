#!/bin/sh
# Builds one package by its recipe, or finds it in the cache: board/pkg.sh NAME ...
#
# A recipe board/pkg/NAME.sh is a piece of shell that says
#   source=NAME     source package in sources.lock (deb=NAME: a binary package, unpacked)
#   needs="A B"     packages it is built against; $A_DIR is their output (dashes become underscores)
#   inputs="PATHS"  files and folders of this project that go into it
#   licence=SPDX    for the SBOM
#   go=yes          Go code of the module in board/go.mod: its pins and the Go version go into the key; see go_build
#   variant=TEXT    anything else that decides what comes out
#   suite=NAME      other suite than the pinned one, with the reason
#   build() {...}   runs in the unpacked, patched source; installs into $OUT
# Outputs live in the cache under a key of everything that went in: recipe, sources, needs, inputs, compiler.
# build/pkg/NAME is a link to the output.
# shellcheck disable=SC2034 # variables for the recipes
set -eu
cd "$(dirname "$0")/.."
TOP=$(pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/hearth
JOBS=$(nproc)
BUILD_RULES=1 # to be raised when a change below makes other bytes from the same recipe
MUSL_INCLUDES="-idirafter /usr/include -idirafter /usr/include/x86_64-linux-gnu"
SOURCE_DATE_EPOCH=1700000000
LC_ALL=C
TZ=UTC
export SOURCE_DATE_EPOCH LC_ALL TZ
unset MAKEFLAGS MFLAGS MAKELEVEL
umask 022
mkdir -p build/pkg build/key "$CACHE/pkg" "$CACHE/work"

compiler=$(gcc --version | head -n 1; dpkg-query -W -f '${Version}' musl-dev)

. board/go.sh

go_build() { # NAME IMPORT-PATH [LDFLAGS]: a static program bin/NAME; a recipe may set tags=A,B
	mkdir -p "$OUT/bin"
	go build -C "$TOP/board" -tags "netgo,osusergo${tags:+,$tags}" -ldflags "-s -w -buildid= ${3:-}" -o "$OUT/bin/$1" "$2"
}

key_of() { # recipe variables are loaded
	{
		echo "$BUILD_RULES $compiler"
		cat "board/pkg/$name.sh"
		for s in ${source:-} ${deb:-}; do
			awk -v s="$s" '$1 == s {print $6}' build/sources.lock
		done
		for n in $needs; do cat "build/key/$n"; done
		[ -z "$go" ] || { go version && sha256sum board/go.mod board/go.sum; }
		[ -z "$variant" ] || echo "$variant"
		for i in $inputs; do
			find "$i" -type f | sort | xargs sha256sum
		done
	} | sha256sum | cut -c 1-20
}

unpack() { # source or binary package into $1
	for s in ${source:-} ${deb:-}; do
		python3 board/sources.py path "$s" >"$work/files"
		while read -r role file; do
			case $role in
			deb) dpkg-deb -x "$file" "$1" ;;
			debian) mkdir -p "$1/.debian" && tar -xf "$file" -C "$1/.debian" ;;
			*) tar -xf "$file" -C "$1" --strip-components=1 ;;
			esac
		done <"$work/files"
	done
	series=$1/.debian/debian/patches/series
	if [ -f "$series" ]; then
		sed 's/[[:space:]]*#.*//; s/[[:space:]].*//; /^$/d' "$series" >"$work/series"
		while read -r patch; do
			patch -s -d "$1" -p1 -i "$1/.debian/debian/patches/$patch" </dev/null
		done <"$work/series"
	fi
	# One time for all, so that no patched file looks newer than what was generated from it.
	find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

package() (
	name=$1
	source='' deb='' needs='' inputs='' go='' variant='' tags=''
	# shellcheck disable=SC1090
	. "board/pkg/$name.sh"
	key=$(key_of)
	out=$CACHE/pkg/$name-$key
	if [ ! -d "$out" ]; then
		echo "building $name"
		start=$(date +%s)
		work=$CACHE/work/$name
		rm -rf "$work"
		mkdir -p "$work/src" "$work/out"
		unpack "$work/src"
		for n in $needs; do
			eval "$(echo "$n" | tr - _)_DIR=\$(readlink -f build/pkg/$n)"
		done
		OUT=$work/out
		CC="musl-gcc $MUSL_INCLUDES"
		CFLAGS="-Os -g0 -fstack-protector-strong -ffunction-sections -fdata-sections -ffile-prefix-map=$work/src=."
		export CC CFLAGS
		(cd "$work/src" && set -eu && build)
		mv "$work/out" "$out.new.$$"
		mv -T "$out.new.$$" "$out" || rm -rf "$out.new.$$" # somebody else was faster with the same bytes
		rm -rf "$work"
		printf '  %s\t%s\t0\t%s\n' "$name" $(($(date +%s) - start)) "$(date -u +%FT%TZ)" >>build/times.tsv
	fi
	touch "$out" # for a person who tidies the cache by age
	[ "$(readlink "build/pkg/$name" || true)" = "$out" ] || ln -sfn "$out" "build/pkg/$name"
	[ "$(cat "build/key/$name" 2>/dev/null || true)" = "$key" ] || echo "$key" >"build/key/$name"
)

for p in "$@"; do
	package "$p"
done
