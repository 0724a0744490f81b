#!/bin/sh
# board.mk as a C header, for the program: board/gen.sh >build/gen/board.h
set -eu
echo "/* Made from board/board.mk; do not edit. */"
echo "#ifndef HEARTH_BOARD_H"
echo "#define HEARTH_BOARD_H"
sed -n 's/^\([A-Z_]*\) := \([0-9][0-9]*\)$/#define \1 \2/p; t
	s/^\(BOARD_[A-Z_]*\) := \(.*\)$/#define \1 "\2"/p; t
	s/^\([A-Z_]*\) := \(.*\)$/#define BOARD_\1 "\2"/p' "$(dirname "$0")/board.mk" | sed 's/^#define \([A-Z_]* [0-9]*\)$/#define BOARD_\1/; s/BOARD_BOARD_/BOARD_/'
echo "#endif"
