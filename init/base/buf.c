/* A bounded text builder over the caller's storage. Every role uses it.
 * It never allocates and never writes past cap; what does not fit is remembered as overflow. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void buf_init(struct buf *b, char *data, size_t cap)
{
	b->data = data;
	b->cap = cap;
	buf_reset(b);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->overflow = false;
	if (b->cap > 0)
		b->data[0] = '\0';
}

static size_t room(const struct buf *b)
{
	return b->cap > 0 ? b->cap - 1 - b->len : 0;
}

void buf_add_n(struct buf *b, const char *data, size_t n)
{
	size_t fits = n <= room(b) ? n : room(b);
	if (fits < n)
		b->overflow = true;
	if (fits == 0)
		return;
	memcpy(b->data + b->len, data, fits);
	b->len += fits;
	b->data[b->len] = '\0';
}

void buf_add(struct buf *b, const char *text)
{
	buf_add_n(b, text, strlen(text));
}

void buf_add_char(struct buf *b, char c)
{
	buf_add_n(b, &c, 1);
}

void buf_add_hex(struct buf *b, const uint8_t *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%02x", data[i]);
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(b->cap > 0 ? b->data + b->len : NULL, b->cap > 0 ? room(b) + 1 : 0, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n > room(b))
		b->overflow = true;
	if (n > 0)
		b->len += (size_t)n <= room(b) ? (size_t)n : room(b);
	if (b->cap > 0)
		b->data[b->len] = '\0';
}

bool buf_ok(const struct buf *b)
{
	return !b->overflow;
}

void buf_drop(struct buf *b, size_t n)
{
	if (n > b->len)
		n = b->len;
	if (n == 0)
		return;
	memmove(b->data, b->data + n, b->len - n + 1);
	b->len -= n;
}
