/* The type of a plain scalar; see yamltype.h. Used where YAML becomes JSON.
 * Never looks at more than the scalar itself: no schema, no field name. */
#include "format/yamltype.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define DIGITS    "0123456789"
#define WHOLE_MAX 1e15 /* below it a double holds every whole number */

/* Words with a meaning of their own: "a|b|c|"; json is NULL where there is none to write. */
static const struct words {
	const char *list;
	const char *json;
	enum yamltype type;
} words[] = {
	{"|~|null|Null|NULL|", "null", YAMLTYPE_NULL},
	{"true|True|TRUE|", "true", YAMLTYPE_BOOL},
	{"false|False|FALSE|", "false", YAMLTYPE_BOOL},
	{"y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF|", NULL, YAMLTYPE_UNCLEAR},
	{".nan|.NaN|.NAN|.inf|.Inf|.INF|+.inf|+.Inf|+.INF|-.inf|-.Inf|-.INF|", NULL, YAMLTYPE_UNCLEAR},
};

static bool holds(const char *list, const char *text, size_t len)
{
	for (const char *end; *list; list = end + 1) {
		end = strchr(list, '|');
		if ((size_t)(end - list) == len && memcmp(list, text, len) == 0)
			return true;
	}
	return false;
}

static const struct words *find_word(const char *text, size_t len)
{
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (holds(words[i].list, text, len))
			return &words[i];
	}
	return NULL;
}

/* The base that a prefix names, and how long it is; 0: none. */
static unsigned prefix_base(const char *s, size_t *skip)
{
	if (s[0] != '0' || s[1] == '\0')
		return 0;
	*skip = 2;
	switch (s[1] | 0x20) {
	case 'x':
		return 16;
	case 'o':
		return 8;
	case 'b':
		return 2;
	default:
		*skip = 1;
		return 8;
	}
}

static int digit_value(char c)
{
	return str_hex_digit(c >= 'A' && c <= 'F' ? (char)(c | 0x20) : c);
}

/* All of s as digits of base; false when one is none, or the value does not fit. */
static bool read_digits(const char *s, unsigned base, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (*s == '\0')
		return false;
	for (; *s; s++) {
		int d = digit_value(*s);
		if (d < 0 || (unsigned)d >= base || v > (max - (unsigned)d) / base)
			return false;
		v = v * base + (unsigned)d;
	}
	*out = v;
	return true;
}

static bool write_based(bool minus, const char *s, struct buf *out)
{
	size_t skip = 0;
	uint64_t v;
	unsigned base = prefix_base(s, &skip);

	if (base == 0 || !read_digits(s + skip, base, minus ? (uint64_t)1 << 63 : UINT64_MAX, &v))
		return false;
	buf_addf(out, "%s%llu", minus && v > 0 ? "-" : "", (unsigned long long)v);
	return true;
}

/* JSON knows no zeros in front. */
static const char *without_zeros(const char *s)
{
	while (s[0] == '0' && strchr(DIGITS, s[1]) && s[1] != '\0')
		s++;
	return s;
}

static bool write_decimal(bool minus, const char *s, struct buf *out)
{
	size_t n = strspn(s, DIGITS);

	if (n == 0 || s[n] != '\0')
		return false;
	s = without_zeros(s);
	buf_addf(out, "%s%s", minus && !str_eq(s, "0") ? "-" : "", s);
	return true;
}

/* digits [. digits] [e [sign] digits] */
struct fraction {
	size_t whole; /* digits before the point */
	size_t part;  /* and behind it: one of both at least */
	const char *exponent;
};

static bool read_fraction(const char *s, struct fraction *f)
{
	f->whole = strspn(s, DIGITS);
	const char *point = s + f->whole;
	f->part = *point == '.' ? strspn(point + 1, DIGITS) : 0;
	f->exponent = point + (*point == '.' ? 1 + f->part : 0);
	if (f->whole + f->part == 0)
		return false;
	if (f->exponent[0] == '\0')
		return true;
	if (f->exponent[0] != 'e' && f->exponent[0] != 'E')
		return false;
	const char *digits = f->exponent + 1 + (f->exponent[1] == '+' || f->exponent[1] == '-');
	return digits[0] != '\0' && digits[strspn(digits, DIGITS)] == '\0';
}

static bool write_fraction(bool minus, const char *s, struct buf *out)
{
	struct fraction f;
	double v = read_fraction(s, &f) ? strtod(s, NULL) : HUGE_VAL;

	if (v == HUGE_VAL)
		return false;
	buf_add(out, minus ? "-" : "");
	if (v < WHOLE_MAX && v == (double)(int64_t)v) {
		buf_addf(out, "%lld", (long long)v);
		return true;
	}
	const char *from = without_zeros(s);
	buf_add(out, f.whole > 0 ? "" : "0");
	buf_add_n(out, from, f.whole - (size_t)(from - s));
	if (f.part > 0)
		buf_addf(out, ".%.*s", (int)f.part, s + f.whole + 1);
	buf_add(out, f.exponent);
	return true;
}

/* go-yaml drops every '_' behind the first character. */
static bool strip(const char *text, size_t len, char digits[YAMLTYPE_LONGEST + 1])
{
	size_t n = 0;

	if (len == 0 || len > YAMLTYPE_LONGEST || !strchr("+-." DIGITS, text[0]) || memchr(text, '\0', len))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] != '_')
			digits[n++] = text[i];
		else if (text[0] == '.')
			return false;
	}
	digits[n] = '\0';
	return true;
}

static bool write_number(const char *text, size_t len, struct buf *out)
{
	char s[YAMLTYPE_LONGEST + 1];

	if (!strip(text, len, s))
		return false;
	bool minus = s[0] == '-';
	const char *body = s + (minus || s[0] == '+');
	return write_based(minus, body, out) || write_decimal(minus, body, out) || write_fraction(minus, body, out);
}

enum yamltype yamltype_write(const char *text, size_t len, struct buf *out)
{
	const struct words *w = find_word(text, len);

	if (w) {
		buf_add(out, w->json ? w->json : "");
		return w->type;
	}
	return write_number(text, len, out) ? YAMLTYPE_NUMERIC : YAMLTYPE_STRING;
}
