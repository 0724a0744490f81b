/* Leaves of a hash tree from what is at hand, and what to ask for besides. Used by the update's worker. */
#include "update/leaves.h"

#include <errno.h>
#include <string.h>

#include "update/blockio.h"

#define TRIES   16  /* hashes of a neighbour that say where to look: some may be of blocks that are new, or anywhere */
#define WHOLE   2   /* a run of so many is not worth a closer look */
#define SPAN    256 /* of one request, and of what is looked at as one run: 1 MiB */
#define NOWHERE UINT64_MAX

int leaves_init(struct leaves *l, struct tree *t, const struct delta *old, struct err *e)
{
	*l = (struct leaves){.tree = t, .old = old};
	return blockset_init(&l->have, t->at.level[0].blocks, e);
}

void leaves_fini(struct leaves *l)
{
	blockset_fini(&l->have);
}

bool leaves_all(const struct leaves *l)
{
	return l->have.count == l->have.blocks;
}

static uint64_t place(const struct leaves *l, uint64_t index)
{
	return l->tree->offset + (l->tree->at.level[0].first + index) * VERITY_BLOCK;
}

/* Hashes in it. */
static uint64_t count(const struct leaves *l, uint64_t index)
{
	uint64_t left = l->tree->at.data_blocks - index * TREE_FANOUT;

	return left < TREE_FANOUT ? left : TREE_FANOUT;
}

static int is_leaf(struct leaves *l, uint64_t index, const uint8_t *p, bool *is, struct err *e)
{
	uint8_t want[SHA256_BYTES], hash[SHA256_BYTES];

	if (tree_leaf(l->tree, index, want, e) < 0)
		return err_prefix(e, "root.verity");
	tree_digest(l->tree, p, hash);
	*is = memcmp(hash, want, sizeof(hash)) == 0;
	return 0;
}

static int put(struct leaves *l, uint64_t index, const uint8_t *p, struct err *e)
{
	if (blockio_write(l->tree->fd, p, VERITY_BLOCK, place(l, index), e) < 0)
		return err_prefix(e, "hash tree");
	blockset_add(&l->have, index);
	return 0;
}

int leaves_put(struct leaves *l, uint64_t index, const uint8_t p[VERITY_BLOCK], struct err *e)
{
	bool is;

	if (index >= l->have.blocks)
		return err_set(e, EFBIG, "the hash tree has no block %llu of level 0", (unsigned long long)index);
	if (is_leaf(l, index, p, &is, e) < 0)
		return -1;
	if (!is)
		return err_set(e, EBADMSG,
		               "root.verity: hash tree: block %llu of level 0 is not what the root hash says",
		               (unsigned long long)index);
	return put(l, index, p, e);
}

int leaves_resume(struct leaves *l, struct err *e)
{
	uint8_t leaf[VERITY_BLOCK];
	struct err unread;
	bool is;

	for (uint64_t i = 0; i < l->have.blocks; i++) {
		if (blockio_read(l->tree->fd, leaf, sizeof(leaf), place(l, i), &unread) < 0)
			continue;
		if (is_leaf(l, i, leaf, &is, e) < 0)
			return -1;
		if (is)
			blockset_add(&l->have, i);
	}
	return 0;
}

/* --- guesses ---------------------------------------------------------------------------------- */

/* Is it the hashes of the running slot's blocks from `from` on? */
static int try_from(struct leaves *l, uint64_t index, uint64_t from, struct err *e)
{
	uint8_t leaf[VERITY_BLOCK];
	bool is;

	if (!delta_hashes(l->old, from, count(l, index), leaf))
		return 0;
	if (is_leaf(l, index, leaf, &is, e) < 0)
		return -1;
	return is ? put(l, index, leaf, e) : 0;
}

/* By what is known of leaf `beside`, which is the one before or behind it: from its near edge on. */
static int try_beside(struct leaves *l, uint64_t index, uint64_t beside, struct err *e)
{
	const uint64_t n = count(l, beside);
	uint64_t at, last = NOWHERE;
	uint8_t leaf[VERITY_BLOCK];

	if (blockio_read(l->tree->fd, leaf, sizeof(leaf), place(l, beside), e) < 0)
		return err_prefix(e, "hash tree");
	for (uint64_t i = 0; i < TRIES && i < n && !blockset_has(&l->have, index); i++) {
		uint64_t entry = beside < index ? n - 1 - i : i;
		if (!delta_find(l->old, leaf + entry * SHA256_BYTES, &at))
			continue;
		/* May wrap: then it is far behind the end, and none. */
		uint64_t from = at + index * TREE_FANOUT - (beside * TREE_FANOUT + entry);
		if (from != last && try_from(l, index, from, e) < 0)
			return -1;
		last = from;
	}
	return 0;
}

static bool is_open(const struct leaves *l, uint64_t index, uint64_t beside)
{
	return !blockset_has(&l->have, index) && beside < l->have.blocks && blockset_has(&l->have, beside);
}

int leaves_guess(struct leaves *l, struct err *e)
{
	const uint64_t n = l->have.blocks;

	l->next = 0;
	if (l->old->count == 0)
		return 0;
	for (uint64_t i = 0; i < n; i++) {
		if (!blockset_has(&l->have, i) && try_from(l, i, i * TREE_FANOUT, e) < 0)
			return -1;
	}
	for (uint64_t i = 0; i < n; i++) {
		if (is_open(l, i, i - 1) && try_beside(l, i, i - 1, e) < 0)
			return -1;
	}
	for (uint64_t i = n; i-- > 0;) {
		if (is_open(l, i, i + 1) && try_beside(l, i, i + 1, e) < 0)
			return -1;
	}
	return 0;
}

/* --- what to ask for -------------------------------------------------------------------------- */

bool leaves_next(struct leaves *l, struct run *r)
{
	if (!blockset_missing(&l->have, l->next, 0, SPAN, r))
		return false;
	l->next = r->first + r->count;
	if (l->old->count == 0 || r->count <= WHOLE)
		return true;
	*r = (struct run){r->first + r->count / 2, 1};
	return true;
}
