/* What it gives is what pread(2) would, with a kernel that reads beside and with one that does not. */
#include "update/ahead.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "unit/update/aio.h"

static const char disk[] = "0123456789";
static struct ahead a;
static char got[8];

static ssize_t from_disk(int fd, void *p, size_t n, off_t at)
{
	assert_int_equal(fd, 7);
	if (at >= 100) {
		errno = EIO;
		return -1;
	}
	size_t left = (size_t)at < sizeof(disk) - 1 ? sizeof(disk) - 1 - (size_t)at : 0;
	n = n < left ? n : left;
	memcpy(p, disk + (n > 0 ? at : 0), n);
	return (ssize_t)n;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_pread = from_disk;
	return 0;
}

static void reads_in_turn(void)
{
	ahead_start(&a, got, 4, 2);
	assert_int_equal(ahead_take(&a), 4);
	assert_memory_equal(got, "2345", 4);
	ahead_start(&a, got, 4, 8);
	assert_int_equal(ahead_take(&a), 2);
	assert_memory_equal(got, "89", 2);
	ahead_start(&a, got, 4, 100);
	errno = 0;
	assert_int_equal(ahead_take(&a), -1);
	assert_int_equal(errno, EIO);
	ahead_start(&a, got, 4, 0);
	assert_int_equal(ahead_take(&a), 4);
}

static void beside(void **state)
{
	(void)state;
	aio_start();
	ahead_init(&a, 7);
	aio.interrupts = 2;
	reads_in_turn();
	assert_int_equal(aio.reads, 4);
	ahead_fini(&a);
	assert_false(aio.open);
}

static void then_and_there(void **state)
{
	(void)state;
	ahead_init(&a, 7);
	reads_in_turn();
	ahead_fini(&a);
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
	ahead_init(&a, 7);
	reads_in_turn();
	ahead_fini(&a);
	assert_false(aio.open);
}

static void the_end_waits_for_what_is_under_way(void **state)
{
	(void)state;
	aio_start();
	ahead_init(&a, 7);
	ahead_start(&a, got, 4, 0);
	assert_true(aio.under_way);
	ahead_fini(&a);
	assert_false(aio.under_way);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(beside, setup),
		cmocka_unit_test_setup(then_and_there, setup),
		cmocka_unit_test_setup(no_room_for_one_more, setup),
		cmocka_unit_test_setup(the_end_waits_for_what_is_under_way, setup),
	};
	return cmocka_run_group_tests_name("ahead", tests, NULL, NULL);
}
