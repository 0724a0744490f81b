/* Writes a new root to a slot, block by verified block. Runs in the update's worker, without privileges, on a
 * descriptor that it was given. Never decides what a slot is good for. */
#include "update/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"
#include "update/ahead.h"

#define STEP         (TARGET_BATCH / VERITY_BLOCK) /* blocks that are read at once */
#define LOCAL_BLOCKS 64                            /* of the running slot: half of what one hash block covers */

int target_init(struct target *t, int fd, uint64_t data_blocks, struct err *e)
{
	uint64_t bytes, needs;

	memset(t, 0, sizeof(*t));
	t->fd = fd;
	/* A worker that died while it read back has left direct access on: the flag is that of everybody who has fd. */
	if (tree_layout(&t->at, data_blocks, e) < 0 || blockio_size(fd, &bytes, e) < 0 ||
	    blockio_direct(fd, false, e) < 0)
		return err_prefix(e, "target");
	needs = (t->at.data_blocks + t->at.blocks) * VERITY_BLOCK;
	if (bytes < needs)
		return err_set(e, ENOSPC, "target has %llu bytes, the new root needs %llu", (unsigned long long)bytes,
		               (unsigned long long)needs);
	t->batch = aligned_alloc(VERITY_BLOCK, TARGET_BATCH);
	t->local = aligned_alloc(VERITY_BLOCK, TARGET_BATCH);
	if (!t->batch || !t->local)
		return err_set(e, ENOMEM, "no memory to write with");
	return blockset_init(&t->done, data_blocks, e);
}

void target_fini(struct target *t)
{
	blockset_fini(&t->done);
	free(t->batch);
	free(t->local);
	t->batch = t->local = NULL;
}

static void tell(const struct target *t, uint64_t blocks)
{
	if (t->progress)
		t->progress(t->owner, blocks);
}

/* ---- writing ---- */

static int write_batch(struct target *t, struct err *e)
{
	size_t n = t->fill;

	if (n == 0)
		return 0;
	t->fill = 0;
	if (blockio_write(t->fd, t->batch, n, t->batch_at, e) < 0 ||
	    blockio_settle(t->fd, &t->under_way, t->batch_at, n, TARGET_DIRTY, e) < 0)
		return err_prefix(e, "target");
	return 0;
}

/* Puts n bytes for byte `at` of the target into the batch. */
static int put(struct target *t, uint64_t at, const uint8_t *p, size_t n, struct err *e)
{
	if (t->batch_at + t->fill != at && write_batch(t, e) < 0)
		return -1;
	while (n > 0) {
		if (t->fill == TARGET_BATCH && write_batch(t, e) < 0)
			return -1;
		if (t->fill == 0)
			t->batch_at = at;
		size_t take = n < TARGET_BATCH - t->fill ? n : TARGET_BATCH - t->fill;
		memcpy(t->batch + t->fill, p, take);
		t->fill += take;
		at += take;
		p += take;
		n -= take;
	}
	return 0;
}

static int put_block(struct target *t, uint64_t block, const uint8_t *p, struct err *e)
{
	if (put(t, block * VERITY_BLOCK, p, VERITY_BLOCK, e) < 0)
		return -1;
	blockset_add(&t->done, block);
	return 0;
}

int target_flush(struct target *t, struct err *e)
{
	if (write_batch(t, e) < 0)
		return -1;
	return sys_fsync(t->fd) < 0 ? err_sys(e, "target: flush") : 0;
}

/* ---- the tree ---- */

int target_tree(struct target *t, const void *p, size_t n, struct err *e)
{
	uint64_t all = t->at.blocks * VERITY_BLOCK;

	if (n > all - t->tree_bytes)
		return err_set(e, EFBIG, "hash tree of more than %llu bytes", (unsigned long long)all);
	if (put(t, t->at.data_blocks * VERITY_BLOCK + t->tree_bytes, p, n, e) < 0)
		return -1;
	t->tree_bytes += n;
	return 0;
}

int target_open(struct target *t, const struct verity *want, const uint8_t root[SHA256_BYTES], struct err *e)
{
	if (want->data_blocks != t->at.data_blocks)
		return err_set(e, EINVAL, "target of another size");
	if (write_batch(t, e) < 0)
		return -1;
	if (tree_open(&t->tree, t->fd, t->at.data_blocks * VERITY_BLOCK, want, root, e) < 0 ||
	    tree_check(&t->tree, e) < 0)
		return err_prefix(e, "target");
	return 0;
}

/* Is p block `block`? An error is the tree's. */
static int is_block(struct target *t, uint64_t block, const uint8_t *p, bool *is, struct err *e)
{
	uint8_t want[SHA256_BYTES], hash[SHA256_BYTES];

	if (tree_hash(&t->tree, block, want, e) < 0)
		return err_prefix(e, "target");
	tree_digest(&t->tree, p, hash);
	*is = memcmp(hash, want, sizeof(hash)) == 0;
	return 0;
}

/* ---- what is there already ---- */

/* How many blocks are read at once from `first` on. */
static uint64_t stretch_from(const struct target *t, uint64_t first)
{
	return t->at.data_blocks - first < STEP ? t->at.data_blocks - first : STEP;
}

/* Looks at n blocks that were read to p. */
static int resume_blocks(struct target *t, uint64_t first, const uint8_t *p, uint64_t n, struct err *e)
{
	bool is;

	for (uint64_t i = 0; i < n; i++) {
		if (is_block(t, first + i, p + i * VERITY_BLOCK, &is, e) < 0)
			return -1;
		if (is)
			blockset_add(&t->done, first + i);
	}
	return 0;
}

/* Blocks first .. first + n - 1: at once, and one by one where that fails. */
static int resume_some(struct target *t, uint64_t first, uint64_t n, struct err *e)
{
	struct err unread;

	if (blockio_read(t->fd, t->batch, (size_t)n * VERITY_BLOCK, first * VERITY_BLOCK, &unread) == 0)
		return resume_blocks(t, first, t->batch, n, e);
	for (uint64_t i = first; i < first + n; i++) {
		if (blockio_read(t->fd, t->batch, VERITY_BLOCK, i * VERITY_BLOCK, &unread) == 0 &&
		    resume_blocks(t, i, t->batch, 1, e) < 0)
			return -1;
	}
	return 0;
}

int target_resume(struct target *t, struct err *e)
{
	if (write_batch(t, e) < 0) /* its memory is used here */
		return -1;
	for (uint64_t first = 0; first < t->at.data_blocks; first += STEP) {
		uint64_t n = stretch_from(t, first);
		if (resume_some(t, first, n, e) < 0)
			return -1;
		(void)sys_posix_fadvise(t->fd, (off_t)(first * VERITY_BLOCK), (off_t)(n * VERITY_BLOCK),
		                        POSIX_FADV_DONTNEED);
		tell(t, first + n);
	}
	return 0;
}

/* ---- from the running slot ---- */

/* Blocks `to` .. of the new image are blocks `from` .. of the running slot. */
struct stretch {
	uint64_t to, from, count;
};

static int take_local(struct target *t, uint64_t block, const uint8_t *p, struct err *e)
{
	bool is;

	if (is_block(t, block, p, &is, e) < 0)
		return -1;
	if (!is) {
		t->spoiled++;
		return 0;
	}
	t->copied++;
	return put_block(t, block, p, e);
}

static int copy_stretch(struct target *t, const struct stretch *s, int source, struct err *e)
{
	struct err unread;
	off_t at = (off_t)(s->from * VERITY_BLOCK), len = (off_t)(s->count * VERITY_BLOCK);
	bool whole = blockio_read(source, t->local, (size_t)len, (uint64_t)at, &unread) == 0;

	for (uint64_t i = 0; i < s->count; i++) {
		uint8_t *p = t->local + i * VERITY_BLOCK;
		if (!whole && blockio_read(source, p, VERITY_BLOCK, (s->from + i) * VERITY_BLOCK, &unread) < 0)
			t->spoiled++;
		else if (take_local(t, s->to + i, p, e) < 0)
			return -1;
	}
	(void)sys_posix_fadvise(source, at, len, POSIX_FADV_DONTNEED);
	return 0;
}

/* The longest stretch that begins with block `to`; count 0: the running slot does not have it. It ends with a group of
 * LOCAL_BLOCKS, so that checking it needs no other hash block than finding it did. */
static int find_stretch(struct target *t, const struct delta *d, uint64_t to, struct stretch *s, struct err *e)
{
	uint64_t end = (to / LOCAL_BLOCKS + 1) * LOCAL_BLOCKS, from;
	uint8_t hash[SHA256_BYTES];

	*s = (struct stretch){.to = to};
	for (uint64_t i = to; i < end && i < t->at.data_blocks && !blockset_has(&t->done, i); i++) {
		if (tree_hash(&t->tree, i, hash, e) < 0)
			return err_prefix(e, "target");
		if (!delta_find(d, hash, &from) || (s->count > 0 && from != s->from + s->count))
			return 0;
		if (s->count++ == 0)
			s->from = from;
	}
	return 0;
}

int target_copy(struct target *t, const struct delta *d, int source, struct err *e)
{
	struct stretch s;

	for (uint64_t block = 0; block < t->at.data_blocks;) {
		if (find_stretch(t, d, block, &s, e) < 0)
			return -1;
		if (s.count > 0 && copy_stretch(t, &s, source, e) < 0)
			return -1;
		block += s.count > 0 ? s.count : 1;
		if (block % LOCAL_BLOCKS == 0 || block == t->at.data_blocks)
			tell(t, block);
	}
	return 0;
}

/* ---- from outside ---- */

void target_seek(struct target *t, uint64_t block)
{
	t->next = block;
	t->part = 0;
}

static int feed_block(struct target *t, const uint8_t *p, struct err *e)
{
	bool is;

	if (!blockset_has(&t->done, t->next)) {
		if (is_block(t, t->next, p, &is, e) < 0)
			return -1;
		if (!is)
			return err_set(e, EBADMSG, "block %llu of the image is not what its hash tree says",
			               (unsigned long long)t->next);
		if (put_block(t, t->next, p, e) < 0)
			return -1;
	}
	t->next++;
	return 0;
}

int target_feed(struct target *t, const void *data, size_t n, struct err *e)
{
	const uint8_t *p = data;

	while (n > 0) {
		size_t take = VERITY_BLOCK - t->part;
		if (t->next >= t->at.data_blocks)
			return err_set(e, EFBIG, "more bytes than the image has");
		take = n < take ? n : take;
		if (take < VERITY_BLOCK) { /* whole ones are used where they are */
			memcpy(t->partial + t->part, p, take);
			t->part += take;
		}
		if (t->part == VERITY_BLOCK || take == VERITY_BLOCK) {
			t->part = 0;
			if (feed_block(t, take == VERITY_BLOCK ? p : t->partial, e) < 0)
				return -1;
		}
		p += take;
		n -= take;
	}
	return 0;
}

/* ---- reading back ---- */

static int check_missing(const struct target *t, struct err *e)
{
	struct run r;

	if (!blockset_missing(&t->done, 0, 0, 0, &r))
		return 0;
	return err_set(e, ENODATA, "block %llu and %llu others of the image are missing", (unsigned long long)r.first,
	               (unsigned long long)(t->done.blocks - t->done.count - 1));
}

/* Checks n blocks of which a read to p got `got` bytes. */
static int check_some(struct target *t, uint64_t first, uint64_t n, uint8_t *p, ssize_t got, struct err *e)
{
	uint64_t block = first;

	if (got < 0 || (uint64_t)got != n * VERITY_BLOCK) /* once more: of a read that fails this finds the block */
		got = verity_read(t->fd, &block, p, (size_t)n * VERITY_BLOCK, e);
	if (got < 0)
		return err_prefix(e, "read back");
	if ((uint64_t)got != n * VERITY_BLOCK)
		return err_set(e, EIO, "read back: block %llu: cut short", (unsigned long long)block);
	for (uint64_t i = 0; i < n; i++) {
		if (tree_verify(&t->tree, first + i, p + i * VERITY_BLOCK, e) < 0)
			return err_prefix(e, "read back");
	}
	tell(t, first + n);
	return 0;
}

static void start(const struct target *t, struct ahead *a, uint8_t *p, uint64_t first)
{
	if (first < t->at.data_blocks)
		ahead_start(a, p, (size_t)stretch_from(t, first) * VERITY_BLOCK, first * VERITY_BLOCK);
}

/* One stretch is on its way while the one before is hashed. */
static int read_back_all(struct target *t, struct ahead *a, struct err *e)
{
	uint8_t *now = t->batch, *next = t->local;

	start(t, a, now, 0);
	for (uint64_t first = 0; first < t->at.data_blocks; first += STEP) {
		ssize_t got = ahead_take(a);
		start(t, a, next, first + STEP);
		if (check_some(t, first, stretch_from(t, first), now, got, e) < 0)
			return -1;
		uint8_t *checked = now;
		now = next;
		next = checked;
	}
	return 0;
}

static int read_back(struct target *t, struct err *e)
{
	struct ahead a;

	if (tree_check(&t->tree, e) < 0)
		return err_prefix(e, "read back");
	ahead_init(&a, t->fd);
	int rc = read_back_all(t, &a, e);
	ahead_fini(&a);
	return rc;
}

int target_finish(struct target *t, struct err *e)
{
	struct err ignored;

	if (target_flush(t, e) < 0 || check_missing(t, e) < 0)
		return -1;
	if (blockio_direct(t->fd, true, e) < 0)
		return err_prefix(e, "read back");
	int rc = read_back(t, e);
	return blockio_direct(t->fd, false, rc < 0 ? &ignored : e) < 0 ? -1 : rc;
}
