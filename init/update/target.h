/* The slot that is being written: image, superblock and tree of a new root, on a partition or in a file.
 *
 * 1. target_init, then the bytes of root.verity by target_tree, in any pieces: they go behind the image's place.
 * 2. target_open checks the whole tree against the root hash, read back from the target.
 * 3. target_resume, when an earlier install may have left something: reads the target and finds what is right already.
 *    No record is needed for that. (Then 1. may be left out: target_open says whether the tree is there.)
 * 4. target_copy from the running slot; target_seek + target_feed for what comes from outside. Each block is verified
 *    before it is written; a wrong one stops it.
 * 5. target_finish: everything to the disk, then every block is read back past the page cache, and checked.
 *
 * Blocks are gathered, and written while the next ones are hashed (update/queue.h), past the page cache: an install
 * leaves the memory of everybody else alone. Memory: 2.4 MiB, whatever the size. */
#ifndef HEARTH_UPDATE_TARGET_H
#define HEARTH_UPDATE_TARGET_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "update/blockio.h"
#include "update/blockset.h"
#include "update/delta.h"
#include "update/queue.h"
#include "update/tree.h"

/* About 80 KiB, aligned for direct I/O: static, or from aligned_alloc. */
struct target {
	struct tree tree;     /* of the new image, on fd; open after target_open */
	struct blockset done; /* verified, and written or on their way */
	int fd;
	struct tree_layout at;
	uint64_t tree_bytes; /* of root.verity taken in so far */
	uint64_t next;       /* the block that target_feed fills */
	size_t part;         /* bytes of it that are there, in partial */
	uint64_t copied;     /* blocks taken from the running slot */
	uint64_t spoiled;    /* blocks of the running slot that cannot be read, or are not what its tree says */
	uint64_t batch_at;   /* byte of the target where the batch in queue_room goes */
	size_t fill;         /* bytes of it */
	struct queue queue;
	uint8_t *local; /* read from the running slot */
	_Alignas(VERITY_BLOCK) uint8_t partial[VERITY_BLOCK];
	/* Told of each batch that is resumed, copied or read back: blocks looked at so far, of at.data_blocks. NULL:
	 * nobody. Set both after target_init. */
	void (*progress)(void *owner, uint64_t blocks);
	void *owner;
};

/* fd: open for reading and writing, stays the caller's. data_blocks: of the image. An error when the target is too
 * small. The caller ends it with target_fini (allowed after a failure). */
MUST_CHECK int target_init(struct target *t, int fd, uint64_t data_blocks, struct err *e);
void target_fini(struct target *t);
/* The next n bytes of root.verity. More of them than the layout has are an error. */
MUST_CHECK int target_tree(struct target *t, const void *p, size_t n, struct err *e);
/* All of root.verity is on the target (now, or from an earlier install): opens and checks it. want, root: as tree_open.
 * code EBADMSG: it is not the tree of that root hash. */
MUST_CHECK int target_open(struct target *t, const struct verity *want, const uint8_t root[SHA256_BYTES],
                           struct err *e);
/* Puts the blocks that are right already into t->done. What cannot be read counts as wrong. */
MUST_CHECK int target_resume(struct target *t, struct err *e);
/* Copies what d knows of the running slot (its image lies in source from 0 on) and is not done. Damaged or unreadable
 * blocks of it are passed over: they stay missing. An error is always the target's. */
MUST_CHECK int target_copy(struct target *t, const struct delta *d, int source, struct err *e);

/* The bytes that target_feed is given next begin with this block. A part of a block that was fed before is forgotten.
 */
void target_seek(struct target *t, uint64_t block);
/* The next n bytes of the image. Blocks that are done already are passed over. code EBADMSG: a block is not what the
 * tree says (named; t->next); the blocks before it are taken. code EFBIG: behind the image's end. */
MUST_CHECK int target_feed(struct target *t, const void *p, size_t n, struct err *e);
/* Writes what is gathered and waits until everything is on the disk: what is in t->done survives a power cut. */
MUST_CHECK int target_flush(struct target *t, struct err *e);
/* Flushes; code ENODATA when a block is missing. Then reads tree and image back from the disk and checks each block:
 * code EBADMSG or the disk's own, the message names the first bad block. */
MUST_CHECK int target_finish(struct target *t, struct err *e);

#endif
