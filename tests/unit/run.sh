#!/bin/sh
# Runs unit test programs; prints what failed, writes build/results/unit.tsv (verdict, name, seconds, detail).
set -eu
mkdir -p build/results build/log
out=build/results/unit.tsv
: >"$out"
bad=0
for t in "$@"; do
	name=${t#build/unit/}
	log=build/log/unit-$(echo "$name" | tr / -).log
	# cmocka prints "[       OK ] name" and "[  FAILED  ] name" per test.
	if CMOCKA_MESSAGE_OUTPUT=STDOUT timeout -k 5 120 "$t" >"$log" 2>&1; then rc=0; else rc=$?; fi
	sed -n 's/^\[       OK \] \(.*\)$/pass\t\1/p; s/^\[  FAILED  \] \([a-z0-9_]*\)$/fail\t\1/p' "$log" |
		sort -u | awk -v p="$name" -v log_file="$log" '{print $1 "\t" p ":" $2 "\t0\t" ($1 == "fail" ? log_file : "")}' >>"$out"
	if [ "$rc" -ne 0 ]; then
		bad=$((bad + 1))
		printf 'fail\t%s\t0\texit status %s, see %s\n' "$name" "$rc" "$log" >>"$out"
		echo "FAILED $name (exit status $rc), last lines of $log:"
		tail -n 25 "$log"
	fi
done
printf 'unit: %s passed, %s failed, %s programs\n' "$(grep -c '^pass' "$out" || true)" "$(grep -c '^fail' "$out" || true)" "$#"
[ "$bad" -eq 0 ]
