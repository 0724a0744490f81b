/* What comes out is what pread(2) and pwrite(2) would give, in the order in which it was begun, with a kernel that
 * works beside and with one that does not. */
#include "update/queue.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "unit/update/aio.h"

#define BLOCKS 40
#define BAD    (UINT64_C(1000) * QUEUE_ALIGN)

static struct queue q;
static struct err e;
static char disk[BLOCKS]; /* each block is one letter, many times */
static size_t room;       /* how many blocks can be written */
static int flags;
static unsigned turns; /* of direct access */

static ssize_t from_disk(int fd, void *p, size_t n, off_t at)
{
	size_t block = (size_t)at / QUEUE_ALIGN, got = 0;

	assert_int_equal(fd, 7);
	if ((uint64_t)at >= BAD) {
		errno = EIO;
		return -1;
	}
	for (; got < n && block < BLOCKS; block++, got += QUEUE_ALIGN)
		memset((char *)p + got, disk[block], QUEUE_ALIGN);
	return (ssize_t)got;
}

static ssize_t to_disk(int fd, const void *p, size_t n, off_t at)
{
	size_t block = (size_t)at / QUEUE_ALIGN, put = 0;

	assert_int_equal(fd, 7);
	if ((uint64_t)at >= BAD) {
		errno = EIO;
		return -1;
	}
	for (; put < n && block < room; block++, put += QUEUE_ALIGN)
		disk[block] = ((const char *)p)[put];
	return (ssize_t)(put < n ? put : n);
}

static int flag_fcntl(int fd, int cmd, int arg)
{
	assert_int_equal(fd, 7);
	if (cmd == F_SETFL) {
		turns += (arg & O_DIRECT) != 0;
		flags = arg;
	}
	return cmd == F_SETFL ? 0 : flags;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_pread = from_disk;
	fake_pwrite = to_disk;
	fake_fcntl = flag_fcntl;
	flags = O_RDWR;
	turns = 0;
	room = BLOCKS;
	memset(disk, '.', sizeof(disk));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	queue_fini(&q);
	return 0;
}

static void write_one(char letter, size_t blocks, uint64_t block)
{
	memset(queue_room(&q), letter, blocks * QUEUE_ALIGN);
	queue_write(&q, blocks * QUEUE_ALIGN, block * QUEUE_ALIGN);
}

/* A ring, several times round. */
static void check_writes(void)
{
	for (unsigned i = 0; i < BLOCKS; i++) {
		write_one((char)('A' + i), 1, i);
		if (queue_full(&q))
			assert_int_equal(queue_written(&q, &e), 0);
	}
	assert_true(q.count > 0);
	while (q.count > 0)
		assert_int_equal(queue_written(&q, &e), 0);
	for (unsigned i = 0; i < BLOCKS; i++)
		assert_int_equal(disk[i], 'A' + i);
}

static void check_reads(void)
{
	unsigned asked = 0;
	uint8_t *p;

	for (unsigned i = 0; i < BLOCKS; i++) {
		for (; asked < BLOCKS && !queue_full(&q); asked++)
			queue_read(&q, QUEUE_ALIGN, (uint64_t)asked * QUEUE_ALIGN);
		assert_int_equal(queue_oldest(&q, &p), QUEUE_ALIGN);
		assert_int_equal((uintptr_t)p % QUEUE_ALIGN, 0);
		assert_int_equal(*p, disk[i]);
		assert_int_equal(p[QUEUE_ALIGN - 1], disk[i]);
		queue_pop(&q);
	}
	assert_int_equal(q.count, 0);
}

static void check_trouble(void)
{
	uint8_t *p;

	queue_read(&q, 2 * QUEUE_ALIGN, (BLOCKS - 1) * QUEUE_ALIGN);
	queue_read(&q, QUEUE_ALIGN, BAD);
	assert_int_equal(queue_oldest(&q, &p), QUEUE_ALIGN); /* half of it */
	queue_pop(&q);
	errno = 0;
	assert_int_equal(queue_oldest(&q, &p), -1);
	assert_int_equal(errno, EIO);
	queue_pop(&q);

	write_one('x', 1, BAD / QUEUE_ALIGN);
	write_one('y', 1, 3);
	assert_int_equal(queue_written(&q, &e), -1);
	assert_string_equal(e.text, "write at byte 4096000: Input/output error");
	assert_int_equal(queue_written(&q, &e), 0);
	assert_int_equal(disk[3], 'y');
	room = 30;
	write_one('z', 2, 29);
	assert_int_equal(queue_written(&q, &e), -1);
	assert_int_equal(e.code, ENOSPC);
	room = BLOCKS;
}

static void check_all(void)
{
	check_writes();
	check_reads();
	check_trouble();
	assert_int_equal(flags, O_RDWR); /* it is nobody else's */
}

static void beside(void **state)
{
	(void)state;
	aio_start();
	assert_int_equal(queue_init(&q, 7, &e), 0);
	aio.interrupts = 2;
	check_all();
	assert_int_equal(aio.most, QUEUE_DEPTH);
	assert_int_equal(turns, aio.begun);
	queue_fini(&q);
	assert_false(aio.open);
}

static void then_and_there(void **state)
{
	(void)state;
	assert_int_equal(queue_init(&q, 7, &e), 0);
	check_all();
	assert_true(turns > 2 * BLOCKS);
}

static int busy(aio_context_t context, long n, struct iocb **list)
{
	(void)context;
	(void)n;
	(void)list;
	errno = EAGAIN;
	return -1;
}

static void no_room_for_one_more(void **state)
{
	(void)state;
	aio_start();
	fake_io_submit = busy;
	assert_int_equal(queue_init(&q, 7, &e), 0);
	check_all();
	assert_int_equal(aio.begun, 0);
}

/* Somebody else has it on: it stays on. */
static void direct_access_stays_as_it_was(void **state)
{
	(void)state;
	aio_start();
	assert_int_equal(queue_init(&q, 7, &e), 0);
	flags = O_RDWR | O_DIRECT;
	check_writes();
	assert_int_equal(flags, O_RDWR | O_DIRECT);
	assert_int_equal(turns, 0);
}

static void odd_ends_go_by_way_of_the_page_cache(void **state)
{
	(void)state;
	aio_start();
	assert_int_equal(queue_init(&q, 7, &e), 0);
	memset(queue_room(&q), 'o', 100);
	queue_write(&q, 100, 5 * QUEUE_ALIGN);
	assert_int_equal(queue_written(&q, &e), 0);
	assert_int_equal(disk[5], 'o');
	write_one('p', 1, 0);
	queue_drop(&q);
	assert_int_equal(turns, 1);
	assert_int_equal(aio.begun, 1);
}

static void the_end_waits_for_what_is_under_way(void **state)
{
	(void)state;
	aio_start();
	assert_int_equal(queue_init(&q, 7, &e), 0);
	queue_read(&q, QUEUE_ALIGN, 0);
	queue_read(&q, QUEUE_ALIGN, QUEUE_ALIGN);
	assert_int_equal(aio.count, 2);
	queue_drop(&q);
	assert_true(aio.count == 0 && q.count == 0);
	queue_read(&q, QUEUE_ALIGN, 0);
	queue_fini(&q); /* the kernel's io_destroy waits */
	assert_false(aio.open);
	queue_fini(&q);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(beside),
		CASE(then_and_there),
		CASE(no_room_for_one_more),
		CASE(direct_access_stays_as_it_was),
		CASE(odd_ends_go_by_way_of_the_page_cache),
		CASE(the_end_waits_for_what_is_under_way),
	};
	return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
