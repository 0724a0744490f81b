/* The hash tree as delta index: which blocks of a new image does the running slot have already?
 *
 * Each block's hash stands in level 0 of its slot's tree. A table from hash to block number, filled from the running
 * slot, answers for each hash of the new tree; blocks may have moved. That holds only when both trees have the same
 * salt (it is a constant of the board); with another one nothing is found and everything is fetched.
 *
 * The table keeps 32 bits of each hash and finds its place by others: a wrong answer is improbable, and harmless,
 * because what is copied is verified against the new tree like what is fetched. That also covers a running slot whose
 * blocks or tree are damaged.
 *
 * 11 bytes a block of the running slot: 2.7 MiB for the largest. */
#ifndef HEARTH_UPDATE_DELTA_H
#define HEARTH_UPDATE_DELTA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "update/blockset.h"
#include "update/tree.h"

/* The largest gap between two missing runs that is fetched with them. A request's headers (about 700 bytes) are less
 * than one block, so bytes alone say 0; but one more request costs a way there and back: 20 ms of a link of 40 Mbit/s
 * are 25 blocks. So gaps are bridged as long as that is at most one of DELTA_SPARE blocks that are missing. Measured: a
 * new `hearth` alone is 0.9 MB in 5 requests and another build of k3s 63 MB (of 294) in 39, nearly the same with every
 * gap; small changes all over a large program are 57 MB in 802 with 0, 68 MB in 167 with 8. */
#define DELTA_GAP   8
#define DELTA_SPARE 20

/* All zero is an empty table that takes nothing in. */
struct delta {
	struct delta_entry *table;
	uint64_t slots;  /* of the table */
	uint64_t blocks; /* that it was made for */
	uint64_t count;  /* entries */
	uint64_t lost;   /* blocks whose hash could not be read */
	int fd;          /* of delta_read: the running slot, */
	uint64_t leaves; /* and the byte in it where level 0 begins */
};

struct delta_plan {
	uint64_t done;     /* blocks that are right on the target already */
	uint64_t local;    /* copied from the running slot */
	uint64_t missing;  /* the others */
	uint64_t fetch;    /* blocks to fetch: the missing ones and the gaps that come with them */
	uint64_t requests; /* runs of those */
};

/* An empty table for a slot of so many blocks. The caller ends it with delta_fini (allowed after a failure). */
MUST_CHECK int delta_init(struct delta *d, uint64_t blocks, struct err *e);
void delta_fini(struct delta *d);
/* Enters one block. Of equal ones the first stays. One that finds no place nearby is left out: it is fetched then. */
void delta_add(struct delta *d, const uint8_t hash[SHA256_BYTES], uint64_t block);
/* True: block *block of the running slot should be it. */
bool delta_find(const struct delta *d, const uint8_t hash[SHA256_BYTES], uint64_t *block);

/* A table of the whole running slot: its image lies in fd from 0 on, behind it superblock and tree. salt: the new
 * tree's; when the slot's is another one, the table stays empty. What cannot be read is left out (d->lost). An error
 * only when there is no slot of ours in fd, or no memory; d is empty then, and an install may go on with it. */
MUST_CHECK int delta_read(struct delta *d, int fd, const struct verity *salt, struct err *e);

/* `count` hashes (1 to TREE_FANOUT) of the running slot's blocks from `first` on, as a block of level 0 of another tree
 * has them. Not verified. False: the slot has no such blocks, or they cannot be read. */
bool delta_hashes(const struct delta *d, uint64_t first, uint64_t count, uint8_t leaf[VERITY_BLOCK]);

/* The gap to fetch with what is not in `here`: DELTA_GAP, or less. *fetch: blocks that it makes. */
uint64_t delta_gap(const struct blockset *here, uint64_t *fetch);

/* Walks the new tree: here becomes done and what the table has; p says what is to be fetched with gaps of at most
 * `gap` blocks. Pure, but for reading the tree. */
MUST_CHECK int delta_plan(const struct delta *d, struct tree *now, const struct blockset *done, uint64_t gap,
                          struct blockset *here, struct delta_plan *p, struct err *e);

#endif
