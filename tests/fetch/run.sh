#!/bin/sh
# Every case of build/fetch/try against the servers; prints what failed, writes build/results/fetch.tsv (verdict, name,
# seconds, detail).
set -eu
cd "$(dirname "$0")/../.."
mkdir -p build/results build/log
out=build/results/fetch.tsv
log=build/log/fetch.log
dir=$(mktemp -d)
: >"$out"
: >"$log"

certificate() { # an authority, and a server's certificate by it
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=fetch test" \
		-keyout "$dir/ca.key" -out "$dir/ca.pem"
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=localhost" \
		-keyout "$dir/key.pem" -out "$dir/request.pem"
	printf 'subjectAltName=IP:127.0.0.1\n' >"$dir/names"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=stranger" \
		-keyout "$dir/stranger.key" -out "$dir/stranger.pem"
	openssl x509 -req -in "$dir/request.pem" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days 2 \
		-extfile "$dir/names" -out "$dir/cert.pem"
}

# The servers say their addresses when they listen, and run until their standard input is closed.
certificate >>"$log" 2>&1
mkfifo "$dir/stop"
python3 tests/fetch/server.py "$dir" <"$dir/stop" >"$dir/http1" 2>>"$log" &
build/fetch/http2 "$dir" <"$dir/stop" >"$dir/http2" 2>>"$log" &
exec 9>"$dir/stop"
tries=0
while { [ ! -s "$dir/http1" ] || [ ! -s "$dir/http2" ]; } && [ "$tries" -lt 100 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
# shellcheck disable=SC2046 # one word for each address
if timeout -k 5 120 build/fetch/try "$dir" $(cat "$dir/http1" "$dir/http2") >"$dir/out" 2>&1; then rc=0; else rc=$?; fi
exec 9>&-
wait
cat "$dir/out" >>"$log"
awk -F '\t' -v log_file="$log" '/^(pass|fail)\t/ {
	print $1 "\tfetch:" $2 "\t" $3 "\t" ($1 == "fail" ? log_file : "")}' "$dir/out" >>"$out"
if [ "$rc" -gt 1 ] || ! grep -q '^pass\|^fail' "$dir/out"; then
	printf 'fail\tfetch\t0\texit status %s, see %s\n' "$rc" "$log" >>"$out"
fi
grep -v '^pass\|^  ' "$dir/out" || true
rm -r "$dir"
printf 'fetch: %s passed, %s failed\n' "$(grep -c '^pass' "$out" || true)" "$(grep -c '^fail' "$out" || true)"
! grep -q '^fail' "$out"
