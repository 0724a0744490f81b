/* Writes JSON text (RFC 8259), ASCII only. Pure; every role that answers a command uses it.
 * Never allocates, never writes half a value as a whole one: misuse and overflow make json_ok false. */
#include "format/json.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#define REPLACEMENT 0xFFFD /* U+FFFD stands for each byte that is no UTF-8 */

void json_init(struct json *j, struct buf *out)
{
	memset(j, 0, sizeof(*j));
	j->out = out;
}

/* Length of the UTF-8 sequence at s and its code point; 0 when it is none (overlong, surrogate, cut, too large). */
static size_t utf8(const unsigned char *s, uint32_t *cp)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} kinds[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};

	for (size_t n = 0; n < 4; n++) {
		if ((s[0] & kinds[n].mask) != kinds[n].lead)
			continue;
		*cp = s[0] & (unsigned char)~kinds[n].mask;
		for (size_t i = 1; i <= n; i++) {
			if ((s[i] & 0xC0) != 0x80) /* the terminating NUL included */
				return 0;
			*cp = *cp << 6 | (s[i] & 0x3F);
		}
		bool surrogate = *cp >= 0xD800 && *cp <= 0xDFFF;
		return *cp < kinds[n].least || *cp > 0x10FFFF || surrogate ? 0 : n + 1;
	}
	return 0;
}

static void put_escape(struct buf *out, uint32_t cp)
{
	if (cp > 0xFFFF) {
		cp -= 0x10000;
		buf_addf(out, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xD800 + (cp >> 10), 0xDC00 + (cp & 0x3FF));
		return;
	}
	buf_addf(out, "\\u%04" PRIx32, cp);
}

static void put_char(struct buf *out, uint32_t cp)
{
	static const char plain[] = "\"\\\n\r\t", letter[] = "\"\\nrt";
	const char *p = cp != 0 && cp < 0x80 ? strchr(plain, (int)cp) : NULL;

	if (p) {
		buf_add_char(out, '\\');
		buf_add_char(out, letter[p - plain]);
	} else if (cp >= ' ' && cp < 0x7F) {
		buf_add_char(out, (char)cp);
	} else {
		put_escape(out, cp);
	}
}

static void put_text(struct buf *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	buf_add_char(out, '"');
	while (*s) {
		uint32_t cp;
		size_t n = utf8(s, &cp);
		put_char(out, n > 0 ? cp : REPLACEMENT);
		s += n > 0 ? n : 1;
	}
	buf_add_char(out, '"');
}

/* Comma and key before a value. An object wants keys; a list and the top want none, and the top only one value. */
static bool begin(struct json *j, const char *key)
{
	bool in_object = j->depth > 0 && !j->list[j->depth - 1];

	if (in_object != (key != NULL) || (j->depth == 0 && j->comma[0]))
		j->broken = true;
	if (j->broken)
		return false;
	if (j->comma[j->depth])
		buf_add_char(j->out, ',');
	j->comma[j->depth] = true;
	if (key) {
		put_text(j->out, key);
		buf_add_char(j->out, ':');
	}
	return true;
}

static void json_enter(struct json *j, const char *key, bool list)
{
	if (j->depth == JSON_DEPTH)
		j->broken = true;
	if (!begin(j, key))
		return;
	buf_add_char(j->out, list ? '[' : '{');
	j->list[j->depth++] = list;
	j->comma[j->depth] = false;
}

static void json_leave(struct json *j, bool list)
{
	if (j->depth == 0 || j->list[j->depth - 1] != list)
		j->broken = true;
	if (j->broken)
		return;
	j->depth--;
	buf_add_char(j->out, list ? ']' : '}');
}

void json_open_object(struct json *j, const char *key)
{
	json_enter(j, key, false);
}

void json_close_object(struct json *j)
{
	json_leave(j, false);
}

void json_open_list(struct json *j, const char *key)
{
	json_enter(j, key, true);
}

void json_close_list(struct json *j)
{
	json_leave(j, true);
}

void json_string(struct json *j, const char *key, const char *value)
{
	if (!begin(j, key))
		return;
	if (value)
		put_text(j->out, value);
	else
		buf_add(j->out, "null");
}

void json_int(struct json *j, const char *key, int64_t value)
{
	if (begin(j, key))
		buf_addf(j->out, "%" PRId64, value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	if (begin(j, key))
		buf_add(j->out, value ? "true" : "false");
}

bool json_ok(const struct json *j)
{
	return j->depth == 0 && j->comma[0] && !j->broken && buf_ok(j->out);
}
