/* The phases of a shutdown under a hand-advanced clock. Nothing here reboots, kills or unmounts: those calls are faked
 * in every test. */
#include "boot/shutdown.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/reboot.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"
#include "service/table.h"

static struct loop l;
static struct facts facts;
static struct events events;
static struct services services;
static struct say consoles;
static struct history history;
static struct shutdown s;
static struct err e;
static int reboots, last_reboot, begun, left;
static char started[512]; /* words of the helpers that were started */

static int note_reboot(int how)
{
	reboots++;
	last_reboot = how;
	errno = EPERM;
	return -1;
}

static int no_kill(pid_t pid, int signo)
{
	(void)pid;
	(void)signo;
	errno = ESRCH;
	return -1;
}

static pid_t no_child(int (*fn)(void *), void *arg, int *pidfd)
{
	(void)fn;
	(void)arg;
	(void)pidfd;
	strcat(started, "x");
	errno = EAGAIN;
	return -1;
}

static pid_t stuck_child(int (*fn)(void *), void *arg, int *pidfd)
{
	(void)fn;
	(void)arg;
	strcat(started, "s");
	*pidfd = eventfd(0, EFD_CLOEXEC);
	return 1 << 22;
}

static int no_signal(int pidfd, int signo)
{
	(void)pidfd;
	strcat(started, signo == SIGKILL ? "k" : "?");
	return 0;
}

static void on_begun(void *arg)
{
	assert_ptr_equal(arg, &s);
	begun++;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_reboot = note_reboot;
	fake_kill = no_kill;
	fake_vfork_call = no_child;
	fake_pidfd_send_signal = no_signal;
	fake_epoll_wait = fake_epoll_now;
	fake_clock_ms = 1000;
	fake_clock_wall = 1700000000;
	reboots = last_reboot = begun = 0;
	started[0] = '\0';
	memset(&l, 0, sizeof(l));
	memset(&facts, 0, sizeof(facts));
	memset(&services, 0, sizeof(services));
	memset(&s, 0, sizeof(s));
	memset(&history, 0, sizeof(history));
	if (loop_init(&l, &e) < 0)
		return -1;
	facts_init(&facts);
	events_init(&events);
	services_init(&services, &l, &facts, &events);
	s = (struct shutdown){.loop = &l, .services = &services, .facts = &facts, .events = &events, .say = &consoles};
	s.history = &history;
	history_init(&history, &l, &facts, "0.1.0");
	s.begun = on_begun;
	s.arg = &s;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	loop_fini(&l);
	fake_reset();
	return 0;
}

static void pass_time(int64_t ms)
{
	for (; ms > 0; ms -= SHUTDOWN_TICK_MS) {
		fake_clock_ms += SHUTDOWN_TICK_MS;
		assert_int_equal(loop_step(&l, &e), 0);
	}
}

static void test_straight_through(void **state)
{
	(void)state;
	fact_set(&facts, "state-mounted", FACT_ON, "");
	assert_false(shutdown_running(&s));
	shutdown_ask(&s, SHUTDOWN_POWEROFF, "a test");
	assert_true(shutdown_running(&s));
	assert_int_equal(begun, 1);
	assert_string_equal(s.why, "power-off asked for by a test");
	pass_time(1000);
	assert_string_equal(started, "xx"); /* keep, unmount: could not be started, and that holds up nothing */
	assert_int_equal(s.phase, PHASE_REBOOT);
	assert_int_equal(reboots, 1);
	assert_int_equal(last_reboot, RB_POWER_OFF);
	pass_time(5000);
	assert_int_equal(reboots, 2); /* again, until the kernel does it */
}

static void on_leaving(enum shutdown_how how, void *arg)
{
	assert_ptr_equal(arg, &s);
	assert_int_equal(how, SHUTDOWN_HALT);
	assert_int_equal(reboots, left);
	left++;
}

static void test_who_must_know_knows_before_the_kernel(void **state)
{
	(void)state;
	left = 0;
	s.leaving = on_leaving;
	assert_false(shutdown_is_late(&s, 0));
	shutdown_ask(&s, SHUTDOWN_HALT, "a test");
	fake_clock_ms += 200000;
	assert_true(shutdown_is_late(&s, 0));
	assert_false(shutdown_is_late(&s, 60000));
	pass_time(1000);
	assert_int_equal(left, 1);
	pass_time(5000);
	assert_int_equal(left, 2);
}

static void test_the_box_itself_starts_again(void **state)
{
	(void)state;
	shutdown_restart(&s, END_HEALTH_GATE, "no node-ready within 15 min");
	assert_int_equal(begun, 1);
	assert_int_equal(s.kind, END_HEALTH_GATE);
	assert_string_equal(s.why, "no node-ready within 15 min");
	/* Not while something else is under way; a person's word counts. */
	shutdown_restart(&s, END_UPDATE, "x");
	assert_int_equal(s.kind, END_HEALTH_GATE);
	shutdown_ask(&s, SHUTDOWN_POWEROFF, "a test");
	assert_int_equal(s.kind, END_ASKED);
	assert_int_equal(begun, 1);
	pass_time(1000);
	assert_int_equal(last_reboot, RB_POWER_OFF);
}

static void test_no_record_without_state(void **state)
{
	(void)state;
	shutdown_ask(&s, SHUTDOWN_HALT, "a test");
	pass_time(1000);
	assert_string_equal(started, "x");
	assert_int_equal(last_reboot, (int)RB_HALT_SYSTEM);
}

static void run_for_ever(struct service *v)
{
	memset(v, 0, sizeof(*v));
	v->all = &services;
	v->child.pidfd = v->notify_fd = v->log_fd = v->log_read_fd = v->cgroup_fd = -1;
	strcpy(v->def.name, "stubborn");
	v->def.stop_timeout_ms = 3600000;
	v->def.stop_signal = SIGTERM;
	v->state = SERVICE_READY;
	v->want_up = true;
	services.count = 1;
	services.others = 1;
}

static void test_services_have_a_deadline(void **state)
{
	(void)state;
	run_for_ever(&services.service[0]);
	shutdown_ask(&s, SHUTDOWN_REBOOT, "a test");
	pass_time(179900);
	assert_int_equal(s.phase, PHASE_STOP);
	pass_time(200);
	assert_int_equal(s.phase, PHASE_KILL);
	pass_time(1100);
	assert_true(s.phase > PHASE_KILL);
	pass_time(30000);
	assert_true(reboots > 0);
}

static void test_stuck_helpers_are_left_behind(void **state)
{
	(void)state;
	fake_vfork_call = stuck_child;
	fact_set(&facts, "state-mounted", FACT_ON, "");
	shutdown_ask(&s, SHUTDOWN_REBOOT, "a test");
	pass_time(4000);
	assert_int_equal(s.phase, PHASE_RECORD);
	pass_time(2000);
	assert_int_equal(s.phase, PHASE_UNMOUNT);
	assert_int_equal(reboots, 0);
	pass_time(21000);
	assert_int_equal(s.phase, PHASE_REBOOT);
	assert_int_equal(last_reboot, RB_AUTOBOOT);
	assert_int_equal(reboots, 1);
	assert_string_equal(started, "sksk"); /* each was started, and killed at its deadline */
}

static void test_a_later_request_changes_the_end(void **state)
{
	(void)state;
	run_for_ever(&services.service[0]);
	shutdown_ask(&s, SHUTDOWN_REBOOT, "a test");
	pass_time(100);
	shutdown_ask(&s, SHUTDOWN_POWEROFF, "the power button");
	shutdown_ask(&s, SHUTDOWN_POWEROFF, "somebody else"); /* the same again is no news */
	assert_int_equal(begun, 1);
	assert_string_equal(s.why, "power-off asked for by the power button");
	pass_time(210000);
	assert_int_equal(last_reboot, RB_POWER_OFF);
}

static void test_ctrl_alt_del_hurries(void **state)
{
	(void)state;
	run_for_ever(&services.service[0]);
	shutdown_ctrl_alt_del(&s);
	assert_int_equal(s.phase, PHASE_STOP);
	assert_string_equal(s.why, "reboot asked for by Ctrl-Alt-Del");
	pass_time(100);
	assert_int_equal(s.phase, PHASE_STOP);
	shutdown_ctrl_alt_del(&s);
	assert_int_equal(s.phase, PHASE_KILL);
}

static void test_a_burst_forces(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SHUTDOWN_BURST - 1; i++) {
		shutdown_ctrl_alt_del(&s);
		fake_clock_ms += 330;
	}
	int before = reboots;
	shutdown_ctrl_alt_del(&s);
	assert_int_equal(reboots, before + 1);
	assert_int_equal(last_reboot, RB_AUTOBOOT);
}

static void test_slow_presses_are_no_burst(void **state)
{
	(void)state;
	run_for_ever(&services.service[0]);
	fake_vfork_call = stuck_child;
	s.phase = PHASE_REBOOT; /* nothing left to hurry */
	for (unsigned i = 0; i < 3 * SHUTDOWN_BURST; i++) {
		shutdown_ctrl_alt_del(&s);
		fake_clock_ms += 400;
	}
	assert_int_equal(reboots, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_straight_through),
		TEST(test_who_must_know_knows_before_the_kernel),
		TEST(test_the_box_itself_starts_again),
		TEST(test_no_record_without_state),
		TEST(test_services_have_a_deadline),
		TEST(test_stuck_helpers_are_left_behind),
		TEST(test_a_later_request_changes_the_end),
		TEST(test_ctrl_alt_del_hurries),
		TEST(test_a_burst_forces),
		TEST(test_slow_presses_are_no_burst),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
