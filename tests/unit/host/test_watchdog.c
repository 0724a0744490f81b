/* The watchdog device: a pipe stands for it, its ioctls are faked. */
#include "host/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/sys.h"

static struct watchdog w;
static struct err e;
static int ends[2];
static int status, fixed; /* fixed: the timeout of a driver that lets nobody set it; 0: anybody may */
static unsigned fed;
static bool dumb; /* knows no ioctl */

static int open_dog(const char *path, int flags, mode_t mode)
{
	(void)mode;
	assert_string_equal(path, "/dev/watchdog0");
	assert_true(flags & O_NONBLOCK);
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	return ends[1];
}

static int no_dog(const char *path, int flags, mode_t mode)
{
	(void)path;
	(void)flags;
	(void)mode;
	errno = ENOENT;
	return -1;
}

static int answer(int fd, unsigned long request, void *arg)
{
	assert_int_equal(fd, ends[1]);
	errno = ENOTTY;
	if (dumb)
		return -1;
	switch (request) {
	case WDIOC_GETBOOTSTATUS:
		*(int *)arg = status;
		return 0;
	case WDIOC_GETSUPPORT:
		memcpy(((struct watchdog_info *)arg)->identity, "i6300ESB timer and a name as long", 32);
		return 0;
	case WDIOC_SETTIMEOUT:
		return fixed ? -1 : 0;
	case WDIOC_GETTIMEOUT:
		*(int *)arg = fixed;
		return 0;
	case WDIOC_KEEPALIVE:
		fed++;
		return 0;
	default:
		return -1;
	}
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_open = open_dog;
	fake_ioctl = answer;
	status = fixed = 0;
	fed = 0;
	dumb = false;
	ends[0] = ends[1] = -1;
	watchdog_init(&w);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (ends[0] >= 0)
		close(ends[0]);
	if (w.fd >= 0)
		close(w.fd);
	fake_reset();
	return 0;
}

static void opened_and_fed(void **state)
{
	(void)state;
	assert_int_equal(watchdog_open(&w, 60, &e), 0);
	assert_int_equal(watchdog_open(&w, 60, &e), 0);
	assert_string_equal(w.name, "i6300ESB timer and a name as lon");
	assert_int_equal(w.seconds, 60);
	assert_false(w.bitten);
	assert_int_equal(watchdog_feed(&w, &e), 0);
	assert_int_equal(fed, 1);
}

static void it_was_why_the_machine_started(void **state)
{
	(void)state;
	status = WDIOF_CARDRESET;
	assert_int_equal(watchdog_open(&w, 60, &e), 0);
	assert_true(w.bitten);
	watchdog_stop(&w);
	close(ends[0]);
	status = WDIOF_OVERHEAT;
	assert_int_equal(watchdog_open(&w, 60, &e), 0);
	assert_false(w.bitten);
}

static void drivers_differ(void **state)
{
	char byte[4];
	(void)state;
	fixed = 30;
	assert_int_equal(watchdog_open(&w, 60, &e), 0);
	assert_int_equal(w.seconds, 30);
	dumb = true;
	assert_int_equal(watchdog_feed(&w, &e), 0);
	assert_int_equal(read(ends[0], byte, sizeof(byte)), 1);
	assert_int_not_equal(byte[0], 'V');
	watchdog_stop(&w);
	close(ends[0]);
	assert_int_equal(watchdog_open(&w, 60, &e), 0);
	assert_string_equal(w.name, "watchdog");
	assert_int_equal(w.seconds, 0);
}

static void stopping_is_said_to_it(void **state)
{
	char byte[4];
	(void)state;
	watchdog_stop(&w);
	assert_int_equal(watchdog_open(&w, 60, &e), 0);
	watchdog_stop(&w);
	assert_int_equal(w.fd, -1);
	assert_int_equal(read(ends[0], byte, sizeof(byte)), 1);
	assert_int_equal(byte[0], 'V');
}

static void handed_over_and_taken(void **state)
{
	struct watchdog next;
	(void)state;
	assert_int_equal(watchdog_open(&w, 60, &e), 0);
	assert_int_equal(watchdog_hand_over(&w, &e), 0);
	assert_int_equal(fcntl(w.fd, F_GETFD), 0);
	watchdog_init(&next);
	status = WDIOF_CARDRESET;
	assert_int_equal(watchdog_take(&next, w.fd, 60, &e), 0);
	assert_int_equal(fcntl(w.fd, F_GETFD), FD_CLOEXEC);
	assert_true(next.fd == w.fd && next.bitten && next.seconds == 60);
	watchdog_init(&next);
	assert_int_equal(watchdog_take(&next, 999, 60, &e), -1);
	assert_int_equal(next.fd, -1);
}

static void a_machine_without(void **state)
{
	(void)state;
	fake_open = no_dog;
	assert_int_equal(watchdog_open(&w, 60, &e), -1);
	assert_int_equal(e.code, ENOENT);
	assert_int_equal(w.fd, -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opened_and_fed),         TEST(it_was_why_the_machine_started), TEST(drivers_differ),
		TEST(stopping_is_said_to_it), TEST(handed_over_and_taken),          TEST(a_machine_without),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
