/* The target: installs from outside and from the running slot, installs that go on where they were stopped, and every
 * kind of byte that is not as it should be. */
#include "update/target.h"

#include <errno.h>
#include <fcntl.h>
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
#include "unit/update/aio.h"

#define BLOCKS 700 /* five batches and a half, two levels */
#define IMAGE  ((size_t)BLOCKS * VERITY_BLOCK)

static struct err e;
static struct target t;
static struct delta d;
static struct fake_tree made, old;
static uint8_t *image, *running;
static int fd = -1, slot = -1;
static bool direct;

/* memfd has no direct access on every kernel: only the flag is kept here. */
static int flag_fcntl(int which, int cmd, int arg)
{
	assert_int_equal(which, fd);
	if (cmd == F_SETFL)
		direct = arg & O_DIRECT;
	return cmd == F_SETFL ? 0 : O_RDWR | (direct ? O_DIRECT : 0);
}

static void fill(uint8_t *blocks, size_t n, uint32_t first)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t content = first + (uint32_t)i;
		memset(blocks + i * VERITY_BLOCK, (int)(content % 253), VERITY_BLOCK);
		memcpy(blocks + i * VERITY_BLOCK, &content, sizeof(content));
	}
}

static void tree_of(struct fake_tree *f, const uint8_t *bytes, uint64_t blocks)
{
	memset(f, 0, sizeof(*f));
	f->v.salt_len = 32;
	memset(f->v.salt, 0x5a, 32);
	fake_tree_make(f, bytes, blocks);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	direct = false;
	fd = memfd_create("target", 0);
	slot = memfd_create("slot", 0);
	image = malloc(IMAGE);
	running = calloc(1, IMAGE);
	if (!image || !running)
		return -1;
	fill(image, BLOCKS, 0);
	tree_of(&made, image, BLOCKS);
	memset(&d, 0, sizeof(d));
	fake_fcntl = flag_fcntl;
	assert_int_equal(ftruncate(fd, (off_t)(IMAGE + made.len)), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(fd);
	close(slot);
	free(image);
	free(running);
	free(made.bytes);
	free(old.bytes);
	old.bytes = NULL;
	delta_fini(&d);
	target_fini(&t);
	return 0;
}

/* The running slot holds `running`, which must begin with an EROFS superblock. */
static void start_slot(void)
{
	static const uint8_t magic[4] = {0xE2, 0xE1, 0xF5, 0xE0};

	memset(running, 0, VERITY_BLOCK);
	memcpy(running + 1024, magic, sizeof(magic));
	running[1024 + 12] = 12;
	running[1024 + 36] = BLOCKS & 0xff;
	running[1024 + 37] = BLOCKS >> 8;
	tree_of(&old, running, BLOCKS);
	assert_int_equal(pwrite(slot, running, IMAGE, 0), IMAGE);
	assert_int_equal(pwrite(slot, old.bytes, old.len, (off_t)IMAGE), old.len);
	assert_int_equal(delta_read(&d, slot, &made.v, &e), 0);
}

static void open_target(void)
{
	assert_int_equal(target_init(&t, fd, BLOCKS, &e), 0);
	assert_int_equal(target_tree(&t, made.bytes, made.len, &e), 0);
	assert_int_equal(target_open(&t, &made.v, made.root, &e), 0);
}

/* Everything that is missing, as an HTTP client would bring it. */
static int feed_missing(uint64_t gap)
{
	struct run r;

	for (uint64_t from = 0; blockset_missing(&t.done, from, gap, 0, &r); from = r.first + r.count) {
		target_seek(&t, r.first);
		if (target_feed(&t, image + r.first * VERITY_BLOCK, r.count * VERITY_BLOCK, &e) < 0)
			return -1;
	}
	return 0;
}

static void assert_whole(void)
{
	uint8_t *got = malloc(IMAGE + made.len);

	assert_non_null(got);
	assert_int_equal(pread(fd, got, IMAGE + made.len, 0), IMAGE + made.len);
	assert_memory_equal(got, image, IMAGE);
	assert_memory_equal(got + IMAGE, made.bytes, made.len);
	free(got);
}

/* ---- from outside ---- */

static void pieces_of_any_size(void **state)
{
	static const size_t pieces[] = {1, 77, 4095, 4096, 4097, 16384, 100000, IMAGE};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		size_t piece = pieces[i];
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(ftruncate(fd, (off_t)(IMAGE + made.len)), 0);
		assert_int_equal(target_init(&t, fd, BLOCKS, &e), 0);
		for (size_t at = 0; at < made.len; at += piece)
			assert_int_equal(
				target_tree(&t, made.bytes + at, piece < made.len - at ? piece : made.len - at, &e), 0);
		assert_int_equal(target_open(&t, &made.v, made.root, &e), 0);
		for (size_t at = 0; at < IMAGE; at += piece)
			assert_int_equal(target_feed(&t, image + at, piece < IMAGE - at ? piece : IMAGE - at, &e), 0);
		assert_int_equal(target_finish(&t, &e), 0);
		assert_int_equal(t.done.count, BLOCKS);
		assert_whole();
		target_fini(&t);
	}
}

static void a_wrong_block_stops_it(void **state)
{
	(void)state;
	open_target();
	image[300 * VERITY_BLOCK + 4000] ^= 4;
	assert_int_equal(target_feed(&t, image, IMAGE, &e), -1);
	assert_int_equal(e.code, EBADMSG);
	assert_string_equal(e.text, "block 300 of the image is not what its hash tree says");
	assert_int_equal(t.next, 300);
	assert_int_equal(t.done.count, 300);
	image[300 * VERITY_BLOCK + 4000] ^= 4; /* another source has it right */
	target_seek(&t, 300);
	assert_int_equal(target_feed(&t, image + 300 * VERITY_BLOCK, IMAGE - 300 * VERITY_BLOCK, &e), 0);
	assert_int_equal(target_finish(&t, &e), 0);
	assert_whole();
}

static void bytes_that_do_not_belong(void **state)
{
	(void)state;
	assert_int_equal(target_init(&t, fd, BLOCKS, &e), 0);
	assert_int_equal(target_tree(&t, made.bytes, made.len - 1, &e), 0);
	assert_int_equal(target_tree(&t, made.bytes, 2, &e), -1);
	assert_int_equal(e.code, EFBIG);
	assert_int_equal(target_tree(&t, made.bytes + made.len - 1, 1, &e), 0);
	assert_int_equal(target_tree(&t, made.bytes, SIZE_MAX, &e), -1);
	assert_int_equal(target_open(&t, &made.v, made.root, &e), 0);
	assert_int_equal(target_feed(&t, image, IMAGE, &e), 0);
	assert_int_equal(target_feed(&t, image, 1, &e), -1);
	assert_int_equal(e.code, EFBIG);
	target_seek(&t, UINT64_MAX);
	assert_int_equal(target_feed(&t, image, 1, &e), -1);
	assert_int_equal(target_finish(&t, &e), 0);
	assert_whole();
}

static void a_seek_forgets_a_part(void **state)
{
	(void)state;
	open_target();
	assert_int_equal(target_feed(&t, image + 7, 100, &e), 0); /* a connection that broke */
	target_seek(&t, 5);
	assert_int_equal(target_feed(&t, image + 5 * VERITY_BLOCK, VERITY_BLOCK + 9, &e), 0);
	assert_int_equal(t.done.count, 1);
	assert_true(blockset_has(&t.done, 5));
	assert_int_equal(t.next, 6);
}

static void a_tree_of_another_root(void **state)
{
	(void)state;
	assert_int_equal(target_init(&t, fd, BLOCKS, &e), 0);
	assert_int_equal(target_open(&t, &made.v, made.root, &e), -1); /* nothing is there */
	assert_int_equal(e.code, EBADMSG);
	assert_int_equal(target_tree(&t, made.bytes, made.len, &e), 0);
	made.root[0] ^= 1;
	assert_int_equal(target_open(&t, &made.v, made.root, &e), -1);
	assert_int_equal(e.code, EBADMSG);
	made.v.data_blocks++;
	assert_int_equal(target_open(&t, &made.v, made.root, &e), -1);
	assert_int_equal(e.code, EINVAL);
}

static void a_target_that_is_too_small(void **state)
{
	(void)state;
	assert_int_equal(ftruncate(fd, (off_t)(IMAGE + made.len - 1)), 0);
	assert_int_equal(target_init(&t, fd, BLOCKS, &e), -1);
	assert_int_equal(e.code, ENOSPC);
	target_fini(&t);
	assert_int_equal(target_init(&t, fd, 0, &e), -1);
	assert_int_equal(target_init(&t, fd, TREE_SLOT, &e), -1);
}

/* ---- going on ---- */

static void what_is_right_is_found(void **state)
{
	(void)state;
	open_target();
	assert_int_equal(target_feed(&t, image, 400 * VERITY_BLOCK, &e), 0);
	assert_int_equal(target_flush(&t, &e), 0);
	target_fini(&t);
	/* The power was cut: block 17 is half written, 399 was not; 650 has been right for some reason. */
	assert_int_equal(pwrite(fd, image, 2048, 17 * VERITY_BLOCK + 2048), 2048);
	assert_int_equal(pwrite(fd, image, VERITY_BLOCK, 399 * VERITY_BLOCK), VERITY_BLOCK);
	assert_int_equal(pwrite(fd, image + 650 * VERITY_BLOCK, VERITY_BLOCK, 650 * VERITY_BLOCK), VERITY_BLOCK);

	assert_int_equal(target_init(&t, fd, BLOCKS, &e), 0);
	assert_int_equal(target_open(&t, &made.v, made.root, &e), 0); /* the tree is there */
	assert_int_equal(target_resume(&t, &e), 0);
	assert_int_equal(t.done.count, 400 - 2 + 1);
	assert_false(blockset_has(&t.done, 17) || blockset_has(&t.done, 399));
	assert_true(blockset_has(&t.done, 650));
	/* Gaps that come along may hold anything: they are there already. */
	memset(image + 18 * VERITY_BLOCK, 0xee, VERITY_BLOCK);
	assert_int_equal(feed_missing(1000), 0);
	fill(image + 18 * VERITY_BLOCK, 1, 18);
	assert_int_equal(target_finish(&t, &e), 0);
	assert_whole();
}

/* What waits to be written is not lost when its memory is wanted. */
static void looking_again_loses_nothing(void **state)
{
	(void)state;
	open_target();
	assert_int_equal(target_feed(&t, image, 10 * VERITY_BLOCK, &e), 0);
	assert_int_equal(target_resume(&t, &e), 0);
	assert_int_equal(t.done.count, 10);
	assert_int_equal(feed_missing(0), 0);
	assert_int_equal(target_finish(&t, &e), 0);
	assert_whole();
}

static uint64_t bad_block = UINT64_MAX, bad_slot_block = UINT64_MAX;

static ssize_t damaged_pread(int which, void *p, size_t n, off_t at)
{
	uint64_t bad = (which == slot ? bad_slot_block : bad_block) * VERITY_BLOCK;

	if ((uint64_t)at <= bad && bad < (uint64_t)at + n) {
		errno = EIO;
		return -1;
	}
	return pread(which, p, n, at);
}

static void what_cannot_be_read_is_missing(void **state)
{
	(void)state;
	open_target();
	assert_int_equal(target_feed(&t, image, IMAGE, &e), 0);
	assert_int_equal(target_flush(&t, &e), 0);
	target_fini(&t);
	fake_pread = damaged_pread;
	for (bad_block = 0; bad_block < BLOCKS; bad_block += 699) {
		assert_int_equal(target_init(&t, fd, BLOCKS, &e), 0);
		assert_int_equal(target_open(&t, &made.v, made.root, &e), 0);
		assert_int_equal(target_resume(&t, &e), 0);
		assert_int_equal(t.done.count, BLOCKS - 1);
		assert_false(blockset_has(&t.done, bad_block));
		target_fini(&t);
	}
}

/* ---- from the running slot ---- */

/* It has blocks 100..499 of the new image at 200..599, 0..9 at 650..659, and 510..519 at 669..660: backwards. */
static void fill_running(void)
{
	fill(running, BLOCKS, 100000);
	fill(running + 200 * VERITY_BLOCK, 400, 100);
	fill(running + 650 * VERITY_BLOCK, 10, 0);
	for (uint32_t i = 0; i < 10; i++)
		fill(running + (669 - i) * VERITY_BLOCK, 1, 510 + i);
	start_slot();
}

static void blocks_come_from_the_running_slot(void **state)
{
	struct blockset here;
	struct delta_plan p;

	(void)state;
	fill_running();
	open_target();
	assert_int_equal(blockset_init(&here, BLOCKS, &e), 0);
	assert_int_equal(delta_plan(&d, &t.tree, &t.done, 0, &here, &p, &e), 0);
	assert_int_equal(p.local, 420);
	assert_int_equal(p.fetch, BLOCKS - 420);
	assert_int_equal(p.requests, 3);
	assert_int_equal(target_copy(&t, &d, slot, &e), 0);
	assert_int_equal(t.copied, 420);
	assert_int_equal(t.spoiled, 0);
	assert_memory_equal(t.done.bits, here.bits, BLOCKS / 8);
	blockset_fini(&here);
	assert_int_equal(feed_missing(0), 0);
	assert_int_equal(target_finish(&t, &e), 0);
	assert_whole();
	assert_int_equal(target_copy(&t, &d, slot, &e), 0); /* nothing is missing: nothing is copied */
	assert_int_equal(t.copied, 420);
}

static void a_damaged_slot_is_passed_over(void **state)
{
	(void)state;
	fill_running();
	assert_int_equal(pwrite(slot, "bad", 3, 300 * VERITY_BLOCK + 50), 3);
	bad_slot_block = 400;
	fake_pread = damaged_pread;
	open_target();
	assert_int_equal(target_copy(&t, &d, slot, &e), 0);
	bad_slot_block = UINT64_MAX;
	assert_int_equal(t.copied, 418);
	assert_int_equal(t.spoiled, 2);
	assert_false(blockset_has(&t.done, 200) || blockset_has(&t.done, 300));
	assert_int_equal(feed_missing(0), 0);
	assert_int_equal(target_finish(&t, &e), 0);
	assert_whole();
}

static void a_slot_that_is_gone_costs_nothing_else(void **state)
{
	(void)state;
	fill_running();
	assert_int_equal(ftruncate(slot, 0), 0);
	open_target();
	assert_int_equal(target_copy(&t, &d, slot, &e), 0);
	assert_int_equal(t.copied, 0);
	assert_int_equal(t.spoiled, 420);
	assert_int_equal(feed_missing(8), 0);
	assert_int_equal(target_finish(&t, &e), 0);
}

/* ---- reading back ---- */

static uint64_t first_read_back;
static bool all_direct, flushed;

static int watched_fsync(int which)
{
	flushed = which == fd;
	return 0;
}

static int failing_fsync(int which)
{
	(void)which;
	errno = EIO;
	return -1;
}

/* Writes come before the flush. */
static ssize_t watched_pwrite(int which, const void *p, size_t n, off_t at)
{
	assert_false(flushed);
	return pwrite(which, p, n, at);
}

static ssize_t watched_pread(int which, void *p, size_t n, off_t at)
{
	if (which == fd && t.done.count == BLOCKS) {
		all_direct = all_direct && flushed && direct && (uintptr_t)p % VERITY_BLOCK == 0 &&
		             n % VERITY_BLOCK == 0 && at % VERITY_BLOCK == 0;
		first_read_back = first_read_back < (uint64_t)at ? first_read_back : (uint64_t)at;
	}
	return pread(which, p, n, at);
}

static void the_disk_is_asked_not_the_cache(void **state)
{
	(void)state;
	open_target();
	assert_int_equal(target_feed(&t, image, IMAGE, &e), 0);
	fake_fsync = failing_fsync;
	assert_int_equal(target_finish(&t, &e), -1);
	assert_string_equal(e.text, "target: flush: Input/output error");
	fake_pread = watched_pread;
	fake_pwrite = watched_pwrite;
	fake_fsync = watched_fsync;
	all_direct = true;
	flushed = false;
	first_read_back = UINT64_MAX;
	assert_int_equal(target_finish(&t, &e), 0);
	assert_true(all_direct);
	assert_int_equal(first_read_back, 0);
	assert_false(direct);
	direct = true; /* as a worker leaves it that was killed here */
	target_fini(&t);
	assert_int_equal(target_init(&t, fd, BLOCKS, &e), 0);
	assert_false(direct);
}

static void every_bad_byte_is_found(void **state)
{
	char want[ERR_TEXT];

	(void)state;
	open_target();
	assert_int_equal(target_feed(&t, image, IMAGE, &e), 0);
	for (unsigned i = 0; i < BLOCKS; i += 23) {
		off_t at = (off_t)i * VERITY_BLOCK + (i * 37) % VERITY_BLOCK;
		uint8_t good, bad;
		assert_int_equal(target_flush(&t, &e), 0);
		assert_int_equal(pread(fd, &good, 1, at), 1);
		bad = good ^ 0x40;
		assert_int_equal(pwrite(fd, &bad, 1, at), 1);
		assert_int_equal(target_finish(&t, &e), -1);
		assert_int_equal(e.code, EBADMSG);
		(void)snprintf(want, sizeof(want), "read back: block %u of the image is not what its hash tree says",
		               i);
		assert_string_equal(e.text, want);
		assert_int_equal(pwrite(fd, &good, 1, at), 1);
		assert_false(direct);
	}
	for (size_t at = 8; at < made.len; at += 1000) { /* superblock and tree */
		uint8_t bad = made.bytes[at] ^ 1;
		bool matters = at < 24 + 8 || (at >= 64 && at < 82) || (at >= 88 && at < 88 + 32) || at >= VERITY_BLOCK;
		assert_int_equal(pwrite(fd, &bad, 1, (off_t)(IMAGE + at)), 1);
		assert_int_equal(target_finish(&t, &e), matters ? -1 : 0);
		assert_int_equal(pwrite(fd, made.bytes + at, 1, (off_t)(IMAGE + at)), 1);
	}
	assert_int_equal(target_finish(&t, &e), 0);
}

static void an_unreadable_block_is_named(void **state)
{
	char want[ERR_TEXT];

	(void)state;
	open_target();
	assert_int_equal(target_feed(&t, image, IMAGE, &e), 0);
	fake_pread = damaged_pread;
	for (bad_block = 0; bad_block < BLOCKS; bad_block += 233) {
		assert_int_equal(target_finish(&t, &e), -1);
		assert_int_equal(e.code, EIO);
		(void)snprintf(want, sizeof(want), "read back: block %d: Input/output error", (int)bad_block);
		assert_string_equal(e.text, want);
	}
	bad_block = UINT64_MAX;
	assert_int_equal(target_finish(&t, &e), 0);
}

/* Of an install that is written and read back with a kernel that works beside. */
static void some_are_under_way_while_others_are_hashed(void **state)
{
	const unsigned batches = (IMAGE + QUEUE_BYTES - 1) / QUEUE_BYTES;
	uint8_t bad = 1;

	(void)state;
	aio_start();
	open_target();
	aio.begun = aio.most = 0;
	assert_int_equal(target_feed(&t, image, IMAGE, &e), 0);
	assert_int_equal(aio.most, QUEUE_DEPTH);
	assert_int_equal(target_flush(&t, &e), 0);
	assert_int_equal(aio.count, 0);
	assert_int_equal(aio.begun, batches);
	assert_whole();
	aio.begun = aio.most = 0;
	assert_int_equal(target_finish(&t, &e), 0);
	assert_int_equal(aio.begun, batches);
	assert_int_equal(aio.most, QUEUE_DEPTH);
	for (bad_block = 0; bad_block < BLOCKS; bad_block += 233) {
		fake_pread = damaged_pread;
		assert_int_equal(target_finish(&t, &e), -1);
		assert_int_equal(e.code, EIO);
		assert_int_equal(aio.count, 0);
		fake_pread = NULL;
		off_t at = (off_t)bad_block * VERITY_BLOCK;
		assert_int_equal(pwrite(fd, &bad, 1, at), 1);
		assert_int_equal(target_finish(&t, &e), -1);
		assert_int_equal(e.code, EBADMSG);
		assert_int_equal(pwrite(fd, image + at, 1, at), 1);
	}
	bad_block = UINT64_MAX;
	assert_int_equal(target_finish(&t, &e), 0);
}

static void missing_blocks_are_named(void **state)
{
	(void)state;
	open_target();
	assert_int_equal(target_feed(&t, image, 500 * VERITY_BLOCK + 100, &e), 0);
	assert_int_equal(target_finish(&t, &e), -1);
	assert_int_equal(e.code, ENODATA);
	assert_string_equal(e.text, "block 500 and 199 others of the image are missing");
}

/* ---- all the rest ---- */

static int install(void)
{
	struct blockset here = {0};
	struct delta_plan p;
	int rc = -1;

	if (target_init(&t, fd, BLOCKS, &e) == 0 && target_tree(&t, made.bytes, made.len, &e) == 0 &&
	    target_open(&t, &made.v, made.root, &e) == 0 && blockset_init(&here, BLOCKS, &e) == 0 &&
	    target_resume(&t, &e) == 0 && delta_plan(&d, &t.tree, &t.done, DELTA_GAP, &here, &p, &e) == 0 &&
	    target_copy(&t, &d, slot, &e) == 0 && feed_missing(DELTA_GAP) == 0 && target_finish(&t, &e) == 0)
		rc = 0;
	blockset_fini(&here);
	target_fini(&t);
	return rc;
}

/* Each call fails once: the install says so or is whole all the same. */
static void every_call_fails_once(void **state)
{
	unsigned failed = 0, n;

	(void)state;
	fill_running();
	for (n = 1;; n++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(ftruncate(fd, (off_t)(IMAGE + made.len)), 0);
		direct = false;
		memset(&e, 0, sizeof(e));
		fake_fail_at(n, EIO);
		int rc = install();
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		assert_true(rc == 0 || (e.code != 0 && e.text[0]));
		failed += rc < 0;
		if (rc == 0)
			assert_whole();
		if (!fired)
			break;
	}
	assert_true(n > 50 && failed > 20);
}

/* ---- power cuts: a disk with a cache of its own, which keeps nothing but what was flushed, and odd sectors ---- */

#define SECTOR 512
#define SIZE   (IMAGE + 8 * (size_t)VERITY_BLOCK)

static struct {
	uint8_t durable[SIZE];
	struct {
		off_t at;
		size_t n;
	} cached[64];
	unsigned count, writes_left;
	uint32_t dice;
} disk;

static ssize_t disk_pwrite(int which, const void *p, size_t n, off_t at)
{
	assert_true(which == fd && disk.count < COUNT_OF(disk.cached));
	if (disk.writes_left-- == 0) {
		errno = EIO; /* the power is off */
		return -1;
	}
	disk.cached[disk.count].at = at;
	disk.cached[disk.count++].n = n;
	return pwrite(which, p, n, at);
}

static int disk_fsync(int which)
{
	while (disk.count > 0) {
		disk.count--;
		off_t at = disk.cached[disk.count].at;
		assert_true(pread(which, disk.durable + at, disk.cached[disk.count].n, at) > 0);
	}
	return 0;
}

/* Of what was not flushed, every sector is on the disk or is not. */
static void cut_the_power(void)
{
	for (; disk.count > 0; disk.count--) {
		off_t at = disk.cached[disk.count - 1].at;
		for (size_t i = 0; i < disk.cached[disk.count - 1].n; i += SECTOR, at += SECTOR) {
			disk.dice = disk.dice * 1103515245 + 12345;
			if (disk.dice >> 30 & 1)
				assert_int_equal(pread(fd, disk.durable + at, SECTOR, at), SECTOR);
		}
	}
	assert_int_equal(pwrite(fd, disk.durable, IMAGE + made.len, 0), IMAGE + made.len);
}

/* The power is cut at the n-th write of the first install, and of each that goes on with it; n grows until one ends. */
static void power_cuts_at_every_write(void **state)
{
	unsigned ended = 0;

	(void)state;
	fill_running();
	memset(&disk, 0, sizeof(disk));
	fake_pwrite = disk_pwrite;
	fake_fsync = disk_fsync;
	for (unsigned n = 0; n < 40; n++) {
		if (ended)
			memset(disk.durable, 0xdd, sizeof(disk.durable)); /* and once more, from the beginning */
		cut_the_power();
		disk.writes_left = n;
		ended = install() == 0;
		if (!ended)
			assert_string_equal(strstr(e.text, "target: "), e.text);
		else
			assert_memory_equal(disk.durable, image, IMAGE);
	}
	assert_true(ended);
	assert_whole();
}

/* What was flushed is found again, whatever comes after. */
static void what_was_flushed_stays(void **state)
{
	(void)state;
	memset(&disk, 0, sizeof(disk));
	disk.writes_left = 1000;
	fake_pwrite = disk_pwrite;
	fake_fsync = disk_fsync;
	open_target();
	assert_int_equal(target_feed(&t, image, 333 * VERITY_BLOCK, &e), 0);
	assert_int_equal(target_flush(&t, &e), 0);
	assert_int_equal(target_feed(&t, image + 333 * VERITY_BLOCK, 300 * VERITY_BLOCK, &e), 0);
	target_fini(&t);
	cut_the_power();
	assert_int_equal(target_init(&t, fd, BLOCKS, &e), 0);
	assert_int_equal(target_open(&t, &made.v, made.root, &e), 0);
	assert_int_equal(target_resume(&t, &e), 0);
	assert_true(t.done.count >= 333 && t.done.count < 400);
	for (uint64_t i = 0; i < 333; i++)
		assert_true(blockset_has(&t.done, i));
}

/* ---- much is told ---- */

static uint64_t told, times;

static void on_progress(void *owner, uint64_t blocks)
{
	assert_ptr_equal(owner, &told);
	assert_true(blocks > told && blocks <= BLOCKS);
	told = blocks;
	times++;
}

static void progress_is_told(void **state)
{
	(void)state;
	fill_running();
	open_target();
	t.progress = on_progress;
	t.owner = &told;
	assert_int_equal(target_resume(&t, &e), 0);
	assert_true(told == BLOCKS && times == 6);
	told = times = 0;
	assert_int_equal(target_copy(&t, &d, slot, &e), 0);
	assert_true(told == BLOCKS && times >= 10);
	assert_int_equal(feed_missing(0), 0);
	told = times = 0;
	assert_int_equal(target_finish(&t, &e), 0);
	assert_true(told == BLOCKS && times == 6);
}

/* The real thing, where the file system of the build folder has direct access. */
static void a_file_past_the_page_cache(void **state)
{
	char name[] = "build/unit/target.XXXXXX";
	int flags, file = mkstemp(name);

	(void)state;
	assert_true(file >= 0);
	unlink(name);
	fake_fcntl = NULL;
	flags = fcntl(file, F_GETFL);
	if (fcntl(file, F_SETFL, flags | O_DIRECT) < 0) {
		close(file);
		skip();
	}
	assert_int_equal(fcntl(file, F_SETFL, flags), 0);
	assert_int_equal(ftruncate(file, (off_t)(IMAGE + made.len)), 0);
	close(fd);
	fd = file;
	open_target();
	assert_int_equal(target_feed(&t, image, IMAGE, &e), 0);
	assert_int_equal(target_finish(&t, &e), 0);
	assert_whole();
	assert_int_equal(pwrite(fd, "x", 1, 123 * VERITY_BLOCK + 1), 1);
	assert_int_equal(target_finish(&t, &e), -1);
	assert_string_equal(e.text, "read back: block 123 of the image is not what its hash tree says");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(pieces_of_any_size),
		CASE(a_wrong_block_stops_it),
		CASE(bytes_that_do_not_belong),
		CASE(a_seek_forgets_a_part),
		CASE(a_tree_of_another_root),
		CASE(a_target_that_is_too_small),
		CASE(what_is_right_is_found),
		CASE(looking_again_loses_nothing),
		CASE(what_cannot_be_read_is_missing),
		CASE(blocks_come_from_the_running_slot),
		CASE(a_damaged_slot_is_passed_over),
		CASE(a_slot_that_is_gone_costs_nothing_else),
		CASE(the_disk_is_asked_not_the_cache),
		CASE(every_bad_byte_is_found),
		CASE(an_unreadable_block_is_named),
		CASE(some_are_under_way_while_others_are_hashed),
		CASE(missing_blocks_are_named),
		CASE(every_call_fails_once),
		CASE(power_cuts_at_every_write),
		CASE(what_was_flushed_stays),
		CASE(progress_is_told),
		CASE(a_file_past_the_page_cache),
	};

	return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
