/* Reads and writes at a place: whole or an error, past the page cache, and bounded in what is under way. */
#include "update/blockio.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"

static struct err e;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	return 0;
}

/* ---- a disk of 1000 bytes that does 300 at most at a time and is interrupted every other call ---- */

static uint8_t disk[1000];
static unsigned calls;

static size_t part(size_t n, off_t at)
{
	size_t left = (size_t)at < sizeof(disk) ? sizeof(disk) - (size_t)at : 0;

	n = n < 300 ? n : 300;
	return n < left ? n : left;
}

static ssize_t slow_pread(int fd, void *p, size_t n, off_t at)
{
	assert_int_equal(fd, 7);
	if (calls++ % 2 == 0) {
		errno = EINTR;
		return -1;
	}
	n = part(n, at);
	memcpy(p, disk + (n > 0 ? at : 0), n);
	return (ssize_t)n;
}

static ssize_t slow_pwrite(int fd, const void *p, size_t n, off_t at)
{
	assert_int_equal(fd, 7);
	if (calls++ % 2 == 0) {
		errno = EINTR;
		return -1;
	}
	n = part(n, at);
	memcpy(disk + (n > 0 ? at : 0), p, n);
	return (ssize_t)n;
}

static void all_of_it_or_an_error(void **state)
{
	uint8_t out[1000], in[1001];

	(void)state;
	fake_pread = slow_pread;
	fake_pwrite = slow_pwrite;
	for (unsigned i = 0; i < sizeof(out); i++)
		out[i] = (uint8_t)(i * 7);
	assert_int_equal(blockio_write(7, out, 990, 10, &e), 0);
	assert_int_equal(blockio_read(7, in, 990, 10, &e), 0);
	assert_memory_equal(in, out, 990);
	assert_int_equal(blockio_read(7, in, 991, 10, &e), -1);
	assert_int_equal(e.code, ENODATA);
	assert_string_equal(e.text, "ends at byte 1000");
	assert_int_equal(blockio_write(7, in, 991, 10, &e), -1);
	assert_int_equal(e.code, ENOSPC);
	fake_fail_at(2, EIO);
	assert_int_equal(blockio_read(7, in, 990, 10, &e), -1);
	assert_int_equal(e.code, EIO);
	fake_fail_at(1, EROFS);
	assert_int_equal(blockio_write(7, in, 990, 10, &e), -1);
	assert_int_equal(e.code, EROFS);
}

static void the_sum_of_a_whole_file(void **state)
{
	uint8_t want[SHA256_BYTES], got[SHA256_BYTES];
	uint64_t bytes;

	(void)state;
	fake_pread = slow_pread;
	for (unsigned i = 0; i < sizeof(disk); i++)
		disk[i] = (uint8_t)(i * 11);
	sha256(disk, sizeof(disk), want);
	assert_int_equal(blockio_sum(7, got, &bytes, &e), 0);
	assert_int_equal(bytes, sizeof(disk));
	assert_memory_equal(got, want, sizeof(want));
	fake_fail_at(4, EIO);
	assert_int_equal(blockio_sum(7, got, &bytes, &e), -1);
	assert_int_equal(e.code, EIO);
	assert_string_equal(e.text, "read at byte 300: Input/output error");
}

/* ---- direct access ---- */

static int flags_now;

static int flags_fcntl(int fd, int cmd, int arg)
{
	(void)fd;
	if (cmd == F_SETFL)
		flags_now = arg;
	return cmd == F_SETFL ? 0 : flags_now;
}

static void direct_access_is_a_flag(void **state)
{
	(void)state;
	fake_fcntl = flags_fcntl;
	flags_now = O_RDWR | O_APPEND;
	assert_int_equal(blockio_direct(7, true, &e), 0);
	assert_int_equal(flags_now, O_RDWR | O_APPEND | O_DIRECT);
	assert_int_equal(blockio_direct(7, false, &e), 0);
	assert_int_equal(flags_now, O_RDWR | O_APPEND);
	for (unsigned n = 1; n <= 2; n++) {
		fake_fail_at(n, EINVAL);
		assert_int_equal(blockio_direct(7, true, &e), -1);
		assert_int_equal(e.code, EINVAL);
	}
}

static int block_fstat(int fd, struct stat *st)
{
	(void)fd;
	*st = (struct stat){.st_mode = S_IFBLK | 0600};
	return 0;
}

static int block_ioctl(int fd, unsigned long request, void *arg)
{
	(void)fd;
	assert_int_equal(request, 0x80081272); /* BLKGETSIZE64 */
	memcpy(arg, &(uint64_t){UINT64_C(1) << 40}, sizeof(uint64_t));
	return 0;
}

static void the_size_of_a_file_and_of_a_partition(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	uint64_t bytes = 0;

	(void)state;
	assert_int_equal(blockio_size(fd, &bytes, &e), 0);
	assert_true(bytes > 10000 && bytes == (uint64_t)lseek(fd, 0, SEEK_END));
	close(fd);
	fake_fstat = block_fstat;
	fake_ioctl = block_ioctl;
	assert_int_equal(blockio_size(7, &bytes, &e), 0);
	assert_true(bytes == UINT64_C(1) << 40);
	for (unsigned n = 1; n <= 2; n++) {
		fake_fail_at(n, EIO);
		assert_int_equal(blockio_size(7, &bytes, &e), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_of_it_or_an_error, setup),
		cmocka_unit_test_setup(the_sum_of_a_whole_file, setup),
		cmocka_unit_test_setup(direct_access_is_a_flag, setup),
		cmocka_unit_test_setup(the_size_of_a_file_and_of_a_partition, setup),
	};

	return cmocka_run_group_tests_name("blockio", tests, NULL, NULL);
}
