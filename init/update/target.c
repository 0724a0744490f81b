/* Writes a new root to a slot, block by verified block. Runs in the update's worker, without privileges, on a
 * descriptor that it was given. Never decides what a slot is good for. */
#include "update/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"

#define STEP         (QUEUE_BYTES / VERITY_BLOCK) /* blocks that are read at once */
#define LOCAL_BLOCKS 64                           /* of the running slot: half of what one hash block covers */

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
	t->local = aligned_alloc(VERITY_BLOCK, (size_t)LOCAL_BLOCKS * VERITY_BLOCK);
	if (!t->local)
		return err_set(e, ENOMEM, "no memory to copy with");
	if (queue_init(&t->queue, fd, e) < 0)
		return -1;
	return blockset_init(&t->done, data_blocks, e);
}

void target_fini(struct target *t)
{
	blockset_fini(&t->done);
	queue_fini(&t->queue);
	free(t->local);
	t->local = NULL;
}

static void tell(const struct target *t, uint64_t blocks)
{
	if (t->progress)
		t->progress(t->owner, blocks);
}

/* ---- writing ---- */

static int write_batch(struct target *t, struct err *e)
{
	if (t->fill == 0)
		return 0;
	queue_write(&t->queue, t->fill, t->batch_at);
	t->fill = 0;
	if (queue_full(&t->queue) && queue_written(&t->queue, e) < 0)
		return err_prefix(e, "target");
	return 0;
}

/* Everything is on the disk, or in its cache. */
static int write_all(struct target *t, struct err *e)
{
	if (write_batch(t, e) < 0)
		return -1;
	while (t->queue.count > 0) {
		if (queue_written(&t->queue, e) < 0)
			return err_prefix(e, "target");
	}
	return 0;
}

/* Puts n bytes for byte `at` of the target into the batch. */
static int put(struct target *t, uint64_t at, const uint8_t *p, size_t n, struct err *e)
{
	if (t->batch_at + t->fill != at && write_batch(t, e) < 0)
		return -1;
	while (n > 0) {
		if (t->fill == QUEUE_BYTES && write_batch(t, e) < 0)
			return -1;
		if (t->fill == 0)
			t->batch_at = at;
		size_t take = n < QUEUE_BYTES - t->fill ? n : QUEUE_BYTES - t->fill;
		memcpy(queue_room(&t->queue) + t->fill, p, take);
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
	if (write_all(t, e) < 0)
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
	if (write_all(t, e) < 0)
		return -1;
	if (tree_open(&t->tree, t->fd, t->at.data_blocks * VERITY_BLOCK, want, root, e) < 0 ||
	    tree_check(&t->tree, e) < 0)
		return err_prefix(e, "target");
	return 0;
}

/* Which of n blocks (at most TREE_MATCH) at p are blocks `block` ..? An error is the tree's. */
static int match(struct target *t, uint64_t block, const uint8_t *p, size_t n, uint32_t *right, struct err *e)
{
	return tree_match(&t->tree, block, p, n, right, e) < 0 ? err_prefix(e, "target") : 0;
}

static size_t most(uint64_t n)
{
	return n < TREE_MATCH ? (size_t)n : TREE_MATCH;
}

/* ---- reading all of it ---- */

/* Looks at n blocks of which a read to p got `got` bytes; below 0: none. */
typedef int look_fn(struct target *t, uint64_t first, uint64_t n, uint8_t *p, ssize_t got, struct err *e);

/* How many blocks are read at once from `first` on. */
static uint64_t stretch_from(const struct target *t, uint64_t first)
{
	return t->at.data_blocks - first < STEP ? t->at.data_blocks - first : STEP;
}

/* Stretch by stretch; the next ones are on their way meanwhile. */
static int look_at_all(struct target *t, look_fn *look, struct err *e)
{
	uint64_t asked = 0, n;
	uint8_t *p;

	for (uint64_t first = 0; first < t->at.data_blocks; first += n) {
		while (asked < t->at.data_blocks && !queue_full(&t->queue)) {
			n = stretch_from(t, asked);
			queue_read(&t->queue, (size_t)n * VERITY_BLOCK, asked * VERITY_BLOCK);
			asked += n;
		}
		n = stretch_from(t, first);
		ssize_t got = queue_oldest(&t->queue, &p);
		if (look(t, first, n, p, got, e) < 0)
			return -1;
		queue_pop(&t->queue);
		tell(t, first + n);
	}
	return 0;
}

static int look_at(struct target *t, look_fn *look, struct err *e)
{
	int rc = look_at_all(t, look, e);
	queue_drop(&t->queue); /* of a walk that has ended early */
	return rc;
}

/* ---- what is there already ---- */

static int resume_blocks(struct target *t, uint64_t first, const uint8_t *p, uint64_t n, struct err *e)
{
	uint32_t right;
	size_t some;

	for (uint64_t at = 0; at < n; at += some) {
		some = most(n - at);
		if (match(t, first + at, p + at * VERITY_BLOCK, some, &right, e) < 0)
			return -1;
		for (size_t i = 0; i < some; i++) {
			if (right >> i & 1)
				blockset_add(&t->done, first + at + i);
		}
	}
	return 0;
}

/* At once, and one by one where that failed. */
static int resume_some(struct target *t, uint64_t first, uint64_t n, uint8_t *p, ssize_t got, struct err *e)
{
	struct err unread;

	if (got >= 0 && (uint64_t)got == n * VERITY_BLOCK)
		return resume_blocks(t, first, p, n, e);
	for (uint64_t i = first; i < first + n; i++) {
		if (blockio_read(t->fd, p, VERITY_BLOCK, i * VERITY_BLOCK, &unread) == 0 &&
		    resume_blocks(t, i, p, 1, e) < 0)
			return -1;
	}
	return 0;
}

int target_resume(struct target *t, struct err *e)
{
	return write_all(t, e) < 0 ? -1 : look_at(t, resume_some, e);
}

/* ---- from the running slot ---- */

/* Blocks `to` .. of the new image are blocks `from` .. of the running slot. */
struct stretch {
	uint64_t to, from, count;
};

static int take_local(struct target *t, uint64_t block, const uint8_t *p, size_t n, struct err *e)
{
	uint32_t right;

	if (match(t, block, p, n, &right, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		bool is = right >> i & 1;
		*(is ? &t->copied : &t->spoiled) += 1;
		if (is && put_block(t, block + i, p + i * VERITY_BLOCK, e) < 0)
			return -1;
	}
	return 0;
}

static int copy_stretch(struct target *t, const struct stretch *s, int source, struct err *e)
{
	struct err unread;
	off_t at = (off_t)(s->from * VERITY_BLOCK), len = (off_t)(s->count * VERITY_BLOCK);
	(void)sys_posix_fadvise(source, at + len, 1 << 20, POSIX_FADV_WILLNEED);
	bool whole = blockio_read(source, t->local, (size_t)len, (uint64_t)at, &unread) == 0;
	size_t n;

	for (uint64_t i = 0; i < s->count; i += n) {
		uint8_t *p = t->local + i * VERITY_BLOCK;
		n = whole ? most(s->count - i) : 1;
		if (!whole && blockio_read(source, p, VERITY_BLOCK, (s->from + i) * VERITY_BLOCK, &unread) < 0)
			t->spoiled++;
		else if (take_local(t, s->to + i, p, n, e) < 0)
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

	(void)sys_posix_fadvise(source, 0, 0, POSIX_FADV_SEQUENTIAL); /* the kernel reads further ahead */
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

/* Blocks t->next .. t->next + n - 1, which the image has. */
static int feed_blocks(struct target *t, const uint8_t *p, size_t n, struct err *e)
{
	uint32_t right;

	if (match(t, t->next, p, n, &right, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++, t->next++) {
		if (blockset_has(&t->done, t->next))
			continue;
		const uint8_t *block = p + i * VERITY_BLOCK;
		if (!(right >> i & 1)) /* says which, and that it is not */
			return tree_verify(&t->tree, t->next, block, 1, e);
		if (put_block(t, t->next, block, e) < 0)
			return -1;
	}
	return 0;
}

/* Bytes of a block that does not come whole. */
static int feed_part(struct target *t, const uint8_t *p, size_t n, struct err *e)
{
	memcpy(t->partial + t->part, p, n);
	t->part += n;
	if (t->part < VERITY_BLOCK)
		return 0;
	t->part = 0;
	return feed_blocks(t, t->partial, 1, e);
}

int target_feed(struct target *t, const void *data, size_t n, struct err *e)
{
	const uint8_t *p = data;
	size_t take;
	int rc;

	for (; n > 0; p += take, n -= take) {
		if (t->next >= t->at.data_blocks)
			return err_set(e, EFBIG, "more bytes than the image has");
		uint64_t left = t->at.data_blocks - t->next, whole = n / VERITY_BLOCK;
		if (t->part == 0 && whole > 0) { /* used where they are */
			take = most(whole < left ? whole : left);
			rc = feed_blocks(t, p, take, e);
			take *= VERITY_BLOCK;
		} else {
			take = n < VERITY_BLOCK - t->part ? n : VERITY_BLOCK - t->part;
			rc = feed_part(t, p, take, e);
		}
		if (rc < 0)
			return -1;
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

static int check_some(struct target *t, uint64_t first, uint64_t n, uint8_t *p, ssize_t got, struct err *e)
{
	uint64_t block = first;

	if (got < 0 || (uint64_t)got != n * VERITY_BLOCK) /* once more: of a read that fails this finds the block */
		got = verity_read(t->fd, &block, p, (size_t)n * VERITY_BLOCK, e);
	if (got < 0)
		return err_prefix(e, "read back");
	if ((uint64_t)got != n * VERITY_BLOCK)
		return err_set(e, EIO, "read back: block %llu: cut short", (unsigned long long)block);
	return tree_verify(&t->tree, first, p, n, e) < 0 ? err_prefix(e, "read back") : 0;
}

static int read_back(struct target *t, struct err *e)
{
	return tree_check(&t->tree, e) < 0 ? err_prefix(e, "read back") : look_at(t, check_some, e);
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
