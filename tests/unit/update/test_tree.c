/* The hash tree: its layout at every edge, trees made by veritysetup, and every way for one to be wrong. */
#include "update/tree.h"

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

#include "base/str.h"
#include "fake/sys.h"
#include "fake/tree.h"

static struct err e;
static struct tree tree;
static struct fake_tree made;
static int fd = -1;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fd = memfd_create("tree", 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(fd);
	free(made.bytes);
	made.bytes = NULL;
	return 0;
}

/* Block i of the images here: its number, then one byte over and over. */
static void fill(uint8_t *block, uint64_t i)
{
	memset(block, (int)(i % 251), VERITY_BLOCK);
	for (unsigned n = 0; n < 8; n++)
		block[n] = (uint8_t)(i >> (8 * n));
}

/* The tree of such an image, on fd from `offset` on. */
static void make(uint64_t blocks, uint64_t offset)
{
	static const uint8_t uuid[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
	                                 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
	uint8_t *hashes = malloc(blocks * SHA256_BYTES), block[VERITY_BLOCK];

	assert_non_null(hashes);
	memset(&made, 0, sizeof(made));
	memcpy(made.v.uuid, uuid, sizeof(uuid));
	made.v.salt_len = 32;
	memset(made.v.salt, 0x5a, 32);
	for (uint64_t i = 0; i < blocks; i++) {
		fill(block, i);
		fake_tree_hash(&made, block, hashes + i * SHA256_BYTES);
	}
	fake_tree_of(&made, hashes, blocks);
	free(hashes);
	assert_int_equal(pwrite(fd, made.bytes, made.len, (off_t)offset), made.len);
}

static void open_tree(uint64_t offset)
{
	assert_int_equal(tree_open(&tree, fd, offset, &made.v, made.root, &e), 0);
}

/* ---- layout ---- */

static void the_layout_at_its_edges(void **state)
{
	static const struct {
		uint64_t data, blocks;
		unsigned levels;
		uint64_t first[TREE_LEVELS], count[TREE_LEVELS];
	} rows[] = {
		{1, 1, 0, {0}, {0}},
		{2, 2, 1, {1}, {1}},
		{128, 2, 1, {1}, {1}},
		{129, 4, 2, {2, 1}, {2, 1}},
		{128 * 128, 130, 2, {2, 1}, {128, 1}},
		{128 * 128 + 1, 133, 3, {4, 2, 1}, {129, 2, 1}},
		{260000, 2050, 3, {18, 2, 1}, {2032, 16, 1}},
	};
	struct tree_layout l;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(tree_layout(&l, rows[i].data, &e), 0);
		assert_int_equal(l.data_blocks, rows[i].data);
		assert_int_equal(l.blocks, rows[i].blocks);
		assert_int_equal(l.levels, rows[i].levels);
		for (unsigned n = 0; n < TREE_LEVELS; n++) {
			assert_int_equal(l.level[n].first, rows[i].first[n]);
			assert_int_equal(l.level[n].blocks, rows[i].count[n]);
		}
	}
}

static void a_slot_is_full_to_its_last_block(void **state)
{
	static const uint64_t never[] = {0, TREE_SLOT - 1, TREE_SLOT, TREE_SLOT + 1, UINT64_C(1) << 32, UINT64_MAX};
	struct tree_layout l;
	uint64_t most = 0;

	(void)state;
	for (uint64_t n = TREE_SLOT - 3000; n < TREE_SLOT; n++) {
		if (tree_layout(&l, n, &e) == 0)
			most = n;
	}
	assert_int_equal(tree_layout(&l, most, &e), 0);
	assert_true(most > TREE_SLOT - 2100 && l.data_blocks + l.blocks == TREE_SLOT);
	assert_int_equal(tree_layout(&l, most + 1, &e), -1);
	assert_int_equal(e.code, EINVAL);
	for (size_t i = 0; i < COUNT_OF(never); i++)
		assert_int_equal(tree_layout(&l, never[i], &e), -1);
}

/* ---- trees ---- */

/* Root hashes and digests of root.verity as veritysetup 2.6.1 makes them of these images. */
static void the_same_as_veritysetup(void **state)
{
	static const struct {
		uint64_t blocks;
		const char *root, *digest;
	} known[] = {
		{1, "a9a03b28564e4724d7ffc0b83acdb9e9f726e3edb9ceec32e5d47b798ee15389",
	         "726d95674cfb0b67e35ae3c068ce3dad902cc1721c8fc4a28a5638a3b9d39b65"},
		{2, "e371c9f96198d4b6281443b3e4f28eb16e9551f525b7598761294685e410b667",
	         "76192ad564929d2fba3fd956eaf6499534d74f7f6e78bc47b23b4dc984b503cb"},
		{128, "1c084e2c9fb1d080ca531c2c53addd7bef7a422c471e24bbebef4519f2480277",
	         "85b315866f2dbf2abdb95b25ac819a2bd2dfadd530df94cf14c0057e7b886496"},
		{129, "6c608e51e737410dcefe30e16599a3b2f809885ad3cfad23f833251babe1d468",
	         "b70ef3706be06b85b6ac27780ce20d7b01a059666d727b19f722d420177617cf"},
		{128 * 128 + 1, "4dacf426208e9cf7c89bfcf8c4d149cf4c29a1660f40474539ffd4b38fe437aa",
	         "f65ca37124088ab3e3b2c826fbf831b0329814324ff6a8b66fab5473145ae425"},
	};
	char text[2 * SHA256_BYTES + 1];
	uint8_t digest[SHA256_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		make(known[i].blocks, 0);
		for (unsigned n = 0; n < SHA256_BYTES; n++)
			(void)snprintf(text + 2 * (size_t)n, 3, "%02x", made.root[n]);
		assert_string_equal(text, known[i].root);
		sha256(made.bytes, made.len, digest);
		for (unsigned n = 0; n < SHA256_BYTES; n++)
			(void)snprintf(text + 2 * (size_t)n, 3, "%02x", digest[n]);
		assert_string_equal(text, known[i].digest);
		free(made.bytes);
	}
	made.bytes = NULL;
}

/* In order, backwards, and here and there. */
static void every_block_is_known(void **state)
{
	static const uint64_t sizes[] = {1, 2, 128, 129, 300, 128 * 128 + 1};
	uint8_t block[VERITY_BLOCK];

	(void)state;
	for (size_t s = 0; s < COUNT_OF(sizes); s++) {
		uint64_t n = sizes[s], step = n < 1000 ? 1 : 61;
		make(n, 0);
		open_tree(0);
		assert_int_equal(tree.at.blocks * VERITY_BLOCK, made.len);
		assert_int_equal(tree_check(&tree, &e), 0);
		for (uint64_t i = 0; i < 3 * n; i += step) {
			uint64_t at = i < n ? i : i < 2 * n ? 2 * n - 1 - i : i * 7919 % n;
			fill(block, at);
			assert_int_equal(tree_verify(&tree, at, block, 1, &e), 0);
			block[4095] ^= 1;
			assert_int_equal(tree_verify(&tree, at, block, 1, &e), -1);
			assert_int_equal(e.code, EBADMSG);
		}
		assert_int_equal(tree_verify(&tree, n, block, 1, &e), -1);
		assert_int_equal(e.code, EINVAL);
		free(made.bytes);
	}
	made.bytes = NULL;
}

/* Many at a time, across the ends of hash blocks: each is judged by itself, and the first wrong one is named. */
static void many_blocks_at_a_time(void **state)
{
	static uint8_t many[301][VERITY_BLOCK];
	uint32_t right;

	(void)state;
	make(300, 0);
	open_tree(0);
	for (uint64_t i = 0; i < 300; i++)
		fill(many[i], i);
	assert_int_equal(tree_verify(&tree, 0, many[0], 300, &e), 0);
	assert_int_equal(tree_verify(&tree, 3, many[3], 297, &e), 0);
	assert_int_equal(tree_verify(&tree, 0, many[0], 301, &e), -1);
	assert_int_equal(e.code, EINVAL);
	for (unsigned n = 1; n <= TREE_MATCH; n++) {
		for (unsigned bad = 0; bad < n; bad++) {
			many[120 + bad][17] ^= 1;
			assert_int_equal(tree_match(&tree, 120, many[120], n, &right, &e), 0);
			assert_int_equal(right, (uint32_t)(((UINT64_C(1) << n) - 1) ^ UINT64_C(1) << bad));
			many[120 + bad][17] ^= 1;
		}
	}
	many[121][0] ^= 1;
	many[255][0] ^= 1;
	assert_int_equal(tree_verify(&tree, 100, many[100], 200, &e), -1);
	assert_int_equal(e.code, EBADMSG);
	assert_string_equal(e.text, "block 121 of the image is not what its hash tree says");
}

static void a_tree_behind_something(void **state)
{
	uint8_t block[VERITY_BLOCK];

	(void)state;
	make(200, 512 * 7); /* as in a bundle: not even at a block's place */
	open_tree(512 * 7);
	assert_int_equal(tree_check(&tree, &e), 0);
	fill(block, 199);
	assert_int_equal(tree_verify(&tree, 199, block, 1, &e), 0);
}

static void the_largest_image(void **state)
{
	const uint64_t most = TREE_SLOT - 2050; /* see a_slot_is_full_to_its_last_block */
	uint8_t *hashes = calloc(most, SHA256_BYTES), hash[SHA256_BYTES];

	(void)state;
	assert_non_null(hashes);
	for (uint64_t i = 0; i < most; i++)
		memcpy(hashes + i * SHA256_BYTES, &i, sizeof(i));
	memset(&made, 0, sizeof(made)); /* without a salt, too */
	fake_tree_of(&made, hashes, most);
	free(hashes);
	assert_int_equal(pwrite(fd, made.bytes, made.len, 0), made.len);
	open_tree(0);
	assert_int_equal(most + tree.at.blocks, TREE_SLOT);
	assert_int_equal(tree_check(&tree, &e), 0);
	for (uint64_t i = most; i-- > most - 20000;) {
		assert_int_equal(tree_hash(&tree, i, hash, &e), 0);
		assert_memory_equal(hash, &i, sizeof(i));
	}
}

/* What level 0 must be is known before it is there. */
static void leaves_without_level_0(void **state)
{
	static const uint64_t sizes[] = {2, 128, 129, 128 * 128 + 1};
	uint8_t hash[SHA256_BYTES], want[SHA256_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		make(sizes[i], 0);
		open_tree(0);
		assert_int_equal(ftruncate(fd, (off_t)(tree.at.level[0].first * VERITY_BLOCK)), 0);
		for (uint64_t leaf = 0; leaf < tree.at.level[0].blocks; leaf++) {
			fake_tree_hash(&made, made.bytes + (tree.at.level[0].first + leaf) * VERITY_BLOCK, want);
			assert_int_equal(tree_leaf(&tree, leaf, hash, &e), 0);
			assert_memory_equal(hash, want, sizeof(hash));
		}
		assert_int_equal(tree_leaf(&tree, tree.at.level[0].blocks, hash, &e), -1);
		assert_int_equal(tree_hash(&tree, 0, hash, &e), -1);
		free(made.bytes);
		made.bytes = NULL;
	}
}

/* ---- wrong ones ---- */

static int reopen(void)
{
	return tree_open(&tree, fd, 0, &made.v, made.root, &e);
}

static void another_superblock(void **state)
{
	struct fake_tree other;

	(void)state;
	make(300, 0);
	other = made;
	made.v.data_blocks = 299;
	assert_int_equal(reopen(), -1);
	assert_int_equal(e.code, EBADMSG);
	made = other;
	made.v.data_blocks = 301;
	assert_int_equal(reopen(), -1);
	assert_int_equal(e.code, EBADMSG);
	made = other;
	made.v.salt_len = 31;
	assert_int_equal(reopen(), -1);
	assert_string_equal(e.text, "verity superblock with another salt");
	made = other;
	made.v.salt_len = VERITY_SALT_MAX + 1;
	assert_int_equal(reopen(), -1);
	assert_int_equal(e.code, EINVAL);
	made = other;
	made.v.salt[31] ^= 1;
	assert_int_equal(reopen(), -1);
	assert_string_equal(e.text, "verity superblock with another salt");
	made = other;
	made.v.uuid[15] ^= 1;
	assert_int_equal(reopen(), -1);
	assert_string_equal(e.text, "verity superblock with another UUID");
	made = other;
	assert_int_equal(pwrite(fd, "V", 1, 0), 1);
	assert_int_equal(reopen(), -1);
	assert_int_equal(e.code, EBADMSG);
	assert_int_equal(ftruncate(fd, 4095), 0);
	assert_int_equal(reopen(), -1);
	assert_int_equal(e.code, ENODATA);
}

/* One bit anywhere in the levels, padding too: the check names the level and the block. */
static void one_bit_anywhere(void **state)
{
	char want[ERR_TEXT];

	(void)state;
	make(128 * 128 + 1, 0);
	open_tree(0);
	made.bytes[100] ^= 1; /* the salt, after the tree was opened */
	assert_int_equal(pwrite(fd, made.bytes, 4096, 0), 4096);
	assert_int_equal(tree_check(&tree, &e), -1);
	assert_string_equal(e.text, "verity superblock with another salt");
	made.bytes[100] ^= 1;
	assert_int_equal(pwrite(fd, made.bytes, 4096, 0), 4096);
	for (uint64_t at = VERITY_BLOCK; at < made.len; at += 1021) {
		uint8_t bad = made.bytes[at] ^ 0x10;
		uint64_t block = at / VERITY_BLOCK;
		unsigned level = block >= 4 ? 0 : block >= 2 ? 1 : 2;
		assert_int_equal(pwrite(fd, &bad, 1, (off_t)at), 1);
		open_tree(0);
		assert_int_equal(tree_check(&tree, &e), -1);
		assert_int_equal(e.code, EBADMSG);
		(void)snprintf(want, sizeof(want), "hash tree: block %d of level %u is not what the root hash says",
		               (int)(block - tree.at.level[level].first), level);
		assert_string_equal(e.text, want);
		assert_int_equal(pwrite(fd, made.bytes + at, 1, (off_t)at), 1);
	}
	open_tree(0);
	assert_int_equal(tree_check(&tree, &e), 0);
}

static void another_root_hash(void **state)
{
	static const uint64_t sizes[] = {1, 5, 300};
	uint8_t block[VERITY_BLOCK];

	(void)state;
	for (size_t s = 0; s < COUNT_OF(sizes); s++) {
		make(sizes[s], 0);
		made.root[31] ^= 1;
		open_tree(0);
		fill(block, 0);
		assert_int_equal(tree_verify(&tree, 0, block, 1, &e), -1);
		assert_int_equal(e.code, EBADMSG);
		free(made.bytes);
	}
	made.bytes = NULL;
}

static void a_block_in_anothers_place(void **state)
{
	uint8_t block[VERITY_BLOCK];

	(void)state;
	make(300, 0);
	open_tree(0);
	fill(block, 7);
	assert_int_equal(tree_verify(&tree, 135, block, 1, &e), -1); /* 7 + 128 */
	assert_string_equal(e.text, "block 135 of the image is not what its hash tree says");
	/* Whole hash blocks exchanged. */
	assert_int_equal(pwrite(fd, made.bytes + 3 * 4096, 4096, 2 * 4096), 4096);
	open_tree(0);
	assert_int_equal(tree_check(&tree, &e), -1);
}

/* What was wrong once is not remembered as right, and the other way round. */
static void a_disk_that_changes_its_mind(void **state)
{
	uint8_t hash[SHA256_BYTES], block[VERITY_BLOCK];

	(void)state;
	make(300, 0);
	assert_int_equal(pwrite(fd, "x", 1, 3 * 4096 + 77), 1); /* block 1 of level 0 */
	open_tree(0);
	assert_int_equal(tree_hash(&tree, 0, hash, &e), 0);
	assert_int_equal(tree_hash(&tree, 128, hash, &e), -1);
	assert_int_equal(tree_hash(&tree, 129, hash, &e), -1);
	assert_int_equal(pwrite(fd, made.bytes + 3 * 4096, 4096, 3 * 4096), 4096);
	fill(block, 0); /* the bad one did not stay in the place of the good one */
	assert_int_equal(tree_verify(&tree, 0, block, 1, &e), 0);
	assert_int_equal(tree_hash(&tree, 128, hash, &e), 0);
	assert_int_equal(pwrite(fd, "x", 1, 3 * 4096 + 77), 1);
	assert_int_equal(tree_check(&tree, &e), -1); /* what it kept does not count */
}

static void reads_that_fail(void **state)
{
	uint8_t hash[SHA256_BYTES];

	(void)state;
	make(128 * 128 + 1, 0);
	fake_fail_at(1, EIO);
	assert_int_equal(reopen(), -1);
	assert_int_equal(e.code, EIO);
	for (unsigned n = 1; n <= 3; n++) {
		open_tree(0);
		fake_fail_at(n, EIO);
		assert_int_equal(tree_hash(&tree, 5, hash, &e), -1);
		assert_int_equal(e.code, EIO);
		assert_int_equal(tree_hash(&tree, 5, hash, &e), 0);
	}
	assert_int_equal(ftruncate(fd, (off_t)made.len - 1), 0);
	open_tree(0);
	assert_int_equal(tree_check(&tree, &e), -1);
	assert_int_equal(e.code, ENODATA);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(the_layout_at_its_edges),   CASE(a_slot_is_full_to_its_last_block),
		CASE(the_same_as_veritysetup),   CASE(every_block_is_known),
		CASE(a_tree_behind_something),   CASE(many_blocks_at_a_time),
		CASE(many_blocks_at_a_time),     CASE(the_largest_image),
		CASE(leaves_without_level_0),    CASE(another_superblock),
		CASE(one_bit_anywhere),          CASE(another_root_hash),
		CASE(a_block_in_anothers_place), CASE(a_disk_that_changes_its_mind),
		CASE(reads_that_fail),
	};

	return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
