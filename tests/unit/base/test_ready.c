/* Checks that readiness is said once, to the right descriptor, and only when somebody waits for it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/ready.h"
#include "fake/sys.h"

static int setup(void **state)
{
	(void)state;
	fake_reset();
	return unsetenv("NOTIFY_FD");
}

static void name_fd(int fd)
{
	char text[16];
	(void)snprintf(text, sizeof(text), "%d", fd);
	assert_int_equal(setenv("NOTIFY_FD", text, 1), 0);
}

static void says_it_once_and_closes(void **state)
{
	int p[2];
	char got[64];
	(void)state;
	assert_int_equal(pipe(p), 0);
	name_fd(p[1]);
	ready_say("test");
	ready_say("test");
	assert_int_equal(read(p[0], got, sizeof(got)), 8);
	assert_memory_equal(got, "READY=1\n", 8);
	assert_int_equal(read(p[0], got, sizeof(got)), 0); /* nobody holds the other end any more */
	close(p[0]);
}

static void does_nothing_unasked(void **state)
{
	unsigned before = fake_open_fds();
	(void)state;
	ready_say("test");
	assert_int_equal(setenv("NOTIFY_FD", "4x", 1), 0);
	ready_say("test");
	assert_int_equal(fake_open_fds(), before);
}

static void a_failed_write_still_closes(void **state)
{
	int p[2];
	char got;
	(void)state;
	assert_int_equal(pipe(p), 0);
	name_fd(p[1]);
	fake_fail_at(1, EIO);
	ready_say("test");
	assert_true(fake_fired());
	assert_int_equal(read(p[0], &got, 1), 0);
	close(p[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(says_it_once_and_closes, setup),
		cmocka_unit_test_setup(does_nothing_unasked, setup),
		cmocka_unit_test_setup(a_failed_write_still_closes, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
