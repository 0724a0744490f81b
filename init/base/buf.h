/* A bounded text builder over storage that the caller owns. Never allocates.
 * Overflow is remembered and reported by buf_ok: truncation is an error, not a surprise. */
#ifndef HEARTH_BASE_BUF_H
#define HEARTH_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct buf {
	char *data;    /* terminated while cap > 0 */
	size_t len;    /* without the terminator */
	size_t cap;    /* size of data, terminator included */
	bool overflow; /* something did not fit; data holds what did */
};

void buf_init(struct buf *b, char *data, size_t cap);
void buf_reset(struct buf *b);
void buf_add(struct buf *b, const char *text);
void buf_add_n(struct buf *b, const char *data, size_t n);
void buf_add_char(struct buf *b, char c);
/* n bytes as 2n lower-case hexadecimal digits. */
void buf_add_hex(struct buf *b, const uint8_t *data, size_t n);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool buf_ok(const struct buf *b);
/* Drops the first n bytes, moving the rest to the front. */
void buf_drop(struct buf *b, size_t n);

#endif
