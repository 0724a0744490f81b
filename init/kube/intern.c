/* A table of names; see intern.h. Runs in the kube role.
 * Never moves a text once it is there. */
#include "kube/intern.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define BLOCK 8192

struct intern_block {
	struct intern_block *next;
	size_t used;
	char text[BLOCK];
};

/* The slot that holds the text, or the free one for it. */
static const char **find_slot(const struct intern *n, const char *text, size_t len)
{
	uint32_t i = str_hash(STR_HASH, text, len) % INTERN_TEXTS;

	while (n->slot[i] && (strncmp(n->slot[i], text, len) != 0 || n->slot[i][len] != '\0'))
		i = (i + 1) % INTERN_TEXTS;
	return &n->slot[i];
}

static char *take_room(struct intern *n, size_t len)
{
	struct intern_block *b = n->blocks;

	if (!b || len > sizeof(b->text) - b->used) {
		b = malloc(sizeof(*b));
		if (!b)
			return NULL;
		b->next = n->blocks;
		b->used = 0;
		n->blocks = b;
	}
	char *at = b->text + b->used;
	b->used += len;
	return at;
}

const char *intern_add(struct intern *n, const char *text, size_t len)
{
	if (len >= INTERN_TEXT || memchr(text, '\0', len))
		return NULL;
	if (!n->slot)
		n->slot = calloc(INTERN_TEXTS, sizeof(*n->slot));
	if (!n->slot)
		return NULL;
	const char **slot = find_slot(n, text, len);
	const char *known = *slot;
	if (known)
		return known;
	char *at = n->count < INTERN_TEXTS / 2 ? take_room(n, len + 1) : NULL;
	if (!at)
		return NULL;
	memcpy(at, text, len);
	at[len] = '\0';
	n->count++;
	*slot = at;
	return at;
}

void intern_seal(struct intern *n)
{
	free(n->slot);
	n->slot = NULL;
}

void intern_free(struct intern *n)
{
	struct intern_block *next;

	intern_seal(n);
	for (struct intern_block *b = n->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	n->blocks = NULL;
	n->count = 0;
}
