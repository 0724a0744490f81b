/* Text for people: columns, wrapping, durations, sizes. Runs in the console and ctl roles. Holds no state, does no I/O.
 */
#include "console/text.h"

#include <stdbool.h>
#include <string.h>

#include "base/str.h"

/* Bytes of the printable UTF-8 character at s, 0 when there is none. */
static size_t character(const char *s, size_t n)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} kind[] = {{0x80, 0x00, 0x20}, {0xe0, 0xc0, 0xa0}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
	unsigned char first = (unsigned char)s[0];
	size_t k = 0;
	while (k < COUNT_OF(kind) && (first & kind[k].mask) != kind[k].lead)
		k++;
	if (k == COUNT_OF(kind) || n < k + 1)
		return 0;
	uint32_t code = first & (unsigned char)~kind[k].mask;
	for (size_t i = 1; i <= k; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | ((unsigned char)s[i] & 0x3f);
	}
	/* Overlong forms, C0, DEL, C1 (below 0xa0), surrogates, beyond Unicode. */
	bool bad = code < kind[k].least || code == 0x7f || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff;
	return bad ? 0 : k + 1;
}

/* Adds the character at s, cleaned; returns the bytes it took from s. */
static size_t clean_one(struct buf *out, const char *s, size_t n)
{
	size_t len = character(s, n);
	if (len) {
		buf_add_n(out, s, len);
		return len;
	}
	buf_add_char(out, *s == '\n' || *s == '\t' || *s == '\r' ? ' ' : '?');
	return 1;
}

void text_clean(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n;)
		i += clean_one(out, s + i, n - i);
}

/* Columns of the first n bytes. */
static unsigned columns_n(const char *s, size_t n)
{
	unsigned columns = 0;
	for (size_t i = 0; i < n; columns++) {
		size_t len = character(s + i, n - i);
		i += len ? len : 1;
	}
	return columns;
}

unsigned text_columns(const char *s)
{
	return columns_n(s, strlen(s));
}

void text_blanks(struct buf *out, unsigned n)
{
	for (; n; n--)
		buf_add_char(out, ' ');
}

void text_pad(struct buf *out, const char *s, unsigned columns)
{
	unsigned have = text_columns(s);
	text_clean(out, s, strlen(s));
	if (have < columns)
		text_blanks(out, columns - have);
}

void text_pad_left(struct buf *out, const char *s, unsigned columns)
{
	unsigned have = text_columns(s);
	if (have < columns)
		text_blanks(out, columns - have);
	text_clean(out, s, strlen(s));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static void new_line(struct buf *out, struct text_at *at)
{
	buf_add_char(out, '\n');
	text_blanks(out, at->indent);
	at->column = at->indent;
}

/* A word that no line can hold is split wherever the line ends. */
static void split_word(struct buf *out, const char *s, size_t n, struct text_at *at)
{
	for (size_t i = 0; i < n; at->column++) {
		if (at->column >= at->width)
			new_line(out, at);
		i += clean_one(out, s + i, n - i);
	}
}

static void add_word(struct buf *out, const char *s, size_t n, struct text_at *at, bool blank)
{
	unsigned columns = columns_n(s, n);
	if (at->width && columns > at->width - at->indent) {
		if (blank && at->column + 1 < at->width) {
			buf_add_char(out, ' ');
			at->column++;
		}
		split_word(out, s, n, at);
		return;
	}
	if (at->width && at->column + (blank ? 1 : 0) + columns > at->width)
		new_line(out, at);
	else if (blank)
		buf_add_char(out, ' ');
	at->column += columns + (blank ? 1 : 0);
	text_clean(out, s, n);
}

void text_wrap(struct buf *out, const char *s, struct text_at at)
{
	/* A terminal too narrow for the indent still shows every word. */
	if (at.width && at.width < at.indent + 20)
		at.indent = at.width > 24 ? 4 : 0;
	if (at.width && at.column > at.width)
		new_line(out, &at);
	bool blank = false;
	while (*s) {
		size_t n = 0;
		while (s[n] && !is_blank(s[n]))
			n++;
		if (n) {
			add_word(out, s, n, &at, blank);
			blank = true;
		}
		s += n;
		while (is_blank(*s))
			s++;
	}
	buf_add_char(out, '\n');
}

void text_fold(struct buf *out, const char *s, size_t n, unsigned width)
{
	unsigned column = 0;
	for (size_t i = 0; i < n; column++) {
		if (width && column == width) {
			buf_add_char(out, '\n');
			column = 0;
		}
		i += clean_one(out, s + i, n - i);
	}
	buf_add_char(out, '\n');
}

void text_duration(struct buf *out, uint64_t ms, unsigned units)
{
	static const struct {
		uint64_t ms;
		const char *name;
	} unit[] = {{86400000, "d"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}};
	if (ms < 1000) {
		buf_addf(out, "%u ms", (unsigned)ms);
		return;
	}
	size_t i = 0;
	while (ms < unit[i].ms)
		i++;
	buf_addf(out, "%llu %s", (unsigned long long)(ms / unit[i].ms), unit[i].name);
	ms %= unit[i].ms;
	if (units > 1 && i + 1 < COUNT_OF(unit) && ms >= unit[i + 1].ms)
		buf_addf(out, " %llu %s", (unsigned long long)(ms / unit[i + 1].ms), unit[i + 1].name);
}

void text_size(struct buf *out, uint64_t bytes)
{
	static const char *const unit[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	size_t i = 0;
	uint64_t rest = 0;
	while (bytes >= 1024 && i + 1 < COUNT_OF(unit)) {
		rest = bytes % 1024;
		bytes /= 1024;
		i++;
	}
	if (i == 0 || bytes >= 10)
		buf_addf(out, "%llu %s", (unsigned long long)bytes, unit[i]);
	else
		buf_addf(out, "%llu.%u %s", (unsigned long long)bytes, (unsigned)(rest * 10 / 1024), unit[i]);
}

void text_time(struct buf *out, const char *rfc3339)
{
	size_t n = strlen(rfc3339);
	if (n != 20 || rfc3339[10] != 'T' || rfc3339[19] != 'Z') {
		text_clean(out, rfc3339, n);
		return;
	}
	text_clean(out, rfc3339, 10);
	buf_add_char(out, ' ');
	text_clean(out, rfc3339 + 11, 8);
	buf_add(out, " UTC");
}

void text_minute(struct buf *out, const char *rfc3339)
{
	char text[32];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	text_time(&b, rfc3339);
	if (b.len > TEXT_MINUTE)
		text[TEXT_MINUTE] = '\0';
	text_pad(out, text[0] ? text : "-", TEXT_MINUTE + 2);
}
