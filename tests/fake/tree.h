/* Makes hash trees as veritysetup does, bottom up and in memory: the other way round than init/update/tree.c reads
 * them. tests/unit/update/test_tree.c compares one with veritysetup's own. */
#ifndef HEARTH_TESTS_FAKE_TREE_H
#define HEARTH_TESTS_FAKE_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "format/sha256.h"
#include "host/verity.h"

struct fake_tree {
	struct verity v; /* salt_len and salt: to be set before */
	uint8_t root[SHA256_BYTES];
	uint8_t *bytes; /* root.verity; free() ends it */
	size_t len;
};

/* Of an image. */
void fake_tree_make(struct fake_tree *t, const uint8_t *image, uint64_t blocks);
/* Of an image that nobody has: from the hashes of its blocks alone. */
void fake_tree_of(struct fake_tree *t, const uint8_t *hashes, uint64_t blocks);
/* One block, as the tree hashes it. */
void fake_tree_hash(const struct fake_tree *t, const uint8_t *block, uint8_t hash[SHA256_BYTES]);

#endif
