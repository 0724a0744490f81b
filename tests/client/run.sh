#!/bin/sh
# Each group of cases of build/client/try against a server of its own; prints what failed, writes
# build/results/client.tsv (verdict, name, seconds, detail).
set -eu
cd "$(dirname "$0")/../.."
mkdir -p build/results build/log
out=build/results/client.tsv
log=build/log/client.log
: >"$out"
: >"$log"

group() { # name, the server's option
	name=$1
	shift
	dir=$(mktemp -d)
	mkfifo "$dir/stop"
	build/client/server "$@" "$dir" <"$dir/stop" >>"$log" 2>&1 &
	exec 9>"$dir/stop" # the server runs until this is closed
	tries=0
	while [ ! -s "$dir/kubeconfig" ] && [ "$tries" -lt 100 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
	if [ "$name" = nobody ]; then exec 9>&- && wait; fi
	if timeout -k 5 120 build/client/try "$dir/kubeconfig" "$name" >"$dir/out" 2>&1; then rc=0; else rc=$?; fi
	cat "$dir/out" >>"$log"
	awk -F '\t' -v log_file="$log" '/^(pass|fail)\t/ {
		print $1 "\tclient:" $2 "\t0\t" ($1 == "fail" ? log_file : "")}' "$dir/out" >>"$out"
	if [ "$rc" -gt 1 ] || ! grep -q '^pass\|^fail' "$dir/out"; then
		printf 'fail\tclient:%s\t0\texit status %s, see %s\n' "$name" "$rc" "$log" >>"$out"
	fi
	grep -v '^pass\|^  ' "$dir/out" || true
	exec 9>&-
	wait
	rm -r "$dir"
}

group all
group http1 -http1
group mute -mute
group stranger -stranger
group nobody
group memory
printf 'client: %s passed, %s failed\n' "$(grep -c '^pass' "$out" || true)" "$(grep -c '^fail' "$out" || true)"
! grep -q '^fail' "$out"
