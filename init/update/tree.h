/* The dm-verity hash tree of an image, version 1 with sha256 and blocks of 4096 bytes (veritysetup's format; the
 * kernel's Documentation/admin-guide/device-mapper/verity.rst).
 *
 * `root.verity`, in a bundle and behind the image in a slot: the superblock (one block), then the levels, the top one
 * first. A hash block holds 128 hashes of salt + block: level 0 those of the image's blocks, level 1 those of level
 * 0's, and so on until one block is left, whose hash is the root hash. An image of one block has no level at all: its
 * hash is the root hash.
 *
 * The root hash comes from a signed manifest; everything below it is read from a descriptor and believed only after it
 * was checked against its parent, each time it is read. So nothing has to be read twice, or kept, to be safe: one block
 * a level is all the memory that is needed, and a disk that changes its mind is noticed. */
#ifndef HEARTH_UPDATE_TREE_H
#define HEARTH_UPDATE_TREE_H

#include <stdint.h>

#include "base/err.h"
#include "board.h"
#include "format/sha256.h"
#include "host/verity.h"

#define TREE_FANOUT     (VERITY_BLOCK / SHA256_BYTES)
#define TREE_SLOT       (UINT64_C(256) * BOARD_SYSTEM_MIB) /* blocks of a slot: image, superblock and levels */
#define TREE_LEVELS     3                                  /* 128^3 blocks are 8 GiB */
#define TREE_READ_AHEAD 16                                 /* blocks of level 0 read at once */

/* Where the levels are, from the number of blocks alone. Block 0 of root.verity is the superblock. */
struct tree_layout {
	uint64_t data_blocks;
	unsigned levels; /* 0 for one data block */
	struct {
		uint64_t first, blocks;
	} level[TREE_LEVELS]; /* [0] holds the hashes of data blocks and is the last one in root.verity */
	uint64_t blocks;      /* of root.verity */
};

/* Pure. An error when there are no blocks, or image and tree do not fit into a slot. */
MUST_CHECK int tree_layout(struct tree_layout *l, uint64_t data_blocks, struct err *e);

/* An open tree: about 80 KiB, so better not on the stack. Needs no closing; fd stays the caller's. */
struct tree {
	struct tree_layout at;
	int fd;
	uint64_t offset;    /* of root.verity in fd, bytes */
	struct verity want; /* the superblock */
	uint8_t root[SHA256_BYTES];
	struct sha256 salted;         /* state after the salt */
	uint64_t cached[TREE_LEVELS]; /* which block of its level lies in block[], checked; TREE_NOTHING: none */
	uint64_t ahead;               /* first block of level 0 in raw[], not checked yet */
	uint64_t ahead_count;
	_Alignas(VERITY_BLOCK) uint8_t block[TREE_LEVELS][VERITY_BLOCK];
	_Alignas(VERITY_BLOCK) uint8_t raw[TREE_READ_AHEAD][VERITY_BLOCK];
};

#define TREE_NOTHING UINT64_MAX

/* fd: root.verity lies in it from `offset` bytes on (in a slot: behind the image; with O_DIRECT a multiple of 4096).
 * want: UUID, salt and number of blocks that the superblock must have (hash_start is not looked at). root: the root
 * hash. Reads the superblock only; no hash is checked yet. code EBADMSG: another superblock than wanted. */
MUST_CHECK int tree_open(struct tree *t, int fd, uint64_t offset, const struct verity *want,
                         const uint8_t root[SHA256_BYTES], struct err *e);
/* What data block `block` must hash to. code EBADMSG: the tree on fd is not the root hash's; else fd cannot be read. */
MUST_CHECK int tree_hash(struct tree *t, uint64_t block, uint8_t hash[SHA256_BYTES], struct err *e);
/* What block `index` of level 0 must hash to, from the levels above it: level 0 itself need not be there yet. Not for
 * an image of one block. Errors as above. */
MUST_CHECK int tree_leaf(struct tree *t, uint64_t index, uint8_t hash[SHA256_BYTES], struct err *e);
/* Which of the n data blocks (at most TREE_MATCH) at p are blocks `block` .. block + n - 1? Bit i of *right: the i-th
 * is. Two are hashed at a time. Errors as above: they are the tree's. */
#define TREE_MATCH 32
MUST_CHECK int tree_match(struct tree *t, uint64_t block, const uint8_t *p, size_t n, uint32_t *right, struct err *e);
/* Are they all (any number)? code EBADMSG: no, the message names the first that is not; or as above. */
MUST_CHECK int tree_verify(struct tree *t, uint64_t block, const uint8_t *p, uint64_t n, struct err *e);
/* Reads and checks all of root.verity: the superblock again, then every hash block. The message names the level and the
 * first block that is wrong. */
MUST_CHECK int tree_check(struct tree *t, struct err *e);
/* salt + p (VERITY_BLOCK bytes), as this tree hashes it. */
void tree_digest(const struct tree *t, const uint8_t *p, uint8_t hash[SHA256_BYTES]);

#endif
