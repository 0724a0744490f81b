#!/bin/sh
# The last word of `make test`: what failed, then "N passed, N failed" over all of build/results (verdict, name,
# seconds, detail). Arguments: the groups that must be there; one that wrote nothing counts as failed.
set -eu
cd "$(dirname "$0")/../build/results"
for group in "$@"; do
	[ -s "$group.tsv" ] || printf 'fail\t%s\t0\tno results; see build/log/%s.log\n' "$group" "$group" >"$group.tsv"
done
cat ./*.tsv | awk -F '\t' '$1 == "fail" {print "failed: " $2 ": " $4}'
passed=$(cat ./*.tsv | grep -c '^pass' || true)
failed=$(cat ./*.tsv | grep -c '^fail' || true)
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
