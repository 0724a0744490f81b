/* The delta index: what it finds, what it may miss, damaged slots, and the plan that follows from it. */
#include "update/delta.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "fake/tree.h"

#define SALT 32

static struct err e;
static struct delta d;
static struct tree tree;
static struct fake_tree made;
static int slot = -1, now = -1;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	slot = memfd_create("slot", 0);
	now = memfd_create("now", 0);
	memset(&d, 0, sizeof(d));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(slot);
	close(now);
	delta_fini(&d);
	free(made.bytes);
	made.bytes = NULL;
	return 0;
}

/* Block `content` of all blocks that there are. */
static void hash_of(uint32_t content, uint8_t hash[SHA256_BYTES])
{
	sha256(&content, sizeof(content), hash);
}

/* A tree over the given contents, with `salt` in its superblock. */
static void make(const uint32_t *content, uint64_t blocks, uint8_t salt)
{
	uint8_t *hashes = malloc(blocks * SHA256_BYTES);

	assert_non_null(hashes);
	free(made.bytes);
	memset(&made, 0, sizeof(made));
	made.v.salt_len = SALT;
	memset(made.v.salt, salt, SALT);
	for (uint64_t i = 0; i < blocks; i++)
		hash_of(content[i], hashes + i * SHA256_BYTES);
	fake_tree_of(&made, hashes, blocks);
	free(hashes);
}

/* The running slot: an EROFS superblock that says how large the image is, and the tree behind it. */
static void make_slot(const uint32_t *content, uint64_t blocks, uint8_t salt)
{
	static const uint8_t magic[4] = {0xE2, 0xE1, 0xF5, 0xE0};
	uint8_t head[VERITY_BLOCK] = {0};

	make(content, blocks, salt);
	memcpy(head + 1024, magic, sizeof(magic));
	head[1024 + 12] = 12;
	for (unsigned i = 0; i < 4; i++)
		head[1024 + 36 + i] = (uint8_t)(blocks >> (8 * i));
	assert_int_equal(pwrite(slot, head, sizeof(head), 0), sizeof(head));
	assert_int_equal(pwrite(slot, made.bytes, made.len, (off_t)(blocks * VERITY_BLOCK)), made.len);
}

static void open_now(const uint32_t *content, uint64_t blocks)
{
	make(content, blocks, 0x5a);
	assert_int_equal(pwrite(now, made.bytes, made.len, 0), made.len);
	assert_int_equal(tree_open(&tree, now, 0, &made.v, made.root, &e), 0);
}

static int64_t find(uint32_t content)
{
	uint8_t hash[SHA256_BYTES];
	uint64_t block;

	hash_of(content, hash);
	return delta_find(&d, hash, &block) ? (int64_t)block : -1;
}

static void number(uint32_t *content, uint64_t blocks, uint32_t first)
{
	for (uint64_t i = 0; i < blocks; i++)
		content[i] = first + (uint32_t)i;
}

static struct verity salted(uint8_t byte)
{
	struct verity v = {.salt_len = SALT};

	memset(v.salt, byte, SALT);
	return v;
}

/* ---- the table ---- */

static void what_was_entered_is_found(void **state)
{
	uint8_t hash[SHA256_BYTES];

	(void)state;
	assert_int_equal(find(1), -1); /* all zero: empty */
	assert_int_equal(delta_init(&d, 100, &e), 0);
	for (uint32_t i = 0; i < 100; i++) {
		hash_of(i % 90, hash); /* the last ten are there already: the first stay */
		delta_add(&d, hash, 200 - i);
	}
	assert_int_equal(d.count, 90);
	for (uint32_t i = 0; i < 90; i++)
		assert_int_equal(find(i), 200 - i);
	for (uint32_t i = 90; i < 1000; i++)
		assert_int_equal(find(i), -1);
}

/* Hashes that somebody made to fall into one place cost a little time and are left out, nothing else. */
static void one_place_for_all(void **state)
{
	uint8_t hash[SHA256_BYTES] = {0};
	uint64_t block, found = 0;

	(void)state;
	assert_int_equal(delta_init(&d, 10000, &e), 0);
	for (uint32_t i = 0; i < 10000; i++) {
		memcpy(hash + 8, &i, sizeof(i));
		delta_add(&d, hash, i);
	}
	for (uint32_t i = 0; i < 10000; i++) {
		memcpy(hash + 8, &i, sizeof(i));
		if (delta_find(&d, hash, &block)) {
			assert_int_equal(block, i);
			found++;
		}
	}
	assert_int_equal(found, d.count);
	assert_int_equal(found, 256);
}

static void all_that_it_was_made_for(void **state)
{
	uint8_t hash[SHA256_BYTES];

	(void)state;
	assert_int_equal(delta_init(&d, 50000, &e), 0);
	for (uint32_t i = 0; i < 50000; i++) {
		hash_of(i, hash);
		delta_add(&d, hash, i);
	}
	assert_int_equal(d.count, 50000);
	for (uint32_t i = 0; i < 50000; i++)
		assert_int_equal(find(i), i);
}

static void more_than_it_was_made_for(void **state)
{
	uint8_t hash[SHA256_BYTES];

	(void)state;
	assert_int_equal(delta_init(&d, 3, &e), 0);
	for (uint32_t i = 0; i < 50; i++) {
		hash_of(i, hash);
		delta_add(&d, hash, i);
	}
	assert_int_equal(d.count, 3);
	assert_int_equal(find(2), 2);
	assert_int_equal(find(3), -1);
	delta_fini(&d);
	assert_int_equal(delta_init(&d, TREE_SLOT, &e), 0);
	assert_true(d.slots * 8 < 3 << 20);
	delta_fini(&d);
	assert_int_equal(delta_init(&d, TREE_SLOT + 1, &e), -1);
}

/* ---- the running slot ---- */

static void a_slot_is_read(void **state)
{
	static const uint64_t sizes[] = {2, 127, 128, 129, 2049, 128 * 128 + 1};
	static uint32_t content[128 * 128 + 1];

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		uint64_t n = sizes[s];
		struct verity v = salted(0x5a);
		number(content, n, 5);
		assert_int_equal(ftruncate(slot, 0), 0);
		make_slot(content, n, 0x5a);
		assert_int_equal(delta_read(&d, slot, &v, &e), 0);
		assert_int_equal(d.count, n);
		assert_int_equal(d.lost, 0);
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(find(5 + i), i);
		assert_int_equal(find(4), -1);
		assert_int_equal(find(5 + (uint32_t)n), -1);
		delta_fini(&d);
	}
}

static void another_salt_finds_nothing(void **state)
{
	struct verity v = salted(0x5b);
	uint32_t content[300];

	(void)state;
	number(content, 300, 0);
	make_slot(content, 300, 0x5a);
	assert_int_equal(delta_read(&d, slot, &v, &e), 0);
	assert_int_equal(d.count, 0);
	assert_int_equal(find(7), -1);
	v = salted(0x5a);
	v.salt_len--;
	assert_int_equal(delta_read(&d, slot, &v, &e), 0);
	assert_int_equal(d.count, 0);
}

static void no_slot_of_ours(void **state)
{
	struct verity v = salted(0x5a);
	uint32_t content[300];

	(void)state;
	assert_int_equal(delta_read(&d, slot, &v, &e), -1);
	assert_int_equal(find(7), -1);
	number(content, 300, 0);
	make_slot(content, 300, 0x5a);
	assert_int_equal(pwrite(slot, "x", 1, 300 * VERITY_BLOCK), 1);
	assert_int_equal(delta_read(&d, slot, &v, &e), -1);
	assert_int_equal(d.count, 0);
}

static uint64_t bad_from, bad_to;

static ssize_t damaged_pread(int fd, void *p, size_t n, off_t at)
{
	if (fd == slot && (uint64_t)at < bad_to && (uint64_t)at + n > bad_from) {
		errno = EIO;
		return -1;
	}
	return pread(fd, p, n, at);
}

static void a_damaged_tree_is_left_out(void **state)
{
	static uint32_t content[5000];
	struct verity v = salted(0x5a);
	const uint64_t leaves = 5000 + 2; /* behind the superblock and level 1 */

	(void)state;
	number(content, 5000, 0);
	make_slot(content, 5000, 0x5a);
	bad_from = (leaves + 20) * VERITY_BLOCK;
	bad_to = bad_from + 1;
	fake_pread = damaged_pread;
	assert_int_equal(delta_read(&d, slot, &v, &e), 0);
	assert_int_equal(d.count, 5000 - 128);
	assert_int_equal(d.lost, 128);
	assert_int_equal(find(20 * 128 - 1), 20 * 128 - 1);
	assert_int_equal(find(20 * 128), -1);
	assert_int_equal(find(21 * 128), 21 * 128);
	delta_fini(&d);
	bad_from = (leaves + 39) * VERITY_BLOCK; /* the last one, which is not full */
	bad_to = bad_from + 1;
	assert_int_equal(delta_read(&d, slot, &v, &e), 0);
	assert_int_equal(d.lost, 5000 - 39 * 128);
	assert_int_equal(d.count + d.lost, 5000);
}

/* ---- plan ---- */

static void plan(uint64_t gap, const struct blockset *done, struct blockset *here, struct delta_plan *p)
{
	assert_int_equal(delta_plan(&d, &tree, done, gap, here, p, &e), 0);
	assert_int_equal(p->done + p->local + p->missing, tree.at.data_blocks);
	assert_true(p->fetch >= p->missing && p->requests <= p->missing);
}

/* New: one block goes in at 100, 200 and 205 change, everything behind 100 moves by one. */
static void what_is_to_be_fetched(void **state)
{
	uint32_t content[301];
	struct verity v = salted(0x5a);
	struct blockset done, here;
	struct delta_plan p;

	(void)state;
	number(content, 300, 0);
	make_slot(content, 300, 0x5a);
	assert_int_equal(delta_read(&d, slot, &v, &e), 0);
	number(content + 101, 200, 100);
	content[100] = 9000;
	content[200] = 9001;
	content[205] = 9002;
	open_now(content, 301);
	assert_int_equal(blockset_init(&done, 301, &e), 0);
	assert_int_equal(blockset_init(&here, 301, &e), 0);

	plan(0, &done, &here, &p);
	assert_int_equal(p.local, 298);
	assert_int_equal(p.fetch, 3);
	assert_int_equal(p.requests, 3);
	assert_false(blockset_has(&here, 100) || blockset_has(&here, 200) || blockset_has(&here, 205));
	plan(4, &done, &here, &p);
	assert_int_equal(p.missing, 3);
	assert_int_equal(p.fetch, 1 + 6);
	assert_int_equal(p.requests, 2);
	/* An earlier install got as far as 203, and 250 was right by chance. */
	for (uint64_t i = 0; i < 203; i++)
		blockset_add(&done, i);
	blockset_add(&done, 250);
	plan(0, &done, &here, &p);
	assert_int_equal(p.done, 204);
	assert_int_equal(p.local, 301 - 204 - 1);
	assert_int_equal(p.requests, 1);
	blockset_fini(&done);
	blockset_fini(&here);
}

static void everything_and_nothing(void **state)
{
	static uint32_t content[1000];
	struct verity v = salted(0x5a);
	struct blockset done, here;
	struct delta_plan p;

	(void)state;
	number(content, 1000, 0);
	open_now(content, 1000);
	assert_int_equal(blockset_init(&done, 1000, &e), 0);
	assert_int_equal(blockset_init(&here, 1000, &e), 0);
	plan(DELTA_GAP, &done, &here, &p); /* an empty table */
	assert_int_equal(p.fetch, 1000);
	assert_int_equal(p.requests, 1);
	make_slot(content, 1000, 0x5a);
	assert_int_equal(delta_read(&d, slot, &v, &e), 0);
	plan(DELTA_GAP, &done, &here, &p); /* the same image */
	assert_int_equal(p.local, 1000);
	assert_int_equal(p.fetch, 0);
	assert_int_equal(p.requests, 0);
	blockset_fini(&done);
	blockset_fini(&here);
}

static void a_tree_that_lies_ends_the_plan(void **state)
{
	uint32_t content[300];
	struct blockset done, here;
	struct delta_plan p;

	(void)state;
	number(content, 300, 0);
	open_now(content, 300);
	assert_int_equal(pwrite(now, "x", 1, 3 * VERITY_BLOCK), 1);
	assert_int_equal(blockset_init(&done, 300, &e), 0);
	assert_int_equal(blockset_init(&here, 300, &e), 0);
	assert_int_equal(delta_plan(&d, &tree, &done, 0, &here, &p, &e), -1);
	assert_int_equal(e.code, EBADMSG);
	blockset_fini(&done);
	blockset_fini(&here);
}

static void hashes_of_the_slot(void **state)
{
	static uint32_t content[500];
	struct verity v = salted(0x5a);
	uint8_t leaf[VERITY_BLOCK], hash[SHA256_BYTES];

	(void)state;
	assert_false(delta_hashes(&d, 0, 1, leaf)); /* all zero: empty */
	number(content, 500, 0);
	make_slot(content, 500, 0x5a);
	assert_int_equal(delta_read(&d, slot, &v, &e), 0);
	assert_true(delta_hashes(&d, 100, 128, leaf));
	for (uint32_t i = 0; i < 128; i++) {
		hash_of(100 + i, hash);
		assert_memory_equal(leaf + i * SHA256_BYTES, hash, sizeof(hash));
	}
	assert_true(delta_hashes(&d, 499, 1, leaf));
	hash_of(499, hash);
	assert_memory_equal(leaf, hash, sizeof(hash));
	for (size_t i = SHA256_BYTES; i < sizeof(leaf); i++)
		assert_int_equal(leaf[i], 0);
	assert_false(delta_hashes(&d, 499, 2, leaf));
	assert_false(delta_hashes(&d, 500, 1, leaf));
	assert_false(delta_hashes(&d, UINT64_MAX, 128, leaf));
	bad_from = d.leaves;
	bad_to = bad_from + 1;
	fake_pread = damaged_pread;
	assert_false(delta_hashes(&d, 0, 128, leaf));
	assert_true(delta_hashes(&d, 1, 128, leaf));
}

/* Of 1000 missing blocks, gaps may make 1050. */
static void gaps_are_bridged_while_it_is_cheap(void **state)
{
	static const struct {
		uint64_t every, gap; /* so many blocks are missing, then a gap */
		uint64_t want, extra;
	} rows[] = {
		{1000, 8, 8, 0}, {200, 8, 8, 32}, {100, 8, 4, 0}, {50, 2, 8, 38},
		{30, 2, 1, 0},   {21, 1, 8, 47},  {3, 1, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t at = 0, fetch = 0;
		struct blockset here;
		assert_int_equal(blockset_init(&here, 4000, &e), 0);
		for (uint64_t missing = 0; missing < 1000; missing++) {
			if (missing > 0 && missing % rows[i].every == 0) {
				for (uint64_t k = 0; k < rows[i].gap; k++)
					blockset_add(&here, at++);
			}
			at++;
		}
		while (at < 4000)
			blockset_add(&here, at++);
		assert_int_equal(delta_gap(&here, &fetch), rows[i].want);
		assert_int_equal(fetch, 1000 + rows[i].extra);
		blockset_fini(&here);
	}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(what_was_entered_is_found),
		CASE(one_place_for_all),
		CASE(all_that_it_was_made_for),
		CASE(more_than_it_was_made_for),
		CASE(a_slot_is_read),
		CASE(another_salt_finds_nothing),
		CASE(no_slot_of_ours),
		CASE(a_damaged_tree_is_left_out),
		CASE(what_is_to_be_fetched),
		CASE(everything_and_nothing),
		CASE(a_tree_that_lies_ends_the_plan),
		CASE(hashes_of_the_slot),
		CASE(gaps_are_bridged_while_it_is_cheap),
	};

	return cmocka_run_group_tests_name("delta", tests, NULL, NULL);
}
