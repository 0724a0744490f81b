/* The record of the owner's login as text; see owner_record.h. Runs in the owner and auth roles. Pure. */
#include "console/owner_record.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

#define VERSION 19 /* 0x13, of RFC 9106 */

/* Nothing weaker than what was ever written. */
static const struct {
	const char *name;
	uint32_t least, most;
} bounds[] = {{"m=", 8192, OWNER_MEMORY}, {"t=", 1, 16}, {"p=", 1, 4}};

#define FIELDS 7

/* Cuts at single blanks; the number of words, more than `most` as most + 1. */
static unsigned split(char *line, char *words[], unsigned most)
{
	unsigned n = 0;
	for (char *p = line; p; n++) {
		char *end = strchr(p, ' ');
		if (n == most)
			return most + 1;
		if (end)
			*end++ = '\0';
		words[n] = p;
		p = end;
	}
	return n;
}

/* Exactly n bytes. */
static int from_hex(const char *text, uint8_t *out, size_t n)
{
	return strlen(text) == 2 * n ? str_hex(text, out, n) : -1;
}

/* "m=19456" within its bounds, as it would be written. */
static int cost_part(const char *word, size_t i, uint32_t *out)
{
	uint64_t v;
	size_t n = strlen(bounds[i].name);
	if (!str_starts(word, bounds[i].name) || (word[n] == '0' && word[n + 1]) ||
	    str_u64(word + n, bounds[i].most, &v) < 0 || v < bounds[i].least)
		return -1;
	*out = (uint32_t)v;
	return 0;
}

static int parse_hash(struct owner_record *r, char *const words[FIELDS])
{
	uint32_t *cost[] = {&r->cost.memory_kib, &r->cost.passes, &r->cost.lanes};
	if (!str_eq(words[1], "v=19"))
		return -1;
	for (size_t i = 0; i < COUNT_OF(cost); i++) {
		if (cost_part(words[2 + i], i, cost[i]) < 0)
			return -1;
	}
	return from_hex(words[5], r->salt, sizeof(r->salt)) < 0 || from_hex(words[6], r->hash, sizeof(r->hash)) < 0 ? -1
	                                                                                                            : 0;
}

int owner_record_parse(struct owner_record *r, const char *text, size_t len, struct err *e)
{
	char line[OWNER_RECORD], shown[OWNER_CODE_LEN + 1], *words[FIELDS];
	memset(r, 0, sizeof(*r));
	if (len < 2 || len > sizeof(line) || text[len - 1] != '\n' || memchr(text, '\0', len) ||
	    memchr(text, '\n', len - 1))
		return err_set(e, EINVAL, "not one line");
	memcpy(line, text, len - 1);
	line[len - 1] = '\0';
	unsigned n = split(line, words, FIELDS);
	if (n == 2 && str_eq(words[0], "code")) {
		r->kind = OWNER_CODE;
		if (str_copy(shown, sizeof(shown), words[1]) == 0 && owner_code_parse(&r->code, shown, e) == 0 &&
		    str_eq(r->code.text, shown))
			return 0;
		return err_set(e, EINVAL, "not a code");
	}
	r->kind = OWNER_ARGON2ID;
	if (n != FIELDS || !str_eq(words[0], "argon2id") || parse_hash(r, words) < 0)
		return err_set(e, EINVAL, "neither a code nor a hash that this version knows");
	return 0;
}

void owner_record_write(const struct owner_record *r, struct buf *b)
{
	if (r->kind == OWNER_CODE) {
		buf_addf(b, "code %s\n", r->code.text);
		return;
	}
	buf_addf(b, "argon2id v=%d m=%u t=%u p=%u ", VERSION, r->cost.memory_kib, r->cost.passes, r->cost.lanes);
	buf_add_hex(b, r->salt, sizeof(r->salt));
	buf_add_char(b, ' ');
	buf_add_hex(b, r->hash, sizeof(r->hash));
	buf_add_char(b, '\n');
}

bool owner_record_is_old(const struct owner_record *r)
{
	const struct owner_cost now = OWNER_COST;
	return r->kind == OWNER_ARGON2ID &&
	       (r->cost.memory_kib != now.memory_kib || r->cost.passes != now.passes || r->cost.lanes != now.lanes);
}

int owner_password_check(const char *text, size_t len, struct err *e)
{
	size_t characters = 0;
	for (size_t i = 0; i < len; i++)
		characters += ((unsigned char)text[i] & 0xc0) != 0x80; /* the first byte of each, in UTF-8 */
	if (len > OWNER_PASSWORD)
		return err_set(e, E2BIG, "a password has at most %d bytes", OWNER_PASSWORD);
	if (characters < OWNER_SHORTEST)
		return err_set(e, EINVAL, "a password has at least %d characters", OWNER_SHORTEST);
	return 0;
}
