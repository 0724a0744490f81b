#!/bin/sh
# Renders the platform: each overlay of manifests/overlays/production to build/manifests/NAME.yaml, the same bytes from
# the same sources. KUSTOMIZE=PROGRAM stands in for the one that board/pkg.sh builds.
# A file changes only when its text does. Nothing is written when one overlay does not render.
set -eu
cd "$(dirname "$0")/.."
KUSTOMIZE=${KUSTOMIZE:-build/pkg/kustomize/bin/kustomize}
out=build/manifests
parts="infra htpc utils"

fail() {
	echo "manifests: $*" >&2
	exit 1
}

[ -x "$KUSTOMIZE" ] || fail "$KUSTOMIZE is not there; run board/pkg.sh kustomize"
rm -rf "$out.new"
mkdir -p "$out.new" "$out"
for part in $parts; do
	overlay=manifests/overlays/production/$part
	[ -d "$overlay" ] || fail "$overlay is missing"
	"$KUSTOMIZE" build "$overlay" >"$out.new/$part.yaml" || fail "$overlay does not render; \`make manifests-check\` says more"
	[ -s "$out.new/$part.yaml" ] || fail "$overlay renders to nothing; an image without it would delete what runs"
done
for part in $parts; do
	cmp -s "$out.new/$part.yaml" "$out/$part.yaml" || mv "$out.new/$part.yaml" "$out/$part.yaml"
done
for file in "$out"/*.yaml; do
	case " $parts " in *" $(basename "$file" .yaml) "*) ;; *) rm "$file" ;; esac
done
rm -r "$out.new"
echo "summary: $(cat "$out"/*.yaml | grep -c '^kind: ') objects, $(($(cat "$out"/*.yaml | wc -c) / 1024)) KiB"
