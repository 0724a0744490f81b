/* Device events: draining never blocks, never loops for ever, and a lost message counts as a change. */
#include "host/uevent.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"

static struct err e;
static int answers[4]; /* errno of each call; 0: a message */
static unsigned calls;

static ssize_t scripted_recvmsg(int fd, struct msghdr *m, int flags)
{
	(void)fd;
	(void)m;
	assert_true(flags & MSG_DONTWAIT);
	errno = calls < 4 ? answers[calls] : 0;
	calls++;
	return errno ? -1 : 20;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	calls = 0;
	return 0;
}

static bool drain(int a, int b, int c)
{
	answers[0] = a;
	answers[1] = b;
	answers[2] = c;
	answers[3] = EAGAIN;
	calls = 0;
	fake_recvmsg = scripted_recvmsg;
	return uevent_drain(3);
}

static void drained_until_empty(void **state)
{
	(void)state;
	assert_false(drain(EAGAIN, 0, 0));
	assert_int_equal(calls, 1);
	assert_true(drain(0, 0, EAGAIN));
	assert_int_equal(calls, 3);
	assert_false(drain(EINTR, EAGAIN, 0));
	assert_int_equal(calls, 2);
}

static void lost_messages_are_a_change(void **state)
{
	(void)state;
	assert_true(drain(ENOBUFS, EAGAIN, 0));
}

static ssize_t storm_recvmsg(int fd, struct msghdr *m, int flags)
{
	(void)fd;
	(void)m;
	(void)flags;
	calls++;
	return 1;
}

static void a_storm_ends(void **state)
{
	(void)state;
	fake_recvmsg = storm_recvmsg;
	assert_true(uevent_drain(3));
	assert_int_equal(calls, UEVENT_DRAIN);
}

static void opening_leaks_nothing(void **state)
{
	unsigned before = fake_open_fds();

	(void)state;
	int fd = uevent_open(&e);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_false(uevent_drain(fd));
	close(fd);
	for (unsigned n = 1; n <= 2; n++) {
		fake_fail_at(n, ENOMEM);
		assert_int_equal(uevent_open(&e), -1);
		assert_true(fake_fired());
	}
	assert_int_equal(fake_open_fds(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(drained_until_empty, setup),
		cmocka_unit_test_setup(lost_messages_are_a_change, setup),
		cmocka_unit_test_setup(a_storm_ends, setup),
		cmocka_unit_test_setup(opening_leaks_nothing, setup),
	};

	return cmocka_run_group_tests_name("uevent", tests, NULL, NULL);
}
