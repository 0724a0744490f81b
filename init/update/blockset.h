/* A set of blocks of an image, one bit each: which blocks of a target are right already, which are at hand. What is not
 * in a set is read from it as runs, to be asked for in few requests.
 *
 * 32 KiB for the largest image. */
#ifndef HEARTH_UPDATE_BLOCKSET_H
#define HEARTH_UPDATE_BLOCKSET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct blockset {
	uint64_t blocks; /* of the image */
	uint64_t count;  /* of them in the set */
	uint8_t *bits;
};

/* Blocks first .. first + count - 1; count is never 0. */
struct run {
	uint64_t first, count;
};

/* Empty. The caller ends it with blockset_fini; that is allowed after a failure, too. */
MUST_CHECK int blockset_init(struct blockset *s, uint64_t blocks, struct err *e);
void blockset_fini(struct blockset *s);
bool blockset_has(const struct blockset *s, uint64_t block);
void blockset_add(struct blockset *s, uint64_t block);
void blockset_copy(struct blockset *to, const struct blockset *from); /* of the same number of blocks */

/* The next run, from block `from` on, of blocks that are not in the set; it begins and ends with such a block. A gap of
 * at most `gap` blocks that are in the set does not end it: asking for them too is cheaper than one more request. At
 * most max blocks long (0: no limit). False: there is none. The next `from` is first + count. */
bool blockset_missing(const struct blockset *s, uint64_t from, uint64_t gap, uint64_t max, struct run *r);

#endif
