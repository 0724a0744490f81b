/* init/update/kernel.c: pieces of a kernel from three places, and lists and pieces that lie. */
#include "update/kernel.h"

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

#define PIECES 20
#define BYTES  ((size_t)PIECES * KERNEL_PIECE - 1000)

static struct err e;
static struct kernel k;
static uint8_t uki[BYTES], list[PIECES * SHA256_BYTES], sum[SHA256_BYTES], list_sum[SHA256_BYTES];
static int fd, other;

static void make_list(void)
{
	for (size_t i = 0; i < PIECES; i++) {
		size_t left = BYTES - i * KERNEL_PIECE;
		sha256(uki + i * KERNEL_PIECE, left < KERNEL_PIECE ? left : KERNEL_PIECE, list + i * SHA256_BYTES);
	}
	sha256(list, sizeof(list), list_sum);
	sha256(uki, BYTES, sum);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	for (size_t i = 0; i < BYTES; i++)
		uki[i] = (uint8_t)(i / KERNEL_PIECE + i % 251);
	make_list();
	fd = memfd_create("new", 0);
	other = memfd_create("running", 0);
	memset(&k, 0, sizeof(k));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	kernel_fini(&k);
	close(fd);
	close(other);
	return 0;
}

static void begin(void)
{
	assert_int_equal(kernel_init(&k, BYTES, &e), 0);
	assert_int_equal(kernel_hashes(&k, 0, list, 100, &e), 0);
	assert_int_equal(kernel_hashes(&k, 100, list + 100, sizeof(list) - 100, &e), 0);
	assert_int_equal(kernel_check_hashes(&k, list_sum, &e), 0);
	kernel_resume(&k, fd);
}

/* What is missing, in runs of at most max pieces; bytes of it. */
static uint64_t fetch(uint64_t max)
{
	uint64_t bytes = 0;
	struct run r;

	for (uint64_t from = 0; kernel_run(&k, from, max, &r); from = r.first + r.count) {
		uint64_t at = r.first * KERNEL_PIECE, n = r.count * KERNEL_PIECE;
		n = n < BYTES - at ? n : BYTES - at;
		kernel_seek(&k, r.first);
		assert_int_equal(kernel_feed(&k, uki + at, n, &e), 0);
		bytes += n;
	}
	return bytes;
}

static bool is_whole(void)
{
	static uint8_t got[BYTES + 1];

	return pread(fd, got, sizeof(got), 0) == (ssize_t)BYTES && memcmp(got, uki, BYTES) == 0;
}

static void all_from_outside(void **state)
{
	(void)state;
	assert_int_equal(kernel_hash_bytes(BYTES), sizeof(list));
	assert_int_equal(kernel_hash_bytes(1), 32);
	assert_int_equal(kernel_hash_bytes(KERNEL_PIECE), 32);
	assert_int_equal(kernel_hash_bytes(KERNEL_PIECE + 1), 64);
	begin();
	assert_int_equal(kernel_missing(&k), BYTES);
	assert_int_equal(kernel_finish(&k, sum, &e), -1);
	assert_int_equal(e.code, ENODATA);
	assert_int_equal(fetch(3), BYTES);
	assert_int_equal(kernel_missing(&k), 0);
	assert_int_equal(kernel_finish(&k, sum, &e), 0);
	assert_true(is_whole());
}

/* As a stream brings it. */
static void in_bites_of_any_size(void **state)
{
	static const size_t bites[] = {1000, KERNEL_PIECE - 1, KERNEL_PIECE + 1, BYTES};

	(void)state;
	for (size_t i = 0; i < sizeof(bites) / sizeof(bites[0]); i++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		begin();
		for (size_t at = 0; at < BYTES; at += bites[i])
			assert_int_equal(kernel_feed(&k, uki + at, BYTES - at < bites[i] ? BYTES - at : bites[i], &e),
			                 0);
		assert_int_equal(kernel_finish(&k, sum, &e), 0);
		assert_true(is_whole());
		assert_int_equal(kernel_feed(&k, "x", 1, &e), -1);
		assert_int_equal(e.code, EFBIG);
	}
}

/* The same pieces, some others, all of it moved by one piece, and another length. */
static void pieces_of_the_running_kernel(void **state)
{
	(void)state;
	assert_int_equal(pwrite(other, uki, BYTES, KERNEL_PIECE), BYTES);
	assert_int_equal(pwrite(other, "x", 1, 6 * KERNEL_PIECE + 5), 1);
	begin();
	assert_int_equal(kernel_copy(&k, other, &e), 0);
	assert_int_equal(k.copied, BYTES - KERNEL_PIECE);
	assert_int_equal(kernel_missing(&k), KERNEL_PIECE);
	assert_int_equal(fetch(0), KERNEL_PIECE);
	assert_int_equal(kernel_finish(&k, sum, &e), 0);
	assert_true(is_whole());
	/* The last piece, longer in the other one, is another one. */
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(ftruncate(other, (off_t)BYTES + KERNEL_PIECE + 10), 0);
	begin();
	assert_int_equal(kernel_copy(&k, other, &e), 0);
	assert_int_equal(kernel_missing(&k), 2 * KERNEL_PIECE - 1000);
}

static void no_running_kernel_is_no_harm(void **state)
{
	(void)state;
	begin();
	assert_int_equal(kernel_copy(&k, other, &e), 0); /* empty */
	assert_int_equal(kernel_copy(&k, -1, &e), 0);
	assert_int_equal(kernel_missing(&k), BYTES);
}

static void what_is_there_stays(void **state)
{
	(void)state;
	assert_int_equal(pwrite(fd, uki, 10 * KERNEL_PIECE + 77, 0), 10 * KERNEL_PIECE + 77);
	assert_int_equal(pwrite(fd, "x", 1, 3 * KERNEL_PIECE), 1);
	begin();
	assert_int_equal(fetch(0), BYTES - 9 * KERNEL_PIECE);
	assert_int_equal(kernel_finish(&k, sum, &e), 0);
	assert_true(is_whole());
	/* A longer one is cut. */
	assert_int_equal(ftruncate(fd, (off_t)BYTES + 5), 0);
	begin();
	assert_int_equal(kernel_missing(&k), 0);
	assert_int_equal(kernel_finish(&k, sum, &e), 0);
	assert_true(is_whole());
}

/* The running kernel is read twice: what it says the second time counts. */
static int turns;

static ssize_t turning_pread(int file, void *p, size_t n, off_t at)
{
	ssize_t got = pread(file, p, n, at);

	if (file == other && got > 0 && turns++ >= PIECES)
		((uint8_t *)p)[0] ^= 1;
	return got;
}

static void a_running_kernel_that_changes(void **state)
{
	(void)state;
	assert_int_equal(pwrite(other, uki, BYTES, 0), BYTES);
	begin();
	turns = 0;
	fake_pread = turning_pread;
	assert_int_equal(kernel_copy(&k, other, &e), 0);
	assert_true(turns > PIECES);
	assert_int_equal(kernel_missing(&k), BYTES);
}

static void lies_are_refused(void **state)
{
	(void)state;
	begin();
	list_sum[0] ^= 1;
	assert_int_equal(kernel_check_hashes(&k, list_sum, &e), -1);
	assert_string_equal(e.text, "uki.hashes: its SHA-256 is not the one in the manifest");
	assert_int_equal(kernel_hashes(&k, sizeof(list) - 1, "xy", 2, &e), -1);
	assert_int_equal(e.code, EFBIG);
	assert_int_equal(kernel_hashes(&k, UINT64_MAX, "x", 1, &e), -1);
	/* A piece that is not in the list. */
	uki[5 * KERNEL_PIECE + 9] ^= 1;
	assert_int_equal(kernel_feed(&k, uki, BYTES, &e), -1);
	assert_int_equal(e.code, EBADMSG);
	assert_string_equal(e.text, "uki.efi: the bytes from 81920 on are not what uki.hashes says");
	assert_int_equal(kernel_missing(&k), BYTES - 5 * KERNEL_PIECE);
	/* A list of another kernel than the manifest's: all pieces are right, and it is not taken. */
	make_list();
	sum[0] ^= 1;
	begin();
	assert_int_equal(fetch(0), BYTES - 5 * KERNEL_PIECE);
	assert_int_equal(kernel_finish(&k, sum, &e), -1);
	assert_int_equal(e.code, EBADMSG);
	assert_string_equal(e.text, "uki.efi: its SHA-256 is not the one in the manifest");
}

/* As `hearth bundle` and a look have it. */
static void without_a_file_nothing_is_written(void **state)
{
	unsigned fds = fake_open_fds();

	(void)state;
	assert_int_equal(kernel_init(&k, BYTES, &e), 0);
	assert_int_equal(kernel_hashes(&k, 0, list, sizeof(list), &e), 0);
	assert_int_equal(pwrite(other, uki, BYTES / 2, 0), BYTES / 2);
	assert_int_equal(kernel_copy(&k, other, &e), 0);
	assert_true(kernel_missing(&k) < BYTES && kernel_missing(&k) > 0);
	assert_int_equal(kernel_feed(&k, uki, BYTES, &e), 0);
	assert_int_equal(kernel_missing(&k), 0);
	assert_int_equal(fake_open_fds(), fds);
}

static void every_call_fails_once(void **state)
{
	bool fired = true;
	unsigned n = 1;

	(void)state;
	assert_int_equal(pwrite(other, uki, BYTES / 2, 0), BYTES / 2);
	for (; fired; n++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		fake_fail_at(n, EIO);
		int rc = kernel_init(&k, BYTES, &e);
		if (rc == 0)
			rc = kernel_hashes(&k, 0, list, sizeof(list), &e);
		if (rc == 0) {
			kernel_resume(&k, fd);
			rc = kernel_copy(&k, other, &e);
		}
		if (rc == 0)
			rc = kernel_feed(&k, uki, BYTES, &e);
		if (rc == 0)
			rc = kernel_finish(&k, sum, &e);
		fired = fake_fired();
		fake_fail_at(0, 0);
		assert_true(rc < 0 ? fired && e.text[0] : is_whole());
	}
	assert_true(n > 2 * PIECES);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(all_from_outside),
		T(in_bites_of_any_size),
		T(pieces_of_the_running_kernel),
		T(no_running_kernel_is_no_harm),
		T(what_is_there_stays),
		T(a_running_kernel_that_changes),
		T(lies_are_refused),
		T(without_a_file_nothing_is_written),
		T(every_call_fails_once),
	};

	return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}
