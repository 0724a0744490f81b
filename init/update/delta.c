/* What the running slot has of a new image, by hash. Used by the update's worker. */
#include "update/delta.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/str.h"
#include "update/blockio.h"

#define PROBES   256 /* places looked at for one hash; three quarters of the table are full: nine are the rule */
#define AT_ONCE  16  /* hash blocks read at once */
#define SMALLEST 16

/* 0 is an empty place, so that the table needs no filling at the start. */
struct delta_entry {
	uint32_t tag;
	uint32_t block_and_one;
};

int delta_init(struct delta *d, uint64_t blocks, struct err *e)
{
	uint64_t slots = blocks + blocks / 3;

	*d = (struct delta){0};
	if (blocks > TREE_SLOT)
		return err_set(e, EINVAL, "%llu blocks are more than a slot has", (unsigned long long)blocks);
	if (slots < SMALLEST)
		slots = SMALLEST;
	d->table = calloc(slots, sizeof(*d->table));
	if (!d->table)
		return err_set(e, ENOMEM, "no memory for an index of %llu blocks", (unsigned long long)blocks);
	d->slots = slots;
	d->blocks = blocks;
	return 0;
}

void delta_fini(struct delta *d)
{
	free(d->table);
	*d = (struct delta){0};
}

/* The place of this hash, or the empty one where it would be; NULL when neither is near. */
static struct delta_entry *entry_of(const struct delta *d, const uint8_t hash[SHA256_BYTES])
{
	uint64_t at = bytes_le32(hash) * d->slots >> 32; /* spread over all of the table */
	uint32_t tag = bytes_le32(hash + 8);

	for (unsigned i = 0; i < PROBES && i < d->slots; i++) {
		struct delta_entry *entry = &d->table[(at + i) % d->slots];
		if (entry->block_and_one == 0 || entry->tag == tag)
			return entry;
	}
	return NULL;
}

void delta_add(struct delta *d, const uint8_t hash[SHA256_BYTES], uint64_t block)
{
	struct delta_entry *entry = d->count < d->blocks ? entry_of(d, hash) : NULL;

	if (!entry || entry->block_and_one != 0)
		return;
	*entry = (struct delta_entry){bytes_le32(hash + 8), (uint32_t)block + 1};
	d->count++;
}

bool delta_find(const struct delta *d, const uint8_t hash[SHA256_BYTES], uint64_t *block)
{
	const struct delta_entry *entry = entry_of(d, hash);

	if (!entry || entry->block_and_one == 0)
		return false;
	*block = entry->block_and_one - 1;
	return true;
}

/* ---- the running slot ---- */

struct slot {
	int fd;
	struct tree_layout at;
	uint64_t leaves; /* byte of level 0 in fd */
};

/* Enters the hashes of n hash blocks, the first of which is `index` of level 0. */
static void add_leaves(struct delta *d, const struct slot *s, uint64_t index, const uint8_t *p, uint64_t n)
{
	uint64_t block = index * TREE_FANOUT;

	for (uint64_t i = 0; i < n * TREE_FANOUT && block < s->at.data_blocks; i++, block++)
		delta_add(d, p + i * SHA256_BYTES, block);
}

/* The same from the disk; where that fails, one by one, and what cannot be read is left out. */
static void read_leaves(struct delta *d, const struct slot *s, uint64_t index, uint64_t n)
{
	static _Alignas(VERITY_BLOCK) uint8_t leaves[AT_ONCE * VERITY_BLOCK];
	struct err e;

	if (blockio_read(s->fd, leaves, (size_t)n * VERITY_BLOCK, s->leaves + index * VERITY_BLOCK, &e) == 0) {
		add_leaves(d, s, index, leaves, n);
		return;
	}
	for (uint64_t i = index; i < index + n; i++) {
		uint64_t left = s->at.data_blocks - i * TREE_FANOUT;
		if (blockio_read(s->fd, leaves, VERITY_BLOCK, s->leaves + i * VERITY_BLOCK, &e) == 0)
			add_leaves(d, s, i, leaves, 1);
		else
			d->lost += left < TREE_FANOUT ? left : TREE_FANOUT;
	}
}

static bool same_salt(const struct verity *a, const struct verity *b)
{
	return a->salt_len == b->salt_len && memcmp(a->salt, b->salt, a->salt_len) == 0;
}

int delta_read(struct delta *d, int fd, const struct verity *salt, struct err *e)
{
	struct verity v;
	struct slot s = {.fd = fd};

	*d = (struct delta){0};
	if (verity_probe(fd, &v, e) < 0 || tree_layout(&s.at, v.data_blocks, e) < 0)
		return err_prefix(e, "running slot");
	if (!same_salt(&v, salt) || s.at.levels == 0)
		return 0;
	if (delta_init(d, v.data_blocks, e) < 0)
		return -1;
	/* hash_start is the block behind the superblock, which is block 0 of the layout. */
	s.leaves = (v.hash_start - 1 + s.at.level[0].first) * VERITY_BLOCK;
	d->fd = fd;
	d->leaves = s.leaves;
	for (uint64_t i = 0; i < s.at.level[0].blocks; i += AT_ONCE) {
		uint64_t left = s.at.level[0].blocks - i;
		read_leaves(d, &s, i, left < AT_ONCE ? left : AT_ONCE);
	}
	return 0;
}

bool delta_hashes(const struct delta *d, uint64_t first, uint64_t count, uint8_t leaf[VERITY_BLOCK])
{
	struct err unread;

	if (d->leaves == 0 || first > d->blocks || count > d->blocks - first)
		return false;
	memset(leaf, 0, VERITY_BLOCK);
	return blockio_read(d->fd, leaf, count * SHA256_BYTES, d->leaves + first * SHA256_BYTES, &unread) == 0;
}

/* ---- plan ---- */

static void count_runs(const struct blockset *here, uint64_t gap, struct delta_plan *p)
{
	struct run r;

	p->fetch = p->requests = 0;
	for (uint64_t from = 0; blockset_missing(here, from, gap, 0, &r); from = r.first + r.count) {
		p->fetch += r.count;
		p->requests++;
	}
}

uint64_t delta_gap(const struct blockset *here, uint64_t *fetch)
{
	const uint64_t missing = here->blocks - here->count;
	uint64_t gap = DELTA_GAP;
	struct delta_plan p;

	count_runs(here, gap, &p);
	while (gap > 0 && p.fetch - missing > missing / DELTA_SPARE) {
		gap /= 2;
		count_runs(here, gap, &p);
	}
	*fetch = p.fetch;
	return gap;
}

int delta_plan(const struct delta *d, struct tree *now, const struct blockset *done, uint64_t gap,
               struct blockset *here, struct delta_plan *p, struct err *e)
{
	uint8_t hash[SHA256_BYTES];
	uint64_t from;

	*p = (struct delta_plan){.done = done->count};
	blockset_copy(here, done);
	for (uint64_t i = 0; i < now->at.data_blocks; i++) {
		if (blockset_has(done, i))
			continue;
		if (tree_hash(now, i, hash, e) < 0)
			return -1;
		if (delta_find(d, hash, &from))
			blockset_add(here, i);
	}
	p->local = here->count - done->count;
	p->missing = here->blocks - here->count;
	count_runs(here, gap, p);
	return 0;
}
