/* A set of blocks as bits. Used by the update's worker. */
#include "update/blockset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t bytes_for(uint64_t blocks)
{
	return (size_t)((blocks + 7) / 8);
}

int blockset_init(struct blockset *s, uint64_t blocks, struct err *e)
{
	s->blocks = blocks;
	s->count = 0;
	s->bits = calloc(1, bytes_for(blocks));
	return s->bits ? 0 : err_set(e, ENOMEM, "no memory for a set of %llu blocks", (unsigned long long)blocks);
}

void blockset_fini(struct blockset *s)
{
	free(s->bits);
	s->bits = NULL;
}

bool blockset_has(const struct blockset *s, uint64_t block)
{
	return s->bits[block / 8] >> (block % 8) & 1;
}

void blockset_add(struct blockset *s, uint64_t block)
{
	if (blockset_has(s, block))
		return;
	s->bits[block / 8] |= (uint8_t)(1u << (block % 8));
	s->count++;
}

void blockset_copy(struct blockset *to, const struct blockset *from)
{
	memcpy(to->bits, from->bits, bytes_for(from->blocks));
	to->count = from->count;
}

bool blockset_missing(const struct blockset *s, uint64_t from, uint64_t gap, uint64_t max, struct run *r)
{
	uint64_t at = from;

	while (at < s->blocks && blockset_has(s, at))
		at++;
	if (at >= s->blocks)
		return false;
	uint64_t end = at + 1, limit = max > 0 && max < s->blocks - at ? at + max : s->blocks;
	/* end: behind the last missing block that is known to belong to the run. */
	for (uint64_t i = end; i < limit && i - end <= gap; i++) {
		if (!blockset_has(s, i))
			end = i + 1;
	}
	*r = (struct run){at, end - at};
	return true;
}
