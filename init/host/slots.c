/* The few words that are known of each slot; see slots.h. Written by the storage and slot roles, read by PID 1. */
#include "host/slots.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

#define WORDS   5
#define UNKNOWN "-" /* for a version that is not known */

void slots_from(struct slots *s, const struct bootenv *b)
{
	memset(s, 0, sizeof(*s));
	for (unsigned i = 0; i < BOOTENV_SLOTS; i++) {
		const struct bootenv_entry *en = bootenv_of(b, bootenv_slot(i));
		struct slots_row *r = &s->row[i];
		r->state = bootenv_state(en);
		r->generation = en ? en->generation : 0;
		r->left = en ? en->left : 0;
	}
}

struct slots_row *slots_row(struct slots *s, char slot)
{
	return &s->row[slot == 'b'];
}

bool slots_is_version(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n < SLOTS_VERSION && !str_eq(s, UNKNOWN) &&
	       strspn(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-+") == n;
}

int slots_format(const struct slots *s, struct buf *b, struct err *e)
{
	for (unsigned i = 0; i < BOOTENV_SLOTS; i++) {
		const struct slots_row *r = &s->row[i];
		if (r->version[0] && !slots_is_version(r->version))
			return err_set(e, EINVAL, "slot %c: '%s' is no version", bootenv_slot(i), r->version);
		buf_addf(b, "%c %s %u %u %s\n", bootenv_slot(i), bootenv_state_name(r->state), r->generation, r->left,
		         r->version[0] ? r->version : UNKNOWN);
	}
	return buf_ok(b) ? 0 : err_set(e, EMSGSIZE, "slots: no room");
}

/* Exactly WORDS words with one blank between them. */
static int split(char *line, char *word[WORDS])
{
	for (unsigned i = 0; i < WORDS; i++) {
		word[i] = line;
		line += strcspn(line, " ");
		if ((*line == '\0') != (i == WORDS - 1))
			return -1;
		if (*line != '\0')
			*line++ = '\0';
	}
	return 0;
}

static int take_state(const char *word, enum bootenv_state *out)
{
	for (enum bootenv_state s = BOOTENV_EMPTY; s <= BOOTENV_BAD; s++) {
		if (!str_eq(word, bootenv_state_name(s)))
			continue;
		*out = s;
		return 0;
	}
	return -1;
}

static int take_row(struct slots_row *r, char slot, char *line)
{
	char *w[WORDS];
	uint64_t generation, left;

	if (split(line, w) < 0 || !bootenv_is_slot(w[0]) || w[0][0] != slot || take_state(w[1], &r->state) < 0 ||
	    str_u64(w[2], BOOTENV_MOST, &generation) < 0 || str_u64(w[3], BOOTENV_MOST, &left) < 0)
		return -1;
	r->generation = (uint32_t)generation;
	r->left = (uint32_t)left;
	if (str_eq(w[4], UNKNOWN))
		return 0;
	return slots_is_version(w[4]) ? str_copy(r->version, sizeof(r->version), w[4]) : -1;
}

int slots_parse(struct slots *s, const char *text, size_t len, struct err *e)
{
	char copy[SLOTS_TEXT], *line = copy;

	memset(s, 0, sizeof(*s));
	if (len >= sizeof(copy) || memchr(text, '\0', len))
		return err_set(e, EINVAL, "slots: too long, or a zero in it");
	memcpy(copy, text, len);
	copy[len] = '\0';
	for (unsigned i = 0; i < BOOTENV_SLOTS; i++) {
		char slot = bootenv_slot(i), *end = strchr(line, '\n');
		if (end == NULL)
			return err_set(e, EINVAL, "slots: no line of slot %c", slot);
		*end = '\0';
		if (take_row(&s->row[i], slot, line) < 0)
			return err_set(e, EINVAL, "slots: the line of slot %c is wrong", slot);
		line = end + 1;
	}
	return *line == '\0' ? 0 : err_set(e, EINVAL, "slots: something follows slot b");
}
