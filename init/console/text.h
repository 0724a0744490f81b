/* Pieces of text for people: cleaning, columns, word wrap, durations, sizes. Pure functions over struct buf, used by
 * everything that renders for a terminal. A width is the number of columns that may be used; 0 means no limit.
 * One UTF-8 character counts as one column. */
#ifndef HEARTH_CONSOLE_TEXT_H
#define HEARTH_CONSOLE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Adds n bytes so that they cannot steer a terminal: control characters (C0, DEL, C1) and bytes that are no UTF-8
 * become '?', line breaks and tabs become a blank. */
void text_clean(struct buf *out, const char *s, size_t n);
/* Columns that s takes once cleaned. */
unsigned text_columns(const char *s);
void text_blanks(struct buf *out, unsigned n);
/* s cleaned, then blanks up to `columns`; s is never cut. */
void text_pad(struct buf *out, const char *s, unsigned columns);
/* Blanks up to `columns`, then s. */
void text_pad_left(struct buf *out, const char *s, unsigned columns);
/* Where a wrapped paragraph stands. */
struct text_at {
	unsigned column; /* the cursor is here now */
	unsigned indent; /* further lines begin with so many blanks */
	unsigned width;
};
/* s cleaned and wrapped at blanks (a word longer than a line is split), then a line break. */
void text_wrap(struct buf *out, const char *s, struct text_at at);
/* n bytes cleaned, blanks kept, with a line break after every `width` columns and at the end: lines of a log. */
void text_fold(struct buf *out, const char *s, size_t n, unsigned width);
/* "850 ms", "12 s", "3 min"; units = 2 adds the next smaller unit: "3 h 12 min". */
void text_duration(struct buf *out, uint64_t ms, unsigned units);
/* "512 B", "1.2 MiB", "230 MiB". */
void text_size(struct buf *out, uint64_t bytes);
/* "2026-01-31T12:00:00Z" as "2026-01-31 12:00:00 UTC"; other text as it is, cleaned. */
void text_time(struct buf *out, const char *rfc3339);
/* The same to the minute and two blanks, for a column: "2026-01-31 12:00  "; "-" when it is not known. */
#define TEXT_MINUTE 16
void text_minute(struct buf *out, const char *rfc3339);

#endif
