#!/bin/sh
# clang-tidy over one file: tests/lint/tidy.sh FILE.c DONE-MARK
set -eu
flags="-std=c11 -D_GNU_SOURCE -Iinit -Itests -Ibuild/gen"
for p in libyaml mbedtls libwebsockets yyjson curl argon2; do flags="$flags -isystem build/pkg/$p/include"; done
# shellcheck disable=SC2086 # flags are words
clang-tidy --quiet "$1" -- $flags 2>/dev/null
touch "$2"
