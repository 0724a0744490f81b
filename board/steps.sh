#!/bin/sh
# Runs build steps one after the other: board/steps.sh [-k] STEP...   (each is the make target step-STEP)
# Shows "[4/9] kernel ... 2:31", keeps build/log/STEP.log, notes the times in build/times.tsv. Every step knows what is
# done already, so a second run goes on where the first was stopped. -k: go on after a failed step, fail at the end.
set -eu
cd "$(dirname "$0")/.."
keep=''
[ "${1:-}" != -k ] || { keep=yes && shift; }
mkdir -p build/log
total=$#
n=0
failed=''
pid=''
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null; printf "\nstopped; the same command goes on from here\n" >&2; exit 130' INT TERM

elapsed() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

show() { # text; on a terminal the line is redrawn, elsewhere it is left out
	[ ! -t 1 ] || printf '\r\033[K%s' "$1"
}

run_step() { # number name; sets rc and secs
	log=build/log/$2.log
	start=$(date +%s)
	setsid make --no-print-directory "step-$2" >"$log" 2>&1 </dev/null &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		secs=$(($(date +%s) - start))
		show "[$1/$total] $2 ... $(elapsed $secs)  $(tail -n 1 "$log" | tr -d '\r\t\033' | cut -c 1-50)"
		sleep 0.2
	done
	rc=0
	wait "$pid" || rc=$?
	pid=''
	secs=$(($(date +%s) - start))
	printf '%s\t%s\t%s\t%s\n' "$2" "$secs" "$rc" "$(date -u +%FT%TZ)" >>build/times.tsv
}

for step in "$@"; do
	n=$((n + 1))
	[ -t 1 ] || printf '[%s/%s] %s ...\n' "$n" "$total" "$step"
	run_step "$n" "$step"
	show ''
	if [ "$rc" -eq 0 ]; then
		printf '[%s/%s] %s done in %s%s\n' "$n" "$total" "$step" "$(elapsed "$secs")" \
			"$(sed -n 's/^summary: /  /p' "$log" | tail -n 1)"
		continue
	fi
	printf '[%s/%s] %s FAILED after %s; the end of %s:\n' "$n" "$total" "$step" "$(elapsed "$secs")" "$log"
	tail -n 40 "$log" | sed 's/^/    /'
	failed="$failed $step"
	[ -n "$keep" ] || exit 1
done
[ -z "$failed" ]
