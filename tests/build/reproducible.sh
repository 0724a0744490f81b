#!/bin/sh
# Assembles the image and its update twice, in the checkout and in a copy under another path, at different times and with
# different umasks, and compares the bytes; then checks that a changed input is noticed at all.
set -eu
cd "$(dirname "$0")/../.."
out=build/results/reproducible.tsv
mkdir -p build/results
: >"$out"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

row() { # verdict name detail
	printf '%s\treproducible:%s\t0\t%s\n' "$1" "$2" "$3" >>"$out"
	echo "$1 $2 $3"
}

hashes() { sha256sum "$1/hearth" "$1/root.img" "$1/hearth.img" "$1"/hearth-*.hearth | cut -c 1-64 | tr '\n' ' '; }

steps="step-libraries step-userland step-kubernetes step-kernel step-program step-manifests step-images step-root step-image step-bundle"

# A copy under another path, with other times and another umask.
copy=$scratch/another/much/deeper/path
mkdir -p "$copy"
git ls-files -co --exclude-standard | tar -cf - -T - | tar -m -xf - -C "$copy"
cp -R .git "$copy/.git" # the version comes from the last commit
mkdir "$copy/build"
cp build/sources.lock build/kube-choice "$copy/build/"

# shellcheck disable=SC2086 # words
make -s $steps
first=$(hashes build)
(
	umask 077
	cd "$copy"
	# shellcheck disable=SC2086
	make -s $steps >build/log 2>&1 || {
		tail -n 30 build/log
		exit 1
	}
)
second=$(hashes "$copy/build")
if [ "$first" = "$second" ]; then row pass same-bytes ''; else row fail same-bytes "$first / $second"; fi

# See that the comparison can fail at all.
echo '# one more line' >>"$copy/fs-overlay/etc/hosts"
(cd "$copy" && make -s step-root step-image step-bundle >>build/log 2>&1)
third=$(hashes "$copy/build")
if [ "$third" != "$second" ]; then row pass notices-a-change ''; else row fail notices-a-change 'a changed file gave the same bytes'; fi
echo "summary: $(grep -c '^pass' "$out" || true) passed, $(grep -c '^fail' "$out" || true) failed"
! grep -q '^fail' "$out"
