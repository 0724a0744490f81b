/* Bounded strings and strict number parsing, pure functions used by every role.
 * Nothing here cuts silently, guesses a unit or depends on the locale. */
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"

#define DISTANCE_MAX 64 /* longer words are not typing mistakes of our names */

struct unit {
	const char *suffix;
	uint64_t factor;
};

static const struct unit durations[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
static const struct unit sizes[] = {{"", 1}, {"K", 1u << 10}, {"M", 1u << 20}, {"G", 1u << 30}};

int str_copy(char *dst, size_t cap, const char *src)
{
	size_t n = strlen(src);
	if (n < cap) {
		memcpy(dst, src, n + 1);
		return 0;
	}
	if (cap > 0)
		dst[0] = '\0';
	return -1;
}

int str_format(char *dst, size_t cap, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(dst, cap, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < cap)
		return 0;
	if (cap > 0)
		dst[0] = '\0';
	return -1;
}

bool str_eq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);
	return n > m && str_eq(s + n - m, suffix);
}

/* Reads the leading digits; returns what follows them, or NULL for none or more than max. */
static const char *digits(const char *s, uint64_t max, uint64_t *out)
{
	const char *p = s;
	uint64_t v = 0;
	for (; *p >= '0' && *p <= '9'; p++) {
		unsigned d = (unsigned)(*p - '0');
		if (v > (max - d) / 10 || d > max)
			return NULL;
		v = v * 10 + d;
	}
	*out = v;
	return p == s ? NULL : p;
}

int str_u64(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	const char *rest = digits(s, max, &v);
	if (!rest || *rest != '\0')
		return -1;
	*out = v;
	return 0;
}

int str_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int str_hex(const char *s, uint8_t *to, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int high = str_hex_digit(s[2 * i]), low = high < 0 ? -1 : str_hex_digit(s[2 * i + 1]);
		if (low < 0)
			return -1;
		to[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

static int with_unit(const char *s, const struct unit *units, size_t n, uint64_t *out)
{
	uint64_t v = 0;
	const char *rest = digits(s, UINT64_MAX, &v);
	for (size_t i = 0; rest && i < n; i++) {
		if (!str_eq(rest, units[i].suffix))
			continue;
		if (v > UINT64_MAX / units[i].factor)
			return -1;
		*out = v * units[i].factor;
		return 0;
	}
	return -1;
}

int str_duration_ms(const char *s, uint64_t *out)
{
	return with_unit(s, durations, COUNT_OF(durations), out);
}

int str_size(const char *s, uint64_t *out)
{
	return with_unit(s, sizes, COUNT_OF(sizes), out);
}

bool str_is_name(const char *s)
{
	if (*s < 'a' || *s > 'z')
		return false;
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");
	return n < LIMIT_NAME && s[n] == '\0';
}

uint32_t str_hash(uint32_t h, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 16777619u;
	return h;
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;
	return m < c ? m : c;
}

unsigned str_distance(const char *a, const char *b, unsigned cap)
{
	unsigned row[DISTANCE_MAX + 1]; /* distances of the prefixes of b to the prefix of a seen so far */
	size_t la = strlen(a), lb = strlen(b);
	if (la > DISTANCE_MAX || lb > DISTANCE_MAX)
		return str_eq(a, b) ? 0 : cap;
	for (size_t j = 0; j <= lb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned corner = row[0];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned above = row[j];
			row[j] = least(above + 1, row[j - 1] + 1, corner + (a[i - 1] != b[j - 1]));
			corner = above;
		}
	}
	return row[lb] < cap ? row[lb] : cap;
}
