/* The scrub role: a good root, a damaged block, no verified root; it yields and tells one fact. */
#include "node/scrub.h"

#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include "box.h"
#include "host/verity.h"
#include "pid1.h"

#define BLOCKS 600 /* of the device: two whole steps and a part */

static uint64_t bad_block;
static bool verified;
static unsigned idle, rests;
static int64_t read_ms; /* what one read takes */

static int root_ioctl(int fd, unsigned long request, void *arg)
{
	struct dm_ioctl *rq = arg;

	(void)fd;
	assert_true(request == DM_DEV_STATUS);
	rq->dev = makedev(253, 0);
	errno = ENXIO;
	return verified ? 0 : -1;
}

static int root_open(const char *path, int flags, mode_t mode)
{
	(void)mode;
	if (strcmp(path, "/dev/dm-0") == 0)
		assert_true(flags & O_DIRECT); /* past the page cache */
	else
		assert_string_equal(path, "/dev/mapper/control");
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static ssize_t root_pread(int fd, void *p, size_t n, off_t at)
{
	off_t bad = (off_t)(bad_block * VERITY_BLOCK), end = (off_t)BLOCKS * VERITY_BLOCK;

	(void)fd;
	assert_int_equal((uintptr_t)p % VERITY_BLOCK, 0);
	fake_clock_ms += read_ms;
	if (bad >= at && bad < at + (off_t)n) {
		errno = EIO;
		return -1;
	}
	return at >= end ? 0 : at + (off_t)n > end ? (ssize_t)(end - at) : (ssize_t)n;
}

static int be_idle(void)
{
	idle++;
	return 0;
}

static int64_t rested;

static int rest(struct pollfd *p, nfds_t n, int timeout)
{
	if (n > 0)
		return poll(p, n, timeout);
	rests++;
	rested += timeout;
	return 0;
}

static int setup(void **state)
{
	box_up(state);
	pid1_up();
	fake_open = root_open;
	fake_ioctl = root_ioctl;
	fake_pread = root_pread;
	fake_set_idle = be_idle;
	fake_poll = rest;
	fake_clock_ms = 1000;
	bad_block = BLOCKS + 1000;
	verified = true;
	idle = rests = 0;
	rested = 0;
	read_ms = 7;
	return 0;
}

static int run(void)
{
	char name[] = "scrub";

	return scrub_main(1, (char *[]){name, NULL});
}

static void a_good_root(void **state)
{
	unsigned before = fake_open_fds();

	(void)state;
	assert_int_equal(run(), 0);
	assert_string_equal(pid1_heard, "fact root-intact on 2 MiB checked\n");
	assert_int_equal(idle, 1);
	assert_int_equal(rests, 3);      /* after each step */
	assert_int_equal(rested, 3 * 7); /* as long as it worked */
	assert_int_equal(fake_open_fds(), before);
}

static void a_damaged_block(void **state)
{
	(void)state;
	bad_block = 300;
	assert_int_equal(run(), 0);
	assert_non_null(strstr(pid1_heard, "fact root-intact off block 300 is damaged"));
	assert_int_equal(pid1_requests, 1);
}

static void a_slow_disk_is_not_rested_for_ever(void **state)
{
	(void)state;
	read_ms = 60000;
	assert_int_equal(run(), 0);
	assert_int_equal(rested, 3 * 500);
}

static void a_root_that_is_not_verified(void **state)
{
	(void)state;
	verified = false;
	assert_int_equal(run(), 0);
	assert_non_null(strstr(pid1_heard, "fact root-intact unknown "));
}

static void a_pid_1_that_does_not_answer(void **state)
{
	char name[] = "scrub", extra[] = "x";

	(void)state;
	pid1_answer = PID1_ABSENT;
	assert_int_equal(run(), 1);
	assert_int_equal(scrub_main(2, (char *[]){name, extra, NULL}), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_good_root, setup, box_down),
		cmocka_unit_test_setup_teardown(a_damaged_block, setup, box_down),
		cmocka_unit_test_setup_teardown(a_slow_disk_is_not_rested_for_ever, setup, box_down),
		cmocka_unit_test_setup_teardown(a_root_that_is_not_verified, setup, box_down),
		cmocka_unit_test_setup_teardown(a_pid_1_that_does_not_answer, setup, box_down),
	};

	return cmocka_run_group_tests_name("scrub", tests, NULL, NULL);
}
