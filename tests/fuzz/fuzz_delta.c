/* update/delta and update/blockset against what they mean: a block is at hand when the running slot has its content
 * anywhere or the target has it already; runs hold every missing block once and begin and end with one.
 *
 * Input: uint8 gap, uint8 longest run, uint16 blocks of the running slot, uint16 of the new image, then a byte for each
 * block (its content), the running slot's first. The highest bit of a new one's: it is on the target already. */
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake/tree.h"
#include "fuzz/check.h"
#include "update/delta.h"

#define BLOCKS_MAX 4096

static struct tree tree;

static void make_tree(struct fake_tree *t, const uint8_t *content, uint64_t blocks)
{
	uint8_t *hashes = malloc(blocks * SHA256_BYTES);

	FUZZ_CHECK(hashes);
	memset(t, 0, sizeof(*t));
	for (uint64_t i = 0; i < blocks; i++)
		sha256(&(uint8_t){content[i] & 0x7f}, 1, hashes + i * SHA256_BYTES);
	fake_tree_of(t, hashes, blocks);
	free(hashes);
}

static int make_slot(const struct fake_tree *t)
{
	static const uint8_t magic[4] = {0xE2, 0xE1, 0xF5, 0xE0};
	uint8_t head[VERITY_BLOCK] = {0};
	int fd = memfd_create("slot", 0);

	memcpy(head + 1024, magic, sizeof(magic));
	head[1024 + 12] = 12;
	memcpy(head + 1024 + 36, &(uint32_t){(uint32_t)t->v.data_blocks}, 4);
	FUZZ_CHECK(pwrite(fd, head, sizeof(head), 0) == sizeof(head));
	FUZZ_CHECK(pwrite(fd, t->bytes, t->len, (off_t)(t->v.data_blocks * VERITY_BLOCK)) == (ssize_t)t->len);
	return fd;
}

static void check_runs(const struct blockset *s, uint64_t gap, uint64_t max)
{
	uint64_t seen = 0, end = 0;
	struct run r;

	for (uint64_t from = 0; blockset_missing(s, from, gap, max, &r); from = end) {
		FUZZ_CHECK(r.count > 0 && r.first >= end && r.first + r.count <= s->blocks);
		FUZZ_CHECK(max == 0 || r.count <= max);
		FUZZ_CHECK(!blockset_has(s, r.first) && !blockset_has(s, r.first + r.count - 1));
		for (uint64_t i = end; i < r.first; i++)
			FUZZ_CHECK(blockset_has(s, i));
		end = r.first + r.count;
		for (uint64_t i = r.first, held = 0; i < end; i++) {
			held = blockset_has(s, i) ? held + 1 : 0;
			FUZZ_CHECK(held <= gap);
			seen += !blockset_has(s, i);
		}
	}
	FUZZ_CHECK(seen == s->blocks - s->count);
}

static void check_plan(struct delta *d, const uint8_t *old, uint64_t old_n, const uint8_t *new, uint64_t new_n,
                       const uint8_t *options)
{
	struct blockset done = {0}, here = {0};
	struct delta_plan p;
	struct err e = {0};
	bool has[128] = {false};

	for (uint64_t i = 0; i < old_n && old_n > 1; i++)
		has[old[i] & 0x7f] = true;
	FUZZ_CHECK(blockset_init(&done, new_n, &e) == 0 && blockset_init(&here, new_n, &e) == 0);
	for (uint64_t i = 0; i < new_n; i++) {
		if (new[i] & 0x80)
			blockset_add(&done, i);
	}
	FUZZ_CHECK(delta_plan(d, &tree, &done, options[0], &here, &p, &e) == 0);
	for (uint64_t i = 0; i < new_n; i++)
		FUZZ_CHECK(blockset_has(&here, i) == (new[i] & 0x80 || has[new[i]]));
	FUZZ_CHECK(p.done == done.count && p.done + p.local == here.count && p.missing == new_n - here.count);
	FUZZ_CHECK(p.fetch >= p.missing && p.fetch <= new_n && p.requests <= p.missing);
	check_runs(&here, options[0], options[1]);
	blockset_fini(&done);
	blockset_fini(&here);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake_tree old, new;
	struct delta d;
	struct err e = {0};
	uint16_t old_n, new_n;

	if (size < 6)
		return 0;
	memcpy(&old_n, data + 2, 2);
	memcpy(&new_n, data + 4, 2);
	if (old_n == 0 || new_n == 0 || old_n > BLOCKS_MAX || new_n > BLOCKS_MAX || size - 6 < (size_t)old_n + new_n)
		return 0;
	make_tree(&old, data + 6, old_n);
	make_tree(&new, data + 6 + old_n, new_n);
	int slot = make_slot(&old), now = memfd_create("now", 0);
	FUZZ_CHECK(pwrite(now, new.bytes, new.len, 0) == (ssize_t) new.len);
	FUZZ_CHECK(tree_open(&tree, now, 0, &new.v, new.root, &e) == 0);
	FUZZ_CHECK(delta_read(&d, slot, &new.v, &e) == 0 && d.lost == 0);
	check_plan(&d, data + 6, old_n, data + 6 + old_n, new_n, data);
	delta_fini(&d);
	free(old.bytes);
	free(new.bytes);
	close(slot);
	close(now);
	return 0;
}
