/* dm-verity: superblocks byte by byte, and the requests to device-mapper against a recorded kernel. */
#include "host/verity.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static uint8_t block[VERITY_BLOCK];
static struct verity v;
static struct err e;

/* As veritysetup writes it: version 1, hash type 1, sha256, 4096, 4096, 8 blocks, salt 00 11 22 33. */
static void superblock(void)
{
	static const uint8_t salt[4] = {0x00, 0x11, 0x22, 0x33};

	memset(block, 0, sizeof(block));
	memcpy(block, "verity", 6);
	block[8] = 1;
	block[12] = 1;
	memset(block + 16, 0x6f, 16);
	memcpy(block + 32, "sha256", 6);
	block[65] = block[69] = 0x10;
	block[72] = 8;
	block[80] = 4;
	memcpy(block + 88, salt, 4);
}

static void erofs(uint32_t blocks, uint8_t bits)
{
	static const uint8_t magic[4] = {0xE2, 0xE1, 0xF5, 0xE0};

	memset(block, 0, sizeof(block));
	memcpy(block + 1024, magic, 4);
	block[1024 + 12] = bits;
	for (unsigned i = 0; i < 4; i++)
		block[1024 + 36 + i] = (uint8_t)(blocks >> (8 * i));
}

static int parse(void)
{
	return verity_parse(&v, block, sizeof(block), 8 * VERITY_BLOCK, &e);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	superblock();
	return 0;
}

static void a_superblock_is_read(void **state)
{
	(void)state;
	assert_int_equal(parse(), 0);
	assert_int_equal(v.data_blocks, 8);
	assert_int_equal(v.hash_start, 9);
	assert_int_equal(v.salt_len, 4);
	assert_int_equal(v.salt[3], 0x33);
	assert_int_equal(v.uuid[15], 0x6f);
}

static void faults_are_told_apart(void **state)
{
	static const struct {
		unsigned at;
		uint8_t byte;
		int code;
	} faults[] = {
		{0, 'V', ENOENT},  {7, 1, ENOENT},    {8, 2, EINVAL},     {12, 0, EINVAL},
		{37, '5', EINVAL}, {38, 'x', EINVAL}, {65, 0x20, EINVAL}, {69, 0x20, EINVAL},
		{72, 0, EINVAL},   {72, 9, EINVAL},   {79, 1, EINVAL},    {81, 2, EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		superblock();
		block[faults[i].at] = faults[i].byte;
		assert_int_equal(parse(), -1);
		assert_int_equal(e.code, faults[i].code);
	}
	superblock();
	assert_int_equal(verity_parse(&v, block, 511, 8 * VERITY_BLOCK, &e), -1);
	assert_int_equal(verity_parse(&v, block, 512, 8 * VERITY_BLOCK, &e), 0);
	block[80] = 0;
	block[81] = 1; /* 256: the longest salt */
	assert_int_equal(parse(), 0);
	assert_int_equal(v.salt_len, 256);
}

static void the_size_of_an_image(void **state)
{
	uint64_t bytes;

	(void)state;
	erofs(490, 12);
	assert_int_equal(verity_image_bytes(block, sizeof(block), &bytes, &e), 0);
	assert_int_equal(bytes, 490 * 4096);
	erofs(3, 9);
	assert_int_equal(verity_image_bytes(block, sizeof(block), &bytes, &e), 0);
	assert_int_equal(bytes, 3 * 512);
	erofs(0, 12);
	assert_int_equal(verity_image_bytes(block, sizeof(block), &bytes, &e), -1);
	assert_int_equal(e.code, EINVAL);
	erofs(1, 13);
	assert_int_equal(verity_image_bytes(block, sizeof(block), &bytes, &e), -1);
	erofs(1, 12);
	assert_int_equal(verity_image_bytes(block, 1024 + 127, &bytes, &e), -1);
	block[1024] = 0;
	assert_int_equal(verity_image_bytes(block, sizeof(block), &bytes, &e), -1);
	assert_int_equal(e.code, ENOENT);
}

static void the_line_for_the_kernel(void **state)
{
	char line[256];

	(void)state;
	assert_int_equal(parse(), 0);
	assert_int_equal(verity_table(&v, makedev(254, 2), HASH, line, sizeof(line), &e), 0);
	assert_string_equal(line, "1 254:2 254:2 4096 4096 8 9 sha256 " HASH " 00112233");
	assert_int_equal(verity_table(&v, makedev(254, 2), HASH, line, 60, &e), -1);
	v.salt_len = 0;
	assert_int_equal(verity_table(&v, makedev(254, 2), HASH, line, sizeof(line), &e), 0);
	assert_string_equal(line, "1 254:2 254:2 4096 4096 8 9 sha256 " HASH " -");
	v.salt_len = VERITY_SALT_MAX; /* the longest one fits into the request */
	char longest[1024];
	assert_int_equal(verity_table(&v, makedev(254, 2), HASH, longest, sizeof(longest), &e), 0);
}

/* ---- a partition: 8 blocks of image, the superblock behind them ---- */

static unsigned image_blocks = 8;

static ssize_t part_pread(int fd, void *p, size_t n, off_t at)
{
	assert_int_equal(fd, 7);
	assert_int_equal(n, VERITY_BLOCK);
	if (at == 0)
		erofs(image_blocks, 12);
	else
		superblock();
	memcpy(p, block, n);
	return at > 8 * VERITY_BLOCK ? 0 : (ssize_t)n;
}

static void a_partition_is_probed(void **state)
{
	(void)state;
	fake_pread = part_pread;
	assert_int_equal(verity_probe(7, &v, &e), 0);
	assert_int_equal(v.hash_start, 9);
	image_blocks = 9; /* the superblock would lie behind the end */
	assert_int_equal(verity_probe(7, &v, &e), -1);
	assert_int_equal(e.code, ENOENT);
	image_blocks = 8;
	for (unsigned n = 1; n <= 2; n++) {
		fake_fail_at(n, EIO);
		assert_int_equal(verity_probe(7, &v, &e), -1);
		assert_int_equal(e.code, EIO);
	}
}

/* ---- device-mapper ---- */

static unsigned long calls[8];
static unsigned call_count;
static unsigned long fails;
static struct dm_ioctl last;
static char table[512];

static int dm_open(const char *path, int flags, mode_t mode)
{
	(void)mode;
	assert_string_equal(path, "/dev/mapper/control");
	return open("/dev/null", flags);
}

static int dm_ioctl(int fd, unsigned long request, void *arg)
{
	struct dm_ioctl *rq = arg;

	(void)fd;
	assert_true(call_count < 8);
	calls[call_count++] = request;
	last = *rq;
	assert_string_equal(rq->name, "hearth-root");
	assert_int_equal(rq->version[0], 4);
	assert_true(rq->data_start + sizeof(struct dm_target_spec) <= rq->data_size);
	if (request == fails) {
		errno = ENXIO;
		return -1;
	}
	if (request == DM_DEV_CREATE || request == DM_DEV_STATUS)
		rq->dev = makedev(253, 0);
	if (request == DM_TABLE_LOAD) {
		const struct dm_target_spec *t = (const void *)((const char *)arg + rq->data_start);
		assert_int_equal(t->length, 8 * 8);
		assert_string_equal(t->target_type, "verity");
		(void)snprintf(table, sizeof(table), "%s", (const char *)(t + 1));
		assert_true(rq->flags & DM_READONLY_FLAG);
	}
	if (request == DM_TABLE_DEPS) {
		struct dm_target_deps *d = (void *)((char *)arg + rq->data_start);
		uint64_t dev = makedev(254, 2);
		d->count = 1;
		memcpy(d + 1, &dev, sizeof(dev));
	}
	return 0;
}

static void record(unsigned long failing)
{
	fake_open = dm_open;
	fake_ioctl = dm_ioctl;
	fails = failing;
	call_count = 0;
	superblock();
	assert_int_equal(parse(), 0);
}

static void the_device_is_made(void **state)
{
	dev_t dev;

	(void)state;
	record(0);
	assert_int_equal(verity_open(&v, makedev(254, 2), HASH, &dev, &e), 0);
	assert_true(dev == makedev(253, 0));
	assert_int_equal(call_count, 3);
	assert_true(calls[0] == DM_DEV_CREATE && calls[1] == DM_TABLE_LOAD && calls[2] == DM_DEV_SUSPEND);
	assert_int_equal(last.flags & DM_SUSPEND_FLAG, 0); /* that is: resume */
	assert_string_equal(table, "1 254:2 254:2 4096 4096 8 9 sha256 " HASH " 00112233");
}

static void a_device_that_cannot_be_made_is_removed(void **state)
{
	static const unsigned long failing[] = {DM_TABLE_LOAD, DM_DEV_SUSPEND};
	unsigned before = fake_open_fds();
	dev_t dev;

	(void)state;
	record(DM_DEV_CREATE);
	assert_int_equal(verity_open(&v, makedev(254, 2), HASH, &dev, &e), -1);
	assert_int_equal(call_count, 1);
	for (size_t i = 0; i < 2; i++) {
		record(failing[i]);
		assert_int_equal(verity_open(&v, makedev(254, 2), HASH, &dev, &e), -1);
		assert_true(calls[call_count - 1] == DM_DEV_REMOVE);
	}
	assert_int_equal(fake_open_fds(), before);
}

static void what_is_below(void **state)
{
	unsigned before = fake_open_fds();
	dev_t dev;

	(void)state;
	record(0);
	assert_int_equal(verity_backing(&dev, &e), 0);
	assert_true(dev == makedev(254, 2));
	assert_int_equal(verity_device(&dev, &e), 0);
	assert_true(dev == makedev(253, 0));
	record(DM_TABLE_DEPS);
	assert_int_equal(verity_backing(&dev, &e), -1);
	assert_int_equal(e.code, ENXIO);
	record(DM_DEV_STATUS);
	assert_int_equal(verity_device(&dev, &e), -1);
	assert_int_equal(e.code, ENXIO);
	assert_int_equal(fake_open_fds(), before);
}

/* ---- reading on ---- */

static uint64_t bad_block;

static ssize_t damaged_pread(int fd, void *p, size_t n, off_t at)
{
	const off_t end = 40 * VERITY_BLOCK;

	(void)fd;
	memset(p, 0, n);
	if (at + (off_t)n > end)
		n = at < end ? (size_t)(end - at) : 0;
	off_t bad = (off_t)(bad_block * VERITY_BLOCK);
	if (bad >= at && bad < at + (off_t)n) {
		errno = EIO;
		return -1;
	}
	return (ssize_t)n;
}

static ssize_t read_all(uint64_t *at)
{
	static uint8_t buffer[16 * VERITY_BLOCK];
	ssize_t n = 1;

	fake_pread = damaged_pread;
	*at = 0;
	for (unsigned i = 0; i < 100 && n > 0; i++)
		n = verity_read(7, at, buffer, sizeof(buffer), &e);
	return n;
}

static void the_damaged_block_is_found(void **state)
{
	uint64_t at;

	(void)state;
	for (bad_block = 0; bad_block < 40; bad_block++) {
		assert_int_equal(read_all(&at), -1);
		assert_int_equal(at, bad_block);
		assert_int_equal(e.code, EIO);
	}
	bad_block = 1000;
	assert_int_equal(read_all(&at), 0);
	assert_int_equal(at, 40);
}

static void a_fault_that_passes_is_none(void **state)
{
	static uint8_t buffer[4 * VERITY_BLOCK];
	uint64_t at = 0;

	(void)state;
	bad_block = 1000;
	fake_pread = damaged_pread;
	fake_fail_at(1, EIO);
	assert_int_equal(verity_read(7, &at, buffer, sizeof(buffer), &e), sizeof(buffer));
	assert_int_equal(at, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_superblock_is_read, setup),
		cmocka_unit_test_setup(faults_are_told_apart, setup),
		cmocka_unit_test_setup(the_size_of_an_image, setup),
		cmocka_unit_test_setup(the_line_for_the_kernel, setup),
		cmocka_unit_test_setup(a_partition_is_probed, setup),
		cmocka_unit_test_setup(the_device_is_made, setup),
		cmocka_unit_test_setup(a_device_that_cannot_be_made_is_removed, setup),
		cmocka_unit_test_setup(what_is_below, setup),
		cmocka_unit_test_setup(the_damaged_block_is_found, setup),
		cmocka_unit_test_setup(a_fault_that_passes_is_none, setup),
	};

	return cmocka_run_group_tests_name("verity", tests, NULL, NULL);
}
