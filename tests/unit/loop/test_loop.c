/* The event loop: delivery, stale events, timers under a hand-advanced clock, and how seldom it wakes. */
#include "loop/loop.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"

#define ARG(text) ((char[]){text}) /* lives as long as the test function */

static struct loop l;
static struct err e;
static char trace[64]; /* one letter per callback */
static unsigned fds_before;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fds_before = fake_open_fds();
	memset(trace, 0, sizeof(trace));
	fake_clock_ms = 1000;
	return loop_init(&l, &e);
}

static int teardown(void **state)
{
	(void)state;
	loop_fini(&l);
	fake_reset();
	return fake_open_fds() == fds_before ? 0 : -1;
}

static int ready_fd(void)
{
	int fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void step(void)
{
	assert_int_equal(loop_step(&l, &e), 0);
}

static void note(const char *letter)
{
	assert_true(strlen(trace) + strlen(letter) < sizeof(trace));
	memcpy(trace + strlen(trace), letter, strlen(letter) + 1);
}

static void on_fd(struct loop *loop, int fd, uint32_t events, void *arg)
{
	(void)fd;
	assert_ptr_equal(loop, &l);
	assert_int_equal(events, EPOLLIN);
	note(arg);
}

static void on_timer(struct loop *loop, void *arg)
{
	assert_ptr_equal(loop, &l);
	note(arg);
}

static void delivers_what_is_ready(void **state)
{
	(void)state;
	int a = ready_fd(), b = eventfd(0, EFD_CLOEXEC);
	assert_int_equal(loop_add(&l, a, EPOLLIN, on_fd, ARG("a"), &e), 0);
	assert_int_equal(loop_add(&l, b, EPOLLIN, on_fd, ARG("b"), &e), 0);
	step();
	assert_string_equal(trace, "a");
	assert_int_equal(write(b, &(uint64_t){1}, 8), 8);
	loop_del(&l, a);
	step();
	assert_string_equal(trace, "ab");
	loop_del(&l, b);
	loop_del(&l, b);
	loop_del(&l, -1);
	close(a);
	close(b);
}

static void refuses_wrong_descriptors(void **state)
{
	(void)state;
	int a = ready_fd();
	assert_int_equal(loop_add(&l, -1, EPOLLIN, on_fd, ARG(""), &e), -1);
	assert_int_equal(e.code, EBADF);
	assert_int_equal(loop_add(&l, 9999, EPOLLIN, on_fd, ARG(""), &e), -1);
	assert_int_equal(e.code, EBADF);
	assert_int_equal(loop_mod(&l, a, EPOLLIN, &e), -1);
	assert_int_equal(e.code, ENOENT);
	assert_int_equal(loop_mod(&l, -1, EPOLLIN, &e), -1);
	assert_int_equal(e.code, ENOENT);
	assert_int_equal(loop_add(&l, a, EPOLLIN, on_fd, ARG(""), &e), 0);
	assert_int_equal(loop_add(&l, a, EPOLLIN, on_fd, ARG(""), &e), -1);
	assert_int_equal(e.code, EEXIST);
	loop_del(&l, a);
	close(a);
}

static int accept_any_ctl(int ep, int op, int fd, struct epoll_event *ev)
{
	(void)ep, (void)op, (void)fd, (void)ev;
	return 0;
}

static void table_has_an_end(void **state)
{
	(void)state;
	fake_epoll_ctl = accept_any_ctl;
	for (int i = 0; i < LIMIT_FDS; i++)
		assert_int_equal(loop_add(&l, 1000 + i, EPOLLIN, on_fd, ARG(""), &e), 0);
	assert_int_equal(loop_add(&l, 5000, EPOLLIN, on_fd, ARG(""), &e), -1);
	assert_int_equal(e.code, ENOSPC);
	loop_del(&l, 1007);
	assert_int_equal(loop_add(&l, 5000, EPOLLIN, on_fd, ARG(""), &e), 0);
}

static void mod_changes_the_interest(void **state)
{
	(void)state;
	static struct loop_timer wake;
	int a = ready_fd();
	assert_int_equal(loop_add(&l, a, EPOLLIN, on_fd, ARG("a"), &e), 0);
	assert_int_equal(loop_mod(&l, a, 0, &e), 0);
	loop_after(&l, &wake, 0, on_timer, ARG("t"));
	step();
	assert_string_equal(trace, "t");
	assert_int_equal(loop_mod(&l, a, EPOLLIN, &e), 0);
	step();
	assert_string_equal(trace, "ta");
	loop_del(&l, a);
	close(a);
}

static int pair[2];

/* Whoever comes first replaces the other one by a new descriptor of the same number. */
static void replace_other(struct loop *loop, int fd, uint32_t events, void *arg)
{
	(void)events;
	int other = pair[fd == pair[0]];
	note(arg);
	loop_del(loop, fd);
	loop_del(loop, other);
	int fresh = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
	assert_int_equal(dup2(fresh, other), other);
	close(fresh);
	assert_int_equal(loop_add(loop, other, EPOLLIN, on_fd, ARG("n"), &e), 0);
}

static void stale_event_does_not_reach_the_next_owner(void **state)
{
	(void)state;
	pair[0] = ready_fd();
	pair[1] = ready_fd();
	assert_int_equal(loop_add(&l, pair[0], EPOLLIN, replace_other, ARG("o"), &e), 0);
	assert_int_equal(loop_add(&l, pair[1], EPOLLIN, replace_other, ARG("o"), &e), 0);
	step();
	assert_string_equal(trace, "o");
	step();
	assert_string_equal(trace, "on");
	loop_del(&l, pair[0]);
	loop_del(&l, pair[1]);
	close(pair[0]);
	close(pair[1]);
}

static void mod_other(struct loop *loop, int fd, uint32_t events, void *arg)
{
	(void)events;
	int other = pair[fd == pair[0]];
	note(arg);
	assert_int_equal(loop_mod(loop, other, 0, &e), 0);
}

static void event_of_an_old_interest_is_dropped(void **state)
{
	(void)state;
	pair[0] = ready_fd();
	pair[1] = ready_fd();
	assert_int_equal(loop_add(&l, pair[0], EPOLLIN, mod_other, ARG("m"), &e), 0);
	assert_int_equal(loop_add(&l, pair[1], EPOLLIN, mod_other, ARG("m"), &e), 0);
	step();
	assert_string_equal(trace, "m");
	loop_del(&l, pair[0]);
	loop_del(&l, pair[1]);
	close(pair[0]);
	close(pair[1]);
}

static void timers_run_in_order(void **state)
{
	(void)state;
	static struct loop_timer t[4];
	loop_after(&l, &t[0], 300, on_timer, ARG("c"));
	loop_after(&l, &t[1], 100, on_timer, ARG("a"));
	loop_after(&l, &t[2], 300, on_timer, ARG("d"));
	loop_after(&l, &t[3], 200, on_timer, ARG("b"));
	step();
	assert_string_equal(trace, "");
	fake_clock_ms = 1099;
	step();
	assert_string_equal(trace, "");
	fake_clock_ms = 1100;
	step();
	assert_string_equal(trace, "a");
	assert_false(t[1].armed);
	fake_clock_ms = 5000;
	step();
	assert_string_equal(trace, "abcd");
	assert_null(l.timers);
}

static void timers_can_be_cancelled_and_moved(void **state)
{
	(void)state;
	static struct loop_timer t[3];
	loop_cancel(&l, &t[0]);
	loop_after(&l, &t[0], 100, on_timer, ARG("x"));
	loop_after(&l, &t[1], 200, on_timer, ARG("b"));
	loop_after(&l, &t[2], 300, on_timer, ARG("c"));
	loop_cancel(&l, &t[0]);
	loop_cancel(&l, &t[0]);
	loop_after(&l, &t[1], 400, on_timer, ARG("m"));
	fake_clock_ms = 2000;
	step();
	assert_string_equal(trace, "cm");
}

static struct loop_timer again, victim;

static void on_again(struct loop *loop, void *arg)
{
	note(arg);
	loop_after(loop, &again, 0, on_again, arg);
}

static void deferred_work_waits_for_the_next_round(void **state)
{
	(void)state;
	loop_after(&l, &again, 0, on_again, ARG("r"));
	step();
	assert_string_equal(trace, "r");
	step();
	assert_string_equal(trace, "rr");
	loop_cancel(&l, &again);
}

static void on_kill(struct loop *loop, void *arg)
{
	note(arg);
	loop_cancel(loop, &victim);
}

static void a_due_timer_can_be_cancelled_by_another(void **state)
{
	(void)state;
	static struct loop_timer killer;
	loop_after(&l, &killer, 10, on_kill, ARG("k"));
	loop_after(&l, &victim, 10, on_timer, ARG("v"));
	fake_clock_ms = 1010;
	step();
	assert_string_equal(trace, "k");
	assert_null(l.timers);
}

static void a_far_deadline_saturates(void **state)
{
	(void)state;
	static struct loop_timer t;
	loop_after(&l, &t, UINT64_MAX, on_timer, ARG("x"));
	assert_true(t.due == UINT64_MAX);
	loop_after(&l, &t, UINT64_MAX - 1001, on_timer, ARG("x"));
	assert_true(t.due == UINT64_MAX - 1);
	loop_cancel(&l, &t);
}

static unsigned sets, waits;
static int last_timeout;
static struct itimerspec last_set;

static int count_set(int fd, int flags, const struct itimerspec *v, struct itimerspec *old)
{
	sets++;
	last_set = *v;
	return timerfd_settime(fd, flags, v, old);
}

/* A wait in which nothing happens. */
static int count_wait(int ep, struct epoll_event *ev, int max, int timeout)
{
	(void)ep, (void)ev, (void)max;
	waits++;
	last_timeout = timeout;
	return 0;
}

static void the_timerfd_is_set_only_when_the_earliest_deadline_changes(void **state)
{
	(void)state;
	static struct loop_timer t[2];
	fake_clock_ms = 100000000000; /* far in the future of the real clock: nothing runs out */
	sets = 0;
	fake_timerfd_settime = count_set;
	fake_epoll_wait = count_wait;
	step();
	assert_int_equal(sets, 0);
	assert_int_equal(last_timeout, -1);
	loop_after(&l, &t[0], 1500, on_timer, ARG(""));
	step();
	step();
	assert_int_equal(sets, 1);
	assert_int_equal(last_set.it_value.tv_sec, 100000001);
	assert_int_equal(last_set.it_value.tv_nsec, 500000000);
	loop_after(&l, &t[1], 9000, on_timer, ARG(""));
	step();
	assert_int_equal(sets, 1);
	loop_cancel(&l, &t[0]);
	step();
	assert_int_equal(sets, 2);
	loop_cancel(&l, &t[1]);
	step();
	step();
	assert_int_equal(sets, 3);
	assert_int_equal(last_set.it_value.tv_sec, 0);
	assert_int_equal(last_timeout, -1);
	loop_after(&l, &t[0], 0, on_timer, ARG(""));
	step();
	assert_int_equal(sets, 3);
	assert_int_equal(last_timeout, 0);
}

static int real_wait(int ep, struct epoll_event *ev, int max, int timeout)
{
	waits++;
	return epoll_wait(ep, ev, max, timeout);
}

static void on_quit(struct loop *loop, void *arg)
{
	note(arg);
	loop_quit(loop);
}

static void one_wake_up_per_deadline_with_the_real_clock(void **state)
{
	(void)state;
	static struct loop_timer t[2];
	fake_clock_ms = -1;
	waits = 0;
	fake_epoll_wait = real_wait;
	loop_after(&l, &t[0], 3, on_timer, ARG("a"));
	loop_after(&l, &t[1], 6, on_quit, ARG("q"));
	assert_int_equal(loop_run(&l, &e), 0);
	assert_string_equal(trace, "aq");
	assert_true(waits <= 2);
}

static int broken_settime(int fd, int flags, const struct itimerspec *v, struct itimerspec *old)
{
	(void)fd, (void)flags, (void)v, (void)old;
	errno = ENOMEM;
	return -1;
}

static void a_broken_timerfd_costs_wake_ups_but_no_deadline(void **state)
{
	(void)state;
	static struct loop_timer t;
	fake_timerfd_settime = broken_settime;
	fake_epoll_wait = count_wait;
	loop_after(&l, &t, 300, on_timer, ARG("t"));
	step();
	assert_int_equal(last_timeout, 300);
	loop_after(&l, &t, 5000, on_timer, ARG("t"));
	step();
	assert_int_equal(last_timeout, 1000);
	fake_clock_ms = 6000;
	step();
	assert_string_equal(trace, "t");
}

static int wait_errno;

static int failing_wait(int ep, struct epoll_event *ev, int max, int timeout)
{
	(void)ep, (void)ev, (void)max, (void)timeout;
	errno = wait_errno;
	return -1;
}

static void interruption_is_no_error(void **state)
{
	(void)state;
	static struct loop_timer t;
	fake_epoll_wait = failing_wait;
	wait_errno = EINTR;
	loop_after(&l, &t, 0, on_timer, ARG("t"));
	step();
	assert_string_equal(trace, "t");
	wait_errno = EBADF;
	assert_int_equal(loop_step(&l, &e), -1);
	assert_int_equal(e.code, EBADF);
	assert_int_equal(loop_run(&l, &e), -1);
}

static void quit_ends_the_run(void **state)
{
	(void)state;
	static struct loop_timer t;
	loop_after(&l, &t, 0, on_quit, ARG("q"));
	assert_int_equal(loop_run(&l, &e), 0);
	assert_int_equal(loop_run(&l, &e), 0);
	assert_string_equal(trace, "q");
}

static void fini_disarms(void **state)
{
	(void)state;
	static struct loop_timer t;
	loop_after(&l, &t, 5, on_timer, ARG("t"));
	loop_fini(&l);
	assert_false(t.armed);
	assert_int_equal(l.epoll_fd, -1);
	loop_fini(&l);
	assert_int_equal(loop_init(&l, &e), 0);
}

/* Everything once; 0 when all of it worked. */
static int tour(void)
{
	static struct loop_timer t;
	int fd = ready_fd(), bad = -1;
	if (loop_init(&l, &e) < 0)
		goto out;
	loop_after(&l, &t, 50, on_timer, ARG(""));
	bad = loop_add(&l, fd, EPOLLIN, on_fd, ARG(""), &e) < 0 || loop_mod(&l, fd, EPOLLIN, &e) < 0 ||
	      loop_step(&l, &e) < 0;
	fake_clock_ms += 50;
	bad |= loop_step(&l, &e) < 0;
	loop_del(&l, fd);
	loop_fini(&l);
out:
	close(fd);
	return bad;
}

static void torture_every_call(void **state)
{
	(void)state;
	loop_fini(&l);
	unsigned failed = 0, n = 1;
	for (;; n++) {
		fake_clock_ms = 1000;
		err_clear(&e);
		fake_fail_at(n, EIO);
		int bad = tour();
		bool hit = fake_fired();
		fake_fail_at(0, 0);
		assert_int_equal(fake_open_fds(), fds_before);
		if (!hit) {
			assert_int_equal(bad, 0);
			break;
		}
		assert_true(!bad || e.code == EIO);
		failed += bad != 0;
	}
	assert_true(n > 7);
	assert_true(failed >= 6);
	assert_int_equal(loop_init(&l, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(delivers_what_is_ready, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_wrong_descriptors, setup, teardown),
		cmocka_unit_test_setup_teardown(table_has_an_end, setup, teardown),
		cmocka_unit_test_setup_teardown(mod_changes_the_interest, setup, teardown),
		cmocka_unit_test_setup_teardown(stale_event_does_not_reach_the_next_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(event_of_an_old_interest_is_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(timers_run_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(timers_can_be_cancelled_and_moved, setup, teardown),
		cmocka_unit_test_setup_teardown(deferred_work_waits_for_the_next_round, setup, teardown),
		cmocka_unit_test_setup_teardown(a_due_timer_can_be_cancelled_by_another, setup, teardown),
		cmocka_unit_test_setup_teardown(a_far_deadline_saturates, setup, teardown),
		cmocka_unit_test_setup_teardown(the_timerfd_is_set_only_when_the_earliest_deadline_changes, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(one_wake_up_per_deadline_with_the_real_clock, setup, teardown),
		cmocka_unit_test_setup_teardown(a_broken_timerfd_costs_wake_ups_but_no_deadline, setup, teardown),
		cmocka_unit_test_setup_teardown(interruption_is_no_error, setup, teardown),
		cmocka_unit_test_setup_teardown(quit_ends_the_run, setup, teardown),
		cmocka_unit_test_setup_teardown(fini_disarms, setup, teardown),
		cmocka_unit_test_setup_teardown(torture_every_call, setup, teardown),
	};
	return cmocka_run_group_tests_name("loop/loop", tests, NULL, NULL);
}
