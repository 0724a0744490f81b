#!/bin/sh
# All static checks; build/results/lint.tsv gets verdict, name, seconds, detail per check.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p build/results build/log build/lint
out=build/results/lint.tsv
: >"$out"
bad=0
jobs=$(nproc)
check() { # name command...
	name=$1
	shift
	log=build/log/lint-$name.log
	start=$(date +%s)
	if "$@" >"$log" 2>&1; then verdict=pass; else verdict=fail; fi
	printf '%s\tlint:%s\t%s\t%s\n' "$verdict" "$name" $(($(date +%s) - start)) "$([ $verdict = pass ] || echo "$log")" >>"$out"
	printf '%-4s %s\n' "$verdict" "$name"
	[ $verdict = pass ] && return
	bad=$((bad + 1))
	tail -n 40 "$log"
}

structure() { python3 tests/lint/structure.py; }
formatting() { find init tests -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run --Werror; }
# A file is looked at again only when it, a header or the rules changed.
tidy() {
	stamp=$({ cat .clang-tidy && find init -name '*.h' -exec cat {} +; } | sha256sum | cut -c 1-16)
	find init -name '*.c' | sort | while read -r f; do
		done=build/lint/$(sha256sum <"$f" | cut -c 1-16)-$stamp
		[ -e "$done" ] || echo "$f $done"
	done | xargs -r -P "$jobs" -L 1 tests/lint/tidy.sh
}
cpp_check() {
	cppcheck -q -j "$jobs" --std=c11 --enable=warning,performance,portability --error-exitcode=1 --inline-suppr \
		--suppressions-list=tests/lint/cppcheck.txt -D_GNU_SOURCE -Iinit -Ibuild/gen init
}
shell() {
	git ls-files -co --exclude-standard | xargs grep -slE '^#!/bin/(ba)?sh' | xargs shellcheck -x
	shellcheck -s sh -e SC2034,SC2086,SC2115,SC2154 board/pkg/*.sh # recipes: pkg.sh gives and takes their variables
}
yaml() { git ls-files -co --exclude-standard '*.yaml' '*.yml' | grep -v '^tests/fuzz/corpus/' | xargs yamllint -s; }
python() { git ls-files -co --exclude-standard '*.py' | xargs python3 tests/lint/python.py; }

check structure structure
check format formatting
check clang-tidy tidy
check cppcheck cpp_check
check shellcheck shell
check yamllint yaml
check python python
sed 's/^\([a-z]*\)\t/\1\tlint:structure:/' build/results/structure.tsv >>"$out"
rm build/results/structure.tsv
echo "summary: $(grep -c '^pass' "$out" || true) passed, $(grep -c '^fail' "$out" || true) failed"
[ "$bad" -eq 0 ]
