/* The hash tree of an image, checked as it is read. Used by the update's worker and by `hearth bundle`. */
#include "update/tree.h"

#include <errno.h>
#include <string.h>

#include "update/blockio.h"

#define FANOUT_BITS 7

_Static_assert(TREE_FANOUT == 1 << FANOUT_BITS, "128 hashes a block");

int tree_layout(struct tree_layout *l, uint64_t data_blocks, struct err *e)
{
	if (data_blocks == 0 || data_blocks >= TREE_SLOT)
		return err_set(e, EINVAL, "an image of %llu blocks does not fit into a slot of %llu",
		               (unsigned long long)data_blocks, (unsigned long long)TREE_SLOT);
	*l = (struct tree_layout){.data_blocks = data_blocks, .blocks = 1};
	for (uint64_t n = data_blocks; n > 1; l->levels++) { /* TREE_LEVELS are enough for a slot: see below */
		n = (n + TREE_FANOUT - 1) / TREE_FANOUT;
		l->level[l->levels].blocks = n;
	}
	for (unsigned i = l->levels; i-- > 0;) { /* the top one first */
		l->level[i].first = l->blocks;
		l->blocks += l->level[i].blocks;
	}
	if (data_blocks + l->blocks > TREE_SLOT)
		return err_set(e, EINVAL, "an image of %llu blocks with its hash tree does not fit into a slot of %llu",
		               (unsigned long long)data_blocks, (unsigned long long)TREE_SLOT);
	return 0;
}

_Static_assert(TREE_SLOT <= UINT64_C(1) << (FANOUT_BITS * TREE_LEVELS), "a larger slot needs one more level");

static int check_super(struct tree *t, struct err *e)
{
	const struct verity *want = &t->want;
	struct verity found;

	t->ahead_count = 0; /* raw[] is used here */
	if (blockio_read(t->fd, t->raw[0], VERITY_BLOCK, t->offset, e) < 0)
		return err_prefix(e, "verity superblock");
	if (verity_parse(&found, t->raw[0], VERITY_BLOCK, want->data_blocks * VERITY_BLOCK, e) < 0) {
		e->code = EBADMSG;
		return -1;
	}
	if (found.data_blocks != want->data_blocks)
		return err_set(e, EBADMSG, "verity superblock of an image of %llu blocks, not %llu",
		               (unsigned long long)found.data_blocks, (unsigned long long)want->data_blocks);
	if (found.salt_len != want->salt_len || memcmp(found.salt, want->salt, want->salt_len) != 0)
		return err_set(e, EBADMSG, "verity superblock with another salt");
	if (memcmp(found.uuid, want->uuid, sizeof(found.uuid)) != 0)
		return err_set(e, EBADMSG, "verity superblock with another UUID");
	return 0;
}

int tree_open(struct tree *t, int fd, uint64_t offset, const struct verity *want, const uint8_t root[SHA256_BYTES],
              struct err *e)
{
	if (tree_layout(&t->at, want->data_blocks, e) < 0)
		return -1;
	if (want->salt_len > VERITY_SALT_MAX)
		return err_set(e, EINVAL, "salt of %zu bytes", want->salt_len);
	t->fd = fd;
	t->offset = offset;
	t->want = *want;
	for (unsigned i = 0; i < TREE_LEVELS; i++)
		t->cached[i] = TREE_NOTHING;
	memcpy(t->root, root, sizeof(t->root));
	sha256_init(&t->salted);
	sha256_add(&t->salted, want->salt, want->salt_len);
	return check_super(t, e);
}

void tree_digest(const struct tree *t, const uint8_t *p, uint8_t hash[SHA256_BYTES])
{
	sha256_from(&t->salted, p, VERITY_BLOCK, hash);
}

static int read_level(struct tree *t, unsigned level, uint64_t index, void *p, size_t blocks, struct err *e)
{
	uint64_t at = t->offset + (t->at.level[level].first + index) * VERITY_BLOCK;

	return blockio_read(t->fd, p, blocks * VERITY_BLOCK, at, e);
}

/* Block `index` of level 0 by way of raw[]: it is walked in order as a rule. What was read ahead is gone at an error.
 */
static int read_ahead(struct tree *t, uint64_t index, uint8_t *p, struct err *e)
{
	uint64_t left = t->at.level[0].blocks - index;

	if (index < t->ahead || index - t->ahead >= t->ahead_count) {
		uint64_t n = left < TREE_READ_AHEAD ? left : TREE_READ_AHEAD;
		t->ahead_count = 0;
		if (read_level(t, 0, index, t->raw, (size_t)n, e) < 0)
			return -1;
		t->ahead = index;
		t->ahead_count = n;
	}
	memcpy(p, t->raw[index - t->ahead], VERITY_BLOCK);
	return 0;
}

/* Puts block `index` of a level, which must hash to `want`, into the cache. */
static int load(struct tree *t, unsigned level, uint64_t index, const uint8_t want[SHA256_BYTES], struct err *e)
{
	uint8_t hash[SHA256_BYTES];
	uint8_t *p = t->block[level];

	if (t->cached[level] == index)
		return 0;
	t->cached[level] = TREE_NOTHING;
	if ((level == 0 ? read_ahead(t, index, p, e) : read_level(t, level, index, p, 1, e)) < 0)
		return err_prefix(e, "hash tree");
	tree_digest(t, p, hash);
	if (memcmp(hash, want, sizeof(hash)) != 0) {
		t->ahead_count = 0; /* the next one to ask looks at the disk again */
		return err_set(e, EBADMSG, "hash tree: block %llu of level %u is not what the root hash says",
		               (unsigned long long)index, level);
	}
	t->cached[level] = index;
	return 0;
}

/* What stands in level `down` for data block `block`: its hash (0), or that of a block of level 0 (1). */
static int find_hash(struct tree *t, uint64_t block, unsigned down, uint8_t hash[SHA256_BYTES], struct err *e)
{
	const uint8_t *want = t->root;

	if (block >= t->at.data_blocks)
		return err_set(e, EINVAL, "block %llu of an image of %llu", (unsigned long long)block,
		               (unsigned long long)t->at.data_blocks);
	for (unsigned level = t->at.levels; level-- > down;) {
		uint64_t entry = block >> (FANOUT_BITS * level); /* of this level, and below it a block */
		if (load(t, level, entry / TREE_FANOUT, want, e) < 0)
			return -1;
		want = t->block[level] + entry % TREE_FANOUT * SHA256_BYTES;
	}
	memcpy(hash, want, SHA256_BYTES);
	return 0;
}

int tree_hash(struct tree *t, uint64_t block, uint8_t hash[SHA256_BYTES], struct err *e)
{
	return find_hash(t, block, 0, hash, e);
}

int tree_leaf(struct tree *t, uint64_t index, uint8_t hash[SHA256_BYTES], struct err *e)
{
	return find_hash(t, index * TREE_FANOUT, 1, hash, e);
}

int tree_match(struct tree *t, uint64_t block, const uint8_t *p, size_t n, uint32_t *right, struct err *e)
{
	uint8_t hash[TREE_MATCH + 1][SHA256_BYTES], want[SHA256_BYTES];

	*right = 0;
	for (size_t i = 0; i < n; i += 2) { /* an odd one is its own other */
		const uint8_t *one = p + i * VERITY_BLOCK, *other = i + 1 < n ? one + VERITY_BLOCK : one;
		sha256_pair(&t->salted, one, other, VERITY_BLOCK, hash[i], hash[i + 1]);
	}
	for (size_t i = 0; i < n; i++) {
		if (tree_hash(t, block + i, want, e) < 0)
			return -1;
		*right |= (uint32_t)(memcmp(hash[i], want, sizeof(want)) == 0) << i;
	}
	return 0;
}

int tree_verify(struct tree *t, uint64_t block, const uint8_t *p, uint64_t n, struct err *e)
{
	uint32_t right;

	for (uint64_t done = 0; done < n; done += TREE_MATCH) {
		size_t some = n - done < TREE_MATCH ? (size_t)(n - done) : TREE_MATCH;
		if (tree_match(t, block + done, p + done * VERITY_BLOCK, some, &right, e) < 0)
			return -1;
		for (size_t i = 0; i < some; i++) {
			if (!(right >> i & 1))
				return err_set(e, EBADMSG, "block %llu of the image is not what its hash tree says",
				               (unsigned long long)(block + done + i));
		}
	}
	return 0;
}

int tree_check(struct tree *t, struct err *e)
{
	uint8_t hash[SHA256_BYTES];

	for (unsigned i = 0; i < TREE_LEVELS; i++)
		t->cached[i] = TREE_NOTHING; /* what is known does not count */
	if (check_super(t, e) < 0)
		return -1;
	/* Every block of level 0 once; those above are read on the way. */
	for (uint64_t block = 0; block < t->at.data_blocks; block += TREE_FANOUT) {
		if (tree_hash(t, block, hash, e) < 0)
			return -1;
	}
	return 0;
}
