# The first process of every pod (board/images/pause.c). Output: bin/pause.
inputs=board/images/pause.c
licence=Apache-2.0
build() {
	mkdir -p "$OUT/bin"
	$CC $CFLAGS -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -static -s -Wl,--gc-sections,--build-id=none \
		-o "$OUT/bin/pause" "$TOP/board/images/pause.c"
}
