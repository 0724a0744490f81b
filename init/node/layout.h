/* What the disk of a box looks like, and what is missing from it. Pure: a partition table in, a partition table out;
 * the storage role writes it.
 *
 * The table of parts (names, types, sizes of board.h) is the order in which they are made. A disk that is too small
 * for all of them still gets those that fit: state before a second slot, data only when everything else is there, since
 * data cannot move out of the way later. */
#ifndef HEARTH_NODE_LAYOUT_H
#define HEARTH_NODE_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "host/gpt.h"

enum layout_part { LAYOUT_SYSTEM_B, LAYOUT_STATE, LAYOUT_DATA, LAYOUT_PARTS };

/* 16 random bytes; 0 or -1. Passed in so that planning stays pure. */
typedef int layout_random_fn(uint8_t bytes[16], void *arg);

struct layout {
	bool changed; /* the table must be written */
	bool grown;   /* the data partition got larger: the kernel must be told */
	bool added[LAYOUT_PARTS];
	bool there[LAYOUT_PARTS]; /* part[i] is filled */
	struct gpt_part part[LAYOUT_PARTS];
	struct err missing[LAYOUT_PARTS]; /* why it is not there */
};

/* Brings *g to what a box must have: fitted to the disk, a disk id of its own, the missing parts added and marked
 * GPT_FRESH, data grown to the end. Existing partitions are never moved, shrunk or renamed. -1 only when no random
 * numbers are to be had; then *g must not be written. */
MUST_CHECK int layout_plan(struct layout *lo, struct gpt *g, layout_random_fn *random, void *arg, struct err *e);
const char *layout_part_name(enum layout_part p);

#endif
