/* update/leaves: whatever the running slot is, and wherever its blocks have gone, the new tree comes together in few
 * rounds, each block of it is asked for once at most, and none that the running slot has in the same place.
 *
 * Input: uint16 blocks of the running slot, uint8 what of its tree is damaged (0: nothing), then segments of the new
 * image: uint16 first block, uint16 number; from the end of the running slot on they are blocks that it has not. */
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake/tree.h"
#include "fuzz/check.h"
#include "update/leaves.h"

#define OLD_MAX    4096
#define NEW_MAX    8192
#define ROUNDS_MAX 16

static struct tree tree;
static struct leaves l;
static uint32_t content[NEW_MAX];
static bool came[NEW_MAX / TREE_FANOUT + 1];

static void make_tree(struct fake_tree *t, const uint32_t *of, uint64_t blocks)
{
	uint8_t *hashes = malloc(blocks * SHA256_BYTES);

	FUZZ_CHECK(hashes);
	memset(t, 0, sizeof(*t));
	for (uint64_t i = 0; i < blocks; i++)
		sha256(&of[i], sizeof(of[i]), hashes + i * SHA256_BYTES);
	fake_tree_of(t, hashes, blocks);
	free(hashes);
}

static int make_slot(const struct fake_tree *t, uint8_t damage)
{
	static const uint8_t magic[4] = {0xE2, 0xE1, 0xF5, 0xE0};
	uint8_t head[VERITY_BLOCK] = {0};
	int fd = memfd_create("slot", 0);

	memcpy(head + 1024, magic, sizeof(magic));
	head[1024 + 12] = 12;
	memcpy(head + 1024 + 36, &(uint32_t){(uint32_t)t->v.data_blocks}, 4);
	if (damage)
		t->bytes[VERITY_BLOCK + (size_t)damage * 331 % (t->len - VERITY_BLOCK)] ^= damage;
	FUZZ_CHECK(pwrite(fd, head, sizeof(head), 0) == sizeof(head));
	FUZZ_CHECK(pwrite(fd, t->bytes, t->len, (off_t)(t->v.data_blocks * VERITY_BLOCK)) == (ssize_t)t->len);
	return fd;
}

static uint64_t make_new(const uint8_t *data, size_t size, uint64_t old)
{
	static uint32_t fresh;
	uint64_t n = 0;

	fresh = 1u << 20;
	for (; size >= 4; data += 4, size -= 4) {
		uint16_t first, count;
		memcpy(&first, data, 2);
		memcpy(&count, data + 2, 2);
		for (uint64_t i = 0; i < count && n < NEW_MAX; i++, n++)
			content[n] = first + i < old ? (uint32_t)(first + i) : fresh++;
	}
	return n;
}

static void fetch(const struct fake_tree *t)
{
	const uint8_t *leaves = t->bytes + tree.at.level[0].first * VERITY_BLOCK;
	struct err e = {0};
	struct run r;

	memset(came, 0, sizeof(came));
	FUZZ_CHECK(leaves_resume(&l, &e) == 0 && leaves_guess(&l, &e) == 0);
	for (unsigned round = 0; !leaves_all(&l); round++) {
		FUZZ_CHECK(round < ROUNDS_MAX);
		while (leaves_next(&l, &r)) {
			FUZZ_CHECK(r.count > 0 && r.first + r.count <= tree.at.level[0].blocks);
			for (uint64_t i = r.first; i < r.first + r.count; i++) {
				FUZZ_CHECK(!came[i] && !blockset_has(&l.have, i));
				FUZZ_CHECK(leaves_put(&l, i, leaves + i * VERITY_BLOCK, &e) == 0);
				came[i] = true;
			}
		}
		FUZZ_CHECK(leaves_guess(&l, &e) == 0);
	}
	FUZZ_CHECK(tree_check(&tree, &e) == 0);
}

static void check_few(uint64_t old, uint64_t blocks, uint8_t damage)
{
	for (uint64_t i = 0; i < tree.at.level[0].blocks && !damage; i++) {
		bool same = true;
		for (uint64_t j = i * TREE_FANOUT; j < blocks && j < (i + 1) * TREE_FANOUT; j++)
			same = same && j < old && content[j] == j;
		FUZZ_CHECK(!same || !came[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake_tree old, new;
	struct delta d;
	struct err e = {0};
	uint16_t old_n;

	if (size < 7)
		return 0;
	memcpy(&old_n, data, 2);
	if (old_n < 2 || old_n > OLD_MAX)
		return 0;
	for (uint32_t i = 0; i < old_n; i++)
		content[i] = i;
	make_tree(&old, content, old_n);
	uint64_t new_n = make_new(data + 3, size - 3, old_n);
	int slot = make_slot(&old, data[2]), now = memfd_create("now", 0);
	if (new_n > 1) {
		make_tree(&new, content, new_n);
		FUZZ_CHECK(tree_layout(&tree.at, new_n, &e) == 0);
		ssize_t upper = (ssize_t)(tree.at.level[0].first * VERITY_BLOCK);
		FUZZ_CHECK(pwrite(now, new.bytes, (size_t)upper, 0) == upper);
		FUZZ_CHECK(tree_open(&tree, now, 0, &new.v, new.root, &e) == 0);
		FUZZ_CHECK(delta_read(&d, slot, &new.v, &e) == 0 && leaves_init(&l, &tree, &d, &e) == 0);
		fetch(&new);
		check_few(old_n, new_n, data[2]);
		leaves_fini(&l);
		delta_fini(&d);
		free(new.bytes);
	}
	free(old.bytes);
	close(slot);
	close(now);
	return 0;
}
