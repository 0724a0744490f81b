/* PID 1's own short-lived children, with a faked spawn: one at a time, a deadline, what they are called with. */
#include "boot/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "unit/ended.h"

static struct loop l;
static struct err e;
static struct helper h;
static int signaled;
static pid_t next_pid = 1 << 22;
static int results[4], result_count;

static pid_t fake_child(int (*fn)(void *), void *arg, int *pidfd)
{
	(void)fn;
	(void)arg;
	*pidfd = eventfd(0, EFD_CLOEXEC);
	return ++next_pid;
}

static int note_signal(int pidfd, int signo)
{
	(void)pidfd;
	signaled = signo;
	return 0;
}

static int open_null(const char *path, int flags, mode_t mode)
{
	(void)path;
	(void)mode;
	return open("/dev/null", flags & ~O_CREAT);
}

static void on_end(bool ok, void *arg)
{
	assert_ptr_equal(arg, results);
	results[result_count++] = ok;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_vfork_call = fake_child;
	fake_pidfd_send_signal = note_signal;
	fake_waitid = wait_ended;
	fake_open = open_null;
	fake_clock_ms = 1000;
	memset(&l, 0, sizeof(l));
	signaled = result_count = end_status = 0;
	h = (struct helper){.loop = &l, .fn = on_end, .arg = results};
	return loop_init(&l, &e);
}

static int teardown(void **state)
{
	(void)state;
	/* The nursery of loop/child outlives a test. */
	ended = h.running ? h.child.pid : 0;
	child_reap();
	loop_fini(&l);
	fake_reset();
	return 0;
}

static const char *const words[] = {"keep", "clock", "17", NULL};

static void test_end(void **state)
{
	(void)state;
	assert_int_equal(helper_run(&h, words, 1000, &e), 0);
	assert_true(h.running);
	assert_int_equal(helper_run(&h, words, 1000, &e), -1);
	assert_int_equal(e.code, EBUSY);
	ended = next_pid;
	child_reap();
	assert_false(h.running);
	assert_false(h.deadline.armed);
	assert_int_equal(result_count, 1);
	assert_true(results[0]);
	assert_int_equal(helper_run(&h, words, 1000, &e), 0);
	ended = next_pid;
	end_status = 1;
	child_reap();
	assert_int_equal(result_count, 2);
	assert_false(results[1]);
}

static void test_deadline(void **state)
{
	(void)state;
	assert_int_equal(helper_run(&h, words, 1000, &e), 0);
	fake_clock_ms += 999;
	assert_int_equal(loop_step(&l, &e), 0);
	assert_int_equal(signaled, 0);
	fake_clock_ms += 1;
	assert_int_equal(loop_step(&l, &e), 0);
	assert_int_equal(signaled, SIGKILL);
	assert_true(h.running); /* until it is reaped */
}

static void test_too_many_words(void **state)
{
	static const char *const many[] = {"keep", "1", "2", "3", "4", NULL};
	(void)state;
	assert_int_equal(helper_run(&h, many, 1000, &e), -1);
	assert_false(h.running);
}

static void test_torture(void **state)
{
	(void)state;
	for (unsigned n = 1; n < 50; n++) {
		unsigned before = fake_open_fds();
		fake_fail_at(n, EMFILE);
		int rc = helper_run(&h, words, 1000, &e);
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		assert_int_equal(h.running, rc == 0);
		ended = h.running ? h.child.pid : 0;
		child_reap();
		assert_int_equal(fake_open_fds(), before);
		if (!fired)
			break;
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_end),
		TEST(test_deadline),
		TEST(test_too_many_words),
		TEST(test_torture),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
