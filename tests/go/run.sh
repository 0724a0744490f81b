#!/bin/sh
# gofmt, go vet and go test over our own Go packages, with the pins and caches of the build.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p build/results build/log
out=$(pwd)/build/results/go.tsv
log=$(pwd)/build/log/go-test.log
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/hearth
. board/go.sh
GOFLAGS="$GOFLAGS -tags=netgo,osusergo"
: >"$out"

row() { # verdict name detail
	printf '%s\t%s\t0\t%s\n' "$1" "$2" "$3" >>"$out"
}

unformatted=$(gofmt -l board/k3s board/go)
if [ -z "$unformatted" ]; then row pass gofmt ''; else row fail gofmt "$(echo "$unformatted" | tr '\n' ' ')"; fi
# Not the packages that hold Kubernetes: vet would first look at three thousand of its packages.
if (cd board && go vet ./k3s/modules/internal/... ./go/pocketbase) >"$log" 2>&1; then row pass vet ''; else row fail vet "$log" && cat "$log"; fi
(cd board && go test -vet=off -count=1 -v ./k3s/... ./go/...) >"$log" 2>&1 || row fail test "$log"
# Top-level tests, with their package: "--- PASS: TestX (0.00s)" lines stand before the package's own line.
awk '/^--- (PASS|FAIL): / {n++; verdict[n] = tolower(substr($2, 1, 4)); name[n] = $3}
	/^(ok|FAIL)[ \t]/ {for (i = 1; i <= n; i++) printf "%s\t%s:%s\t0\t\n", verdict[i], $2, name[i]; n = 0}' "$log" >>"$out"
grep -E '^(--- FAIL|panic:|FAIL)' "$log" || true
echo "go: $(grep -c '^pass' "$out" || true) passed, $(grep -c '^fail' "$out" || true) failed"
! grep -q '^fail' "$out"
