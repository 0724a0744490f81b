/* Level 0 of a new hash tree, which is nearly all of it, with as few bytes from outside as may be.
 *
 * The levels above say what each block of level 0 (a leaf: the hashes of 128 blocks of the image) must hash to. So a
 * leaf may come from anywhere, and most can be made from the running slot's level 0: those at the same place, and,
 * where blocks of the image have moved, those whose hashes stand there one behind the other but begin elsewhere. Where
 * to look follows from a leaf next to it that is known: the block that its last hash is of stands at some place of the
 * running slot, so the next leaf is probably the 128 hashes behind that.
 *
 *  1. leaves_resume, when an earlier install may have left some
 *  2. leaves_guess, then what leaves_next gives is to be fetched and put in by leaves_put; and that again until nothing
 *     is missing. Of a run that is missing only the middle is asked for, and tells where the rest has moved to: so
 * there are some few rounds, each of which halves the runs.
 *
 * An update that changes little fetches some leaves for each place where blocks begin to be elsewhere, not all behind
 * it. Measured: a new `hearth` is 40 leaves of 563, 24 of which have new hashes. With no running slot to look into,
 * everything is asked for at once.
 *
 * Memory: a bit for each leaf, and 8 KiB. */
#ifndef HEARTH_UPDATE_LEAVES_H
#define HEARTH_UPDATE_LEAVES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "update/blockset.h"
#include "update/delta.h"
#include "update/tree.h"

struct leaves {
	struct tree *tree;       /* open; all above level 0 is there, in a file that can be written */
	const struct delta *old; /* may be empty */
	struct blockset have;    /* leaves that are right */
	uint64_t next;           /* leaves_next goes on here */
};

/* The tree has level 0: it is not that of one block. The caller ends it with leaves_fini, also after a failure. */
MUST_CHECK int leaves_init(struct leaves *l, struct tree *t, const struct delta *old, struct err *e);
void leaves_fini(struct leaves *l);
MUST_CHECK int leaves_resume(struct leaves *l, struct err *e);
/* Takes what the running slot has, and begins a round of leaves_next. code EBADMSG: what is above level 0 is not the
 * root hash's. */
MUST_CHECK int leaves_guess(struct leaves *l, struct err *e);
/* The next run to fetch; false: the round is through. */
bool leaves_next(struct leaves *l, struct run *r);
/* One leaf from outside. code EBADMSG: it is not what the root hash says. */
MUST_CHECK int leaves_put(struct leaves *l, uint64_t index, const uint8_t p[VERITY_BLOCK], struct err *e);
bool leaves_all(const struct leaves *l);

#endif
