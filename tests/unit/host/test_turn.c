/* One at a time: the second one waits, and a process that dies gives its turn back. */
#include "host/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/paths.h"
#include "fake/sys.h"

static char file[] = "/tmp/hearth-test-turn-XXXXXX";
static struct err e;

static int the_file(const char *path, int flags, mode_t mode)
{
	assert_string_equal(path, PATH_RUN_ESP_TURN);
	assert_true(flags & O_CLOEXEC); /* a helper program must not keep it */
	return open(file, flags, mode);
}

static int now_or_never(int fd, int op)
{
	return flock(fd, op | LOCK_NB);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_open = the_file;
	fake_flock = now_or_never;
	return 0;
}

static void one_at_a_time(void **state)
{
	unsigned before = fake_open_fds();

	(void)state;
	int turn = turn_take(&e);
	assert_true(turn >= 0);
	assert_int_equal(turn_take(&e), -1);
	assert_int_equal(e.code, EWOULDBLOCK);
	turn_give(turn);
	turn_give(-1);
	turn = turn_take(&e);
	assert_true(turn >= 0);
	turn_give(turn);
	assert_int_equal(fake_open_fds(), before);
}

static void it_comes_back_from_the_dead(void **state)
{
	int status, turn;

	(void)state;
	pid_t child = fork();
	if (child == 0)
		_exit(turn_take(&e) >= 0 ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	turn = turn_take(&e);
	assert_true(turn >= 0);
	turn_give(turn);
}

static void a_stop_waits_for_it(void **state)
{
	int status;

	(void)state;
	pid_t child = fork();
	if (child == 0) {
		int turn = turn_take(&e);
		raise(SIGTERM);
		turn_give(turn);
		_exit(7);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void any_call_may_fail(void **state)
{
	unsigned before = fake_open_fds();

	(void)state;
	for (unsigned n = 1; n <= 3; n++) {
		fake_fail_at(n, EIO);
		assert_int_equal(turn_take(&e), -1);
		assert_true(fake_fired());
		assert_int_equal(fake_open_fds(), before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_at_a_time, setup),
		cmocka_unit_test_setup(it_comes_back_from_the_dead, setup),
		cmocka_unit_test_setup(a_stop_waits_for_it, setup),
		cmocka_unit_test_setup(any_call_may_fail, setup),
	};
	int fd = mkstemp(file);
	if (fd >= 0)
		close(fd);
	int rc = cmocka_run_group_tests_name("turn", tests, NULL, NULL);
	unlink(file);
	return rc;
}
