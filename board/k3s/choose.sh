#!/bin/sh
# Which k3s goes into the image: prints "release VERSION SHA256", "file SHA256" or "modules VERSION".
#   K3S=/path/to/k3s   that program
#   KUBE=release       the official one of release.lock, an error when it cannot be had
#   KUBE=modules       the one assembled from k3s's Go modules (board/k3s/modules)
#   KUBE=auto          (default) the release; where its page cannot be reached within a short time, the modules
# The program itself is then in the cache under files/SHA256. One answer per build folder and wish: a build that was
# begun with one of them goes on with it.
set -eu
cd "$(dirname "$0")/../.."
files=${XDG_CACHE_HOME:-$HOME/.cache}/hearth/files
want=${KUBE:-auto}
mkdir -p "$files" build

field() { sed -n "s/^$1 //p" board/k3s/release.lock; }

keep() { # FILE SHA256: into the cache
	cp "$1" "$files/$2.$$" && chmod 755 "$files/$2.$$" && mv "$files/$2.$$" "$files/$2"
}

fetch_release() { # only what has the pinned sum counts
	[ ! -e "$files/$sum" ] || return 0
	part=$files/k3s.part.$$
	if ! curl -fsSL --connect-timeout 5 --max-time "$1" -o "$part" "$(field program)" 2>"$part.log"; then
		echo "k3s $(field version): $(tail -n 1 "$part.log")" >&2
		rm -f "$part" "$part.log"
		return 1
	fi
	rm -f "$part.log"
	if [ "$(sha256sum "$part" | cut -c 1-64)" != "$sum" ]; then
		echo "k3s $(field version): what came has another SHA-256 than board/k3s/release.lock says; not used" >&2
		rm -f "$part"
		return 1
	fi
	keep "$part" "$sum"
	rm -f "$part"
}

modules() { echo "modules $(sed -n 's|^.*k3s-io/kubernetes v\([0-9.]*\)-\(k3s[0-9]*\)$|v\1+\2|p' board/go.mod | head -n 1)"; }

release() { echo "release $(field version) $sum"; }

if [ -n "${K3S:-}" ]; then
	[ -x "$K3S" ] || { echo "K3S=$K3S: no such program" >&2 && exit 1; }
	sum=$(sha256sum "$K3S" | cut -c 1-64)
	keep "$K3S" "$sum"
	echo "file $sum"
	exit 0
fi
sum=$(field program-sha256)
note=build/kube-choice
if [ -e "$note" ] && [ "$(sed -n 1p "$note")" = "$want" ]; then
	sed -n 2p "$note"
	exit 0
fi
case $want in
modules) choice=$(modules) ;;
release) fetch_release 900 && choice=$(release) ;;
auto)
	if fetch_release 120; then choice=$(release); else
		echo "k3s: the release cannot be had here; assembling it from its Go modules (KUBE=modules)" >&2
		choice=$(modules)
	fi
	;;
*) echo "KUBE=$want: auto, release or modules" >&2 && exit 1 ;;
esac
printf '%s\n%s\n' "$want" "$choice" >"$note"
echo "$choice"
