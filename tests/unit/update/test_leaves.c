/* init/update/leaves.c: how much of a new tree comes from outside, and that nothing wrong comes in. */
#include "update/leaves.h"

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

#define BLOCKS 40000 /* 313 leaves, three levels */
#define MORE   64    /* that the new one may have besides */
#define OFFSET 8192  /* of root.verity in its file */

static struct err e;
static struct delta d;
static struct tree tree;
static struct leaves l;
static struct fake_tree made;
static uint32_t content[BLOCKS + MORE];
static int slot = -1, now = -1;
static uint64_t fetched, rounds;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	slot = memfd_create("slot", 0);
	now = memfd_create("now", 0);
	memset(&d, 0, sizeof(d));
	memset(&l, 0, sizeof(l));
	for (uint32_t i = 0; i < BLOCKS + MORE; i++)
		content[i] = i;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	close(slot);
	close(now);
	delta_fini(&d);
	leaves_fini(&l);
	free(made.bytes);
	made.bytes = NULL;
	return 0;
}

static void make_tree(struct fake_tree *t, const uint32_t *of, uint64_t blocks)
{
	uint8_t *hashes = malloc(blocks * SHA256_BYTES);

	assert_non_null(hashes);
	memset(t, 0, sizeof(*t));
	t->v.salt_len = 32;
	memset(t->v.salt, 0x5a, 32);
	for (uint64_t i = 0; i < blocks; i++)
		sha256(&of[i], sizeof(of[i]), hashes + i * SHA256_BYTES);
	fake_tree_of(t, hashes, blocks);
	free(hashes);
}

/* The running slot, of what is in content. Its first block is that of an image of so many. */
static void run_slot(uint64_t blocks)
{
	static const uint8_t magic[] = {0xE2, 0xE1, 0xF5, 0xE0};
	uint8_t head[VERITY_BLOCK] = {0};
	struct fake_tree t;

	make_tree(&t, content, blocks);
	memcpy(head + 1024, magic, sizeof(magic));
	head[1024 + 12] = 12;
	memcpy(head + 1024 + 36, &(uint32_t){(uint32_t)blocks}, 4);
	assert_int_equal(pwrite(slot, head, sizeof(head), 0), sizeof(head));
	assert_int_equal(pwrite(slot, t.bytes, t.len, (off_t)(blocks * VERITY_BLOCK)), t.len);
	assert_int_equal(delta_read(&d, slot, &t.v, &e), 0);
	free(t.bytes);
}

/* The new tree, of what is in content: all above level 0 is there. */
static void begin(uint64_t blocks)
{
	struct tree_layout at;

	make_tree(&made, content, blocks);
	assert_int_equal(tree_layout(&at, blocks, &e), 0);
	assert_int_equal(pwrite(now, made.bytes, at.level[0].first * VERITY_BLOCK, OFFSET),
	                 at.level[0].first * VERITY_BLOCK);
	assert_int_equal(tree_open(&tree, now, OFFSET, &made.v, made.root, &e), 0);
	assert_int_equal(leaves_init(&l, &tree, &d, &e), 0);
}

static const uint8_t *leaf_of(uint64_t index)
{
	return made.bytes + (tree.at.level[0].first + index) * VERITY_BLOCK;
}

static void finish(void)
{
	struct run r;

	fetched = rounds = 0;
	assert_int_equal(leaves_resume(&l, &e), 0);
	assert_int_equal(leaves_guess(&l, &e), 0);
	for (; !leaves_all(&l); rounds++) {
		uint64_t before = fetched, end = 0;
		while (leaves_next(&l, &r)) {
			assert_true(r.count > 0 && r.first >= end && r.first + r.count <= tree.at.level[0].blocks);
			end = r.first + r.count;
			for (uint64_t i = r.first; i < end; i++, fetched++)
				assert_int_equal(leaves_put(&l, i, leaf_of(i), &e), 0);
		}
		assert_true(fetched > before);
		assert_int_equal(leaves_guess(&l, &e), 0);
	}
	assert_int_equal(tree_check(&tree, &e), 0);
	uint8_t *all = malloc(made.len);
	assert_non_null(all);
	assert_int_equal(pread(now, all, made.len, OFFSET), made.len);
	assert_memory_equal(all, made.bytes, made.len);
	free(all);
}

/* n blocks go in at `at`, all behind it moves. */
static void insert(uint64_t at, uint64_t n)
{
	static uint32_t fresh = 1000000;

	memmove(content + at + n, content + at, (BLOCKS + MORE - at - n) * sizeof(content[0]));
	for (uint64_t i = 0; i < n; i++)
		content[at + i] = fresh++;
}

static void the_same_tree_needs_nothing(void **state)
{
	(void)state;
	run_slot(BLOCKS);
	begin(BLOCKS);
	finish();
	assert_int_equal(fetched, 0);
}

static void some_changes_are_some_leaves(void **state)
{
	(void)state;
	run_slot(BLOCKS);
	content[0] = content[5000] = content[5001] = content[BLOCKS - 1] = 77777777;
	begin(BLOCKS);
	finish();
	assert_int_equal(fetched, 3);
	assert_int_equal(rounds, 1);
}

static void what_moved_is_found(void **state)
{
	(void)state;
	run_slot(BLOCKS);
	insert(10000, 1);
	insert(20000, 40);
	insert(30000, 3);
	begin(BLOCKS + 44);
	finish();
	assert_true(fetched >= 3 && fetched <= 32);
	assert_true(rounds <= 6);
}

static void blocks_that_went_are_found_too(void **state)
{
	(void)state;
	run_slot(BLOCKS);
	memmove(content + 300, content + 1000, (BLOCKS - 1000) * sizeof(content[0]));
	begin(BLOCKS - 700);
	finish();
	assert_true(fetched >= 1 && fetched <= 16);
}

/* Blocks of zeros stand everywhere: what they say of the place is wrong. */
static void equal_blocks_do_not_mislead(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < BLOCKS; i += 4)
		content[i] = 5;
	run_slot(BLOCKS);
	insert(100, 5);
	begin(BLOCKS + 5);
	finish();
	assert_true(fetched >= 1 && fetched <= 16);
}

static void another_image_comes_whole(void **state)
{
	(void)state;
	run_slot(BLOCKS);
	for (uint32_t i = 0; i < BLOCKS; i++)
		content[i] += 500000;
	begin(BLOCKS);
	finish();
	assert_int_equal(fetched, tree.at.level[0].blocks);
	assert_true(rounds <= 10);
}

static void without_a_slot_it_comes_at_once(void **state)
{
	(void)state;
	begin(BLOCKS);
	finish();
	assert_int_equal(fetched, tree.at.level[0].blocks);
	assert_int_equal(rounds, 1);
}

static void small_trees(void **state)
{
	static const uint64_t sizes[] = {2, 127, 128, 129, 128 * 9 + 1};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		begin(sizes[i]);
		finish();
		assert_int_equal(fetched, (sizes[i] + 127) / 128);
		teardown(NULL);
		setup(NULL);
		run_slot(300);
		insert(0, 1);
		begin(sizes[i]);
		finish();
		teardown(NULL);
		setup(NULL);
	}
}

static void what_is_there_stays(void **state)
{
	(void)state;
	begin(BLOCKS);
	finish();
	leaves_fini(&l);
	assert_int_equal(pwrite(now, "x", 1, OFFSET + (off_t)((tree.at.level[0].first + 200) * VERITY_BLOCK)), 1);
	assert_int_equal(leaves_init(&l, &tree, &d, &e), 0);
	finish();
	assert_int_equal(fetched, 1);
}

static void a_damaged_slot_gives_less(void **state)
{
	(void)state;
	run_slot(BLOCKS);
	assert_int_equal(pwrite(slot, "xyz", 3, (off_t)(d.leaves + 50 * VERITY_BLOCK + 9)), 3);
	begin(BLOCKS);
	finish();
	assert_int_equal(fetched, 1);
}

static void lies_are_refused(void **state)
{
	uint8_t leaf[VERITY_BLOCK];

	(void)state;
	run_slot(BLOCKS);
	begin(BLOCKS);
	memcpy(leaf, leaf_of(7), sizeof(leaf));
	assert_int_equal(leaves_put(&l, 8, leaf, &e), -1);
	assert_int_equal(e.code, EBADMSG);
	assert_string_equal(e.text, "root.verity: hash tree: block 8 of level 0 is not what the root hash says");
	leaf[4095] ^= 1;
	assert_int_equal(leaves_put(&l, 7, leaf, &e), -1);
	assert_int_equal(leaves_put(&l, 313, leaf, &e), -1);
	assert_int_equal(e.code, EFBIG);
	assert_int_equal(l.have.count, 0);
	/* And so is a tree whose upper part is another one's. */
	assert_int_equal(pwrite(now, "x", 1, OFFSET + (off_t)(2 * VERITY_BLOCK)), 1);
	assert_int_equal(tree_open(&tree, now, OFFSET, &made.v, made.root, &e), 0);
	assert_int_equal(leaves_guess(&l, &e), -1);
	assert_int_equal(e.code, EBADMSG);
}

static void every_call_fails_once(void **state)
{
	struct run r;
	unsigned n = 1;
	bool fired = true;

	(void)state;
	run_slot(BLOCKS);
	insert(20000, 2);
	begin(BLOCKS + 2);
	for (; fired; n += 37) {
		leaves_fini(&l);
		assert_int_equal(ftruncate(now, OFFSET + (off_t)(tree.at.level[0].first * VERITY_BLOCK)), 0);
		assert_int_equal(tree_open(&tree, now, OFFSET, &made.v, made.root, &e), 0);
		assert_int_equal(leaves_init(&l, &tree, &d, &e), 0);
		fake_fail_at(n, EIO);
		int rc = leaves_resume(&l, &e) < 0 || leaves_guess(&l, &e) < 0 ? -1 : 0;
		while (rc == 0 && !leaves_all(&l)) {
			while (rc == 0 && leaves_next(&l, &r)) {
				for (uint64_t i = r.first; rc == 0 && i < r.first + r.count; i++)
					rc = leaves_put(&l, i, leaf_of(i), &e);
			}
			rc = rc < 0 ? -1 : leaves_guess(&l, &e);
		}
		fired = fake_fired();
		fake_fail_at(0, 0);
		assert_true(rc < 0 ? fired && e.text[0] : tree_check(&tree, &e) == 0);
	}
	assert_true(n > 100);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_same_tree_needs_nothing),
		T(some_changes_are_some_leaves),
		T(what_moved_is_found),
		T(blocks_that_went_are_found_too),
		T(equal_blocks_do_not_mislead),
		T(another_image_comes_whole),
		T(without_a_slot_it_comes_at_once),
		T(small_trees),
		T(what_is_there_stays),
		T(a_damaged_slot_gives_less),
		T(lies_are_refused),
		T(every_call_fails_once),
	};

	return cmocka_run_group_tests_name("leaves", tests, NULL, NULL);
}
