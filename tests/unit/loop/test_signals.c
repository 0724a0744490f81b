/* Signals as loop events, with real signals sent to this process. */
#include "loop/signals.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"

static struct loop l;
static struct err e;
static sigset_t mask_before;
static unsigned fds_before;
static int seen[16];
static unsigned seen_count;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	sigprocmask(SIG_BLOCK, NULL, &mask_before);
	fds_before = fake_open_fds();
	seen_count = 0;
	return loop_init(&l, &e);
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	signals_fini(&l);
	loop_fini(&l);
	sigprocmask(SIG_SETMASK, &mask_before, NULL);
	return fake_open_fds() == fds_before ? 0 : -1;
}

static void on_signal(struct loop *loop, int signo, void *arg)
{
	assert_ptr_equal(loop, &l);
	assert_ptr_equal(arg, seen);
	assert_true(seen_count < 16);
	seen[seen_count++] = signo;
}

static bool is_blocked(int signo)
{
	sigset_t now;
	sigprocmask(SIG_BLOCK, NULL, &now);
	return sigismember(&now, signo) == 1;
}

static void signals_become_events(void **state)
{
	(void)state;
	const int list[] = {SIGUSR1, SIGTERM, 0};
	assert_int_equal(signals_init(&l, list, on_signal, seen, &e), 0);
	assert_true(is_blocked(SIGUSR1));
	assert_true(is_blocked(SIGTERM));
	assert_false(is_blocked(SIGUSR2));
	kill(getpid(), SIGTERM);
	kill(getpid(), SIGUSR1);
	assert_int_equal(loop_step(&l, &e), 0);
	assert_int_equal(seen_count, 2);
	assert_int_equal(seen[0] + seen[1], SIGTERM + SIGUSR1);
	kill(getpid(), SIGUSR1);
	assert_int_equal(loop_step(&l, &e), 0);
	assert_int_equal(seen_count, 3);
	assert_int_equal(seen[2], SIGUSR1);
}

static void a_queue_of_many_arrives_whole(void **state)
{
	(void)state;
	const int list[] = {SIGRTMIN + 4, 0};
	assert_int_equal(signals_init(&l, list, on_signal, seen, &e), 0);
	for (int i = 0; i < 12; i++) /* real-time signals queue */
		assert_int_equal(sigqueue(getpid(), SIGRTMIN + 4, (union sigval){0}), 0);
	assert_int_equal(loop_step(&l, &e), 0);
	assert_int_equal(loop_step(&l, &e), 0);
	assert_int_equal(seen_count, 12);
	assert_int_equal(seen[11], SIGRTMIN + 4);
}

static void a_second_init_is_refused(void **state)
{
	(void)state;
	const int list[] = {SIGUSR1, 0}, other[] = {SIGUSR2, 0};
	assert_int_equal(signals_init(&l, list, on_signal, seen, &e), 0);
	assert_int_equal(signals_init(&l, other, on_signal, seen, &e), -1);
	assert_int_equal(e.code, EBUSY);
	assert_false(is_blocked(SIGUSR2));
}

static void an_unknown_signal_is_refused(void **state)
{
	(void)state;
	const int list[] = {SIGUSR1, 999, 0};
	assert_int_equal(signals_init(&l, list, on_signal, seen, &e), -1);
	assert_int_equal(e.code, EINVAL);
	assert_string_equal(e.text, "signals: no such signal as 999");
	assert_false(is_blocked(SIGUSR1));
}

static void fini_in_a_callback(struct loop *loop, int signo, void *arg)
{
	on_signal(loop, signo, arg);
	signals_fini(loop);
}

static void nothing_is_delivered_after_fini(void **state)
{
	(void)state;
	const int list[] = {SIGUSR1, SIGUSR2, 0};
	assert_int_equal(signals_init(&l, list, fini_in_a_callback, seen, &e), 0);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR2);
	assert_int_equal(loop_step(&l, &e), 0);
	assert_int_equal(seen_count, 1);
	signals_fini(&l);
}

static void a_failed_init_leaves_all_as_it_was(void **state)
{
	(void)state;
	const int list[] = {SIGUSR1, 0};
	unsigned n = 1, before = fake_open_fds();
	for (;; n++) {
		fake_fail_at(n, EMFILE);
		int rc = signals_init(&l, list, on_signal, seen, &e);
		bool hit = fake_fired();
		fake_fail_at(0, 0);
		if (!hit) {
			assert_int_equal(rc, 0);
			break;
		}
		assert_int_equal(rc, -1);
		assert_int_equal(e.code, EMFILE);
		assert_false(is_blocked(SIGUSR1));
		assert_int_equal(fake_open_fds(), before);
	}
	assert_int_equal(n, 4); /* sigprocmask, signalfd, epoll_ctl */
}

static void a_failed_read_loses_nothing(void **state)
{
	(void)state;
	const int list[] = {SIGUSR1, 0};
	assert_int_equal(signals_init(&l, list, on_signal, seen, &e), 0);
	kill(getpid(), SIGUSR1);
	fake_fail_at(2, EIO); /* epoll_wait, read */
	assert_int_equal(loop_step(&l, &e), 0);
	assert_true(fake_fired());
	assert_int_equal(seen_count, 0);
	assert_int_equal(loop_step(&l, &e), 0);
	assert_int_equal(seen_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(signals_become_events, setup, teardown),
		cmocka_unit_test_setup_teardown(a_queue_of_many_arrives_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(a_second_init_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(an_unknown_signal_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_is_delivered_after_fini, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failed_init_leaves_all_as_it_was, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failed_read_loses_nothing, setup, teardown),
	};
	return cmocka_run_group_tests_name("loop/signals", tests, NULL, NULL);
}
