#!/bin/sh
# Runs fuzz targets (names as arguments) over their corpora with N mutations each; prints what failed, writes
# build/results/fuzz.tsv (verdict, name, seconds, detail). The first row proves that a mistake would be noticed.
set -eu
mkdir -p build/results build/log build/fuzz
out=build/results/fuzz.tsv
: >"$out"
bad=0

row() { # verdict name seconds detail
	printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" >>"$out"
	[ "$1" = pass ] || bad=$((bad + 1))
}

self_test() {
	mkdir -p build/fuzz/corpus-broken
	printf 'AAAAAAAA' >build/fuzz/corpus-broken/a
	rm -f build/fuzz/crash-broken
	if build/fuzz/broken -n 0 -o build/fuzz/crash-broken build/fuzz/corpus-broken >build/log/fuzz-broken.log 2>&1 &&
		! build/fuzz/broken -n 2000 -o build/fuzz/crash-broken build/fuzz/corpus-broken >>build/log/fuzz-broken.log 2>&1 &&
		grep -q C build/fuzz/crash-broken &&
		! build/fuzz/broken -n 0 -o build/fuzz/crash-broken build/fuzz/crash-broken >>build/log/fuzz-broken.log 2>&1; then
		row pass fuzz:finds-a-mistake 0 ''
	else
		row fail fuzz:finds-a-mistake 0 build/log/fuzz-broken.log
		echo "FAILED: the driver did not find a planted mistake, see build/log/fuzz-broken.log"
	fi
	rm -f build/fuzz/crash-broken
}

one() {
	log=build/log/fuzz-$1.log
	set -- "$1" "tests/fuzz/corpus/$1" "build/fuzz/corpus/$1"
	start=$(date +%s)
	rm -f "build/fuzz/crash-$1"
	if [ -d "$3" ] && [ -d "$2" ]; then
		paths="$2 $3"
	elif [ -d "$3" ]; then
		paths=$3
	else
		paths=$2
	fi
	# shellcheck disable=SC2086 # paths are one or two folders without blanks
	if timeout 300 "build/fuzz/$1" -n "${N:-2000}" -o "build/fuzz/crash-$1" $paths >"$log" 2>&1; then
		row pass "fuzz:$1" "$(($(date +%s) - start))" "$(tail -n 1 "$log")"
	else
		row fail "fuzz:$1" "$(($(date +%s) - start))" "$log"
		echo "FAILED $1, last lines of $log:"
		tail -n 25 "$log"
	fi
}

self_test
for t in "$@"; do
	one "$t"
done
printf 'fuzz: %s passed, %s failed\n' "$(grep -c '^pass' "$out" || true)" "$(grep -c '^fail' "$out" || true)"
[ "$bad" -eq 0 ]
