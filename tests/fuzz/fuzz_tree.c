/* update/tree: a layout that is taken fits into a slot and has no holes; a tree that passes its check gives for each
 * block just the hash that stands in its level 0; one that does not pass says why.
 *
 * Input: uint64 number of data blocks, uint8 flags, then root.verity. Flag 1: the root hash is that of the top block
 * (else zeros). Flag 2: what the superblock says is what is wanted. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/check.h"
#include "update/tree.h"

#define BLOCKS_MAX 20000 /* whose hashes are all asked for */

static struct tree tree;

static void check_layout(uint64_t blocks)
{
	struct tree_layout l;
	struct err e = {0};
	uint64_t next = 1, covers = 1;

	if (tree_layout(&l, blocks, &e) < 0) {
		FUZZ_CHECK(e.code != 0 && e.text[0]);
		return;
	}
	FUZZ_CHECK(blocks > 0 && l.data_blocks == blocks && l.levels <= TREE_LEVELS);
	for (unsigned i = l.levels; i-- > 0; next += l.level[i].blocks)
		FUZZ_CHECK(l.level[i].first == next && l.level[i].blocks > 0);
	FUZZ_CHECK(next == l.blocks && blocks + l.blocks <= TREE_SLOT);
	for (unsigned i = 0; i < l.levels; i++) {
		covers *= TREE_FANOUT;
		FUZZ_CHECK(l.level[i].blocks * covers >= blocks && (l.level[i].blocks - 1) * covers < blocks);
	}
	FUZZ_CHECK(covers >= blocks && (l.levels == 0 || l.level[l.levels - 1].blocks == 1));
}

/* The root hash that makes the top block right. */
static void root_of(const struct verity *want, const uint8_t *bytes, size_t len, uint8_t root[SHA256_BYTES])
{
	struct sha256 s;

	if (len < 2 * VERITY_BLOCK)
		return;
	sha256_init(&s);
	sha256_add(&s, want->salt, want->salt_len);
	sha256_add(&s, bytes + VERITY_BLOCK, VERITY_BLOCK);
	sha256_end(&s, root);
}

static void check_hashes(const struct verity *want, const uint8_t *bytes, size_t len, const uint8_t *root)
{
	uint8_t hash[SHA256_BYTES];
	struct err e = {0};

	FUZZ_CHECK(len >= tree.at.blocks * VERITY_BLOCK);
	for (uint64_t i = 0; i < want->data_blocks && i < BLOCKS_MAX; i++) {
		const uint8_t *leaf = bytes + tree.at.level[0].first * VERITY_BLOCK + i * SHA256_BYTES;
		FUZZ_CHECK(tree_hash(&tree, i, hash, &e) == 0);
		FUZZ_CHECK(memcmp(hash, tree.at.levels > 0 ? leaf : root, sizeof(hash)) == 0);
	}
	FUZZ_CHECK(tree_hash(&tree, want->data_blocks, hash, &e) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t root[SHA256_BYTES] = {0};
	struct verity want = {0};
	struct err e = {0};

	if (size < 9)
		return 0;
	memcpy(&want.data_blocks, data, 8);
	check_layout(want.data_blocks);
	const uint8_t *bytes = data + 9;
	size_t len = size - 9;
	if (data[8] & 2 && verity_parse(&want, bytes, len, TREE_SLOT * VERITY_BLOCK, &e) < 0)
		return 0;
	if (data[8] & 1)
		root_of(&want, bytes, len, root);
	int fd = memfd_create("tree", 0);
	FUZZ_CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
	if (tree_open(&tree, fd, 0, &want, root, &e) < 0)
		FUZZ_CHECK(e.code != 0 && e.text[0]);
	else if (tree_check(&tree, &e) < 0)
		FUZZ_CHECK(e.code != 0 && e.text[0]);
	else
		check_hashes(&want, bytes, len, root);
	close(fd);
	return 0;
}
