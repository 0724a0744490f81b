/* See tree.h. */
#include "fake/tree.h"

#include <stdlib.h>
#include <string.h>

#define HASHES (VERITY_BLOCK / SHA256_BYTES)

static void *zeroed(size_t n)
{
	void *p = calloc(1, n);

	if (!p)
		abort();
	return p;
}

void fake_tree_hash(const struct fake_tree *t, const uint8_t *block, uint8_t hash[SHA256_BYTES])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, t->v.salt, t->v.salt_len);
	sha256_add(&s, block, VERITY_BLOCK);
	sha256_end(&s, hash);
}

static void put_super(const struct fake_tree *t, uint8_t *p)
{
	memcpy(p, "verity", 6);
	p[8] = p[12] = 1;
	memcpy(p + 16, t->v.uuid, sizeof(t->v.uuid));
	memcpy(p + 32, "sha256", 6);
	p[65] = p[69] = VERITY_BLOCK >> 8;
	for (unsigned i = 0; i < 8; i++)
		p[72 + i] = (uint8_t)(t->v.data_blocks >> (8 * i));
	p[80] = (uint8_t)t->v.salt_len;
	p[81] = (uint8_t)(t->v.salt_len >> 8);
	memcpy(p + 88, t->v.salt, t->v.salt_len);
}

/* Puts `count` hash blocks over `hashes` in front of what t has, and their own hashes into `hashes`. */
static void put_level(struct fake_tree *t, uint8_t *hashes, uint64_t n, uint64_t count)
{
	uint8_t *level = zeroed(count * VERITY_BLOCK + t->len);

	memcpy(level, hashes, n * SHA256_BYTES);
	if (t->len > 0)
		memcpy(level + count * VERITY_BLOCK, t->bytes, t->len);
	free(t->bytes);
	t->bytes = level;
	t->len += count * VERITY_BLOCK;
	for (uint64_t i = 0; i < count; i++)
		fake_tree_hash(t, level + i * VERITY_BLOCK, hashes + i * SHA256_BYTES);
}

void fake_tree_of(struct fake_tree *t, const uint8_t *hashes, uint64_t blocks)
{
	uint8_t *now = zeroed(blocks * SHA256_BYTES), *whole;

	t->v.data_blocks = blocks;
	t->bytes = NULL;
	t->len = 0;
	memcpy(now, hashes, blocks * SHA256_BYTES);
	for (uint64_t n = blocks; n > 1; n = (n + HASHES - 1) / HASHES)
		put_level(t, now, n, (n + HASHES - 1) / HASHES);
	memcpy(t->root, now, sizeof(t->root));
	whole = zeroed(VERITY_BLOCK + t->len);
	put_super(t, whole);
	if (t->len > 0)
		memcpy(whole + VERITY_BLOCK, t->bytes, t->len);
	free(t->bytes);
	free(now);
	t->bytes = whole;
	t->len += VERITY_BLOCK;
}

void fake_tree_make(struct fake_tree *t, const uint8_t *image, uint64_t blocks)
{
	uint8_t *hashes = zeroed(blocks * SHA256_BYTES);

	for (uint64_t i = 0; i < blocks; i++)
		fake_tree_hash(t, image + i * VERITY_BLOCK, hashes + i * SHA256_BYTES);
	fake_tree_of(t, hashes, blocks);
	free(hashes);
}
