/* The watchdog's keeper: when it feeds, when it does not, and how it leaves. The device is a pipe, its food is counted.
 */
#include "boot/guard.h"

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

#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "fake/sys.h"

static struct loop l;
static struct facts facts;
static struct stages stages;
static struct shutdown s;
static struct control control;
static struct guard g;
static struct err e;
static int ends[2];
static int status, timeout;
static unsigned fed;
static bool waiting; /* a connection to the control socket */
static bool noted;   /* PATH_RUN_WATCHDOG was made */
static const struct stage_row row = {"network", NULL, "network-up", NULL, 30000, STAGE_OUTSIDE, "an address"};

static int open_dog(const char *path, int flags, mode_t mode)
{
	if (str_starts(path, PATH_RUN))
		return open(flags & O_DIRECTORY ? "/" : "/dev/null", flags & (O_ACCMODE | O_CLOEXEC), mode);
	if (!str_eq(path, "/dev/watchdog0"))
		return open(path, flags, mode);
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
	(void)fd;
	if (request == WDIOC_GETBOOTSTATUS)
		*(int *)arg = status;
	else if (request == WDIOC_SETTIMEOUT && timeout)
		*(int *)arg = timeout;
	else if (request == WDIOC_KEEPALIVE)
		fed++;
	return 0;
}

static int poll_control(struct pollfd *fds, nfds_t n, int ms)
{
	(void)n;
	assert_int_equal(ms, 0);
	fds->revents = waiting ? POLLIN : 0;
	return waiting;
}

static int note_rename(const char *from, const char *to)
{
	(void)from;
	noted = str_eq(to, PATH_RUN_WATCHDOG);
	return 0;
}

static int no_unlink(const char *path)
{
	(void)path;
	return 0;
}

static int no_chmod(const char *path, mode_t mode)
{
	(void)path;
	(void)mode;
	return 0;
}

static int no_fsync(int fd)
{
	(void)fd;
	return 0;
}

static int setup(void **state)
{
	static int nowhere = -1;
	(void)state;
	fake_reset();
	if (nowhere < 0)
		nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	log_init("test", nowhere, 0);
	fake_open = open_dog;
	fake_ioctl = answer;
	fake_poll = poll_control;
	fake_rename = note_rename;
	fake_unlink = no_unlink;
	fake_chmod = no_chmod;
	fake_fsync = no_fsync;
	fake_epoll_wait = fake_epoll_now;
	fake_clock_ms = 1000;
	status = timeout = 0;
	fed = 0;
	waiting = noted = false;
	ends[0] = ends[1] = -1;
	memset(&l, 0, sizeof(l));
	memset(&s, 0, sizeof(s));
	memset(&stages, 0, sizeof(stages));
	control.listen_fd = 99;
	stages.stage[0].row = &row;
	stages.count = 1;
	facts_init(&facts);
	g = (struct guard){.loop = &l, .facts = &facts, .stages = &stages, .shutdown = &s, .control = &control};
	guard_init(&g);
	return loop_init(&l, &e);
}

static int teardown(void **state)
{
	(void)state;
	if (ends[0] >= 0)
		close(ends[0]);
	if (g.dog.fd >= 0)
		close(g.dog.fd);
	loop_fini(&l);
	fake_reset();
	return 0;
}

static void pass(uint64_t ms)
{
	for (uint64_t end = (uint64_t)fake_clock_ms + ms; (uint64_t)fake_clock_ms < end;) {
		fake_clock_ms += 1000;
		assert_int_equal(loop_step(&l, &e), 0);
		assert_int_equal(loop_step(&l, &e), 0);
	}
}

static void start(void)
{
	assert_int_equal(guard_start(&g, &e), 0);
	pass(1000);
	fed = 0;
}

static void fact_is(enum fact_value v, const char *detail)
{
	const struct fact *f = fact_find(&facts, "watchdog");
	assert_non_null(f);
	assert_int_equal(f->value, v);
	assert_string_equal(f->detail, detail);
}

static void fed_as_long_as_all_goes_on(void **state)
{
	(void)state;
	start();
	fact_is(FACT_ON, "watchdog, 60 s");
	assert_false(noted);
	pass(60000);
	assert_int_equal(fed, 6);
	assert_int_equal(guard_start(&g, &e), 0);
	pass(10000);
	assert_int_equal(fed, 7);
}

static void a_hasty_one_is_fed_more_often(void **state)
{
	(void)state;
	timeout = 9;
	start();
	pass(9000);
	assert_int_equal(fed, 3);
}

static void what_it_did_is_left_for_the_storage_role(void **state)
{
	(void)state;
	status = WDIOF_CARDRESET;
	start();
	assert_true(noted);
}

static void a_stage_that_does_not_end(void **state)
{
	(void)state;
	start();
	stages.stage[0].state = STAGE_RUNNING;
	stages.stage[0].since = (uint64_t)fake_clock_ms;
	pass(90000);
	assert_int_equal(fed, 9);
	pass(60000);
	assert_int_equal(fed, 9);
	stages.stage[0].state = STAGE_FAILED;
	pass(10000);
	assert_int_equal(fed, 10);
}

static void a_control_socket_that_nobody_serves(void **state)
{
	(void)state;
	start();
	waiting = true;
	pass(10000);
	assert_int_equal(fed, 1); /* it may just have come */
	pass(20000);
	assert_int_equal(fed, 1);
	waiting = false;
	pass(10000);
	assert_int_equal(fed, 2);
	control.listen_fd = -1;
	waiting = true;
	pass(20000);
	assert_int_equal(fed, 4);
}

static void a_shutdown_that_does_not_go_on(void **state)
{
	(void)state;
	start();
	s.phase = PHASE_UNMOUNT;
	s.phase_since = (uint64_t)fake_clock_ms;
	waiting = true; /* services are gone, clients may be anything */
	pass(80000);
	assert_int_equal(fed, 8);
	pass(40000);
	assert_int_equal(fed, 8);
}

static void a_reboot_has_one_more_minute(void **state)
{
	(void)state;
	start();
	guard_leave(&g, SHUTDOWN_REBOOT);
	guard_leave(&g, SHUTDOWN_REBOOT);
	assert_int_equal(fed, 1);
	pass(60000);
	assert_int_equal(fed, 1);
	assert_true(g.dog.fd >= 0);
}

static void whoever_is_off_stays_off(void **state)
{
	char byte[4];
	(void)state;
	start();
	guard_leave(&g, SHUTDOWN_HALT);
	assert_int_equal(read(ends[0], byte, sizeof(byte)), 1);
	assert_int_equal(byte[0], 'V');
	guard_leave(&g, SHUTDOWN_POWEROFF);
	pass(20000);
	assert_int_equal(fed, 0);
}

static void the_settings(void **state)
{
	(void)state;
	start();
	guard_settings(&g, true);
	assert_true(g.dog.fd >= 0);
	guard_settings(&g, false);
	assert_int_equal(g.dog.fd, -1);
	fact_is(FACT_OFF, "switched off in the settings");
	assert_int_equal(guard_start(&g, &e), 0);
	assert_int_equal(g.dog.fd, -1);
	close(ends[0]);
	guard_settings(&g, true);
	fact_is(FACT_ON, "watchdog, 60 s");
}

static void one_that_stage_1_has_opened(void **state)
{
	int none[2];
	(void)state;
	assert_int_equal(pipe2(none, O_CLOEXEC), 0);
	fake_open = no_dog;
	guard_take(&g, none[1]);
	guard_take(&g, 999);
	fake_open = open_dog;
	start();
	fact_is(FACT_ON, "watchdog, 60 s");
	assert_int_equal(g.dog.fd, none[1]);
	pass(60000);
	assert_int_equal(fed, 6);
	close(none[0]);
}

static void a_machine_without(void **state)
{
	(void)state;
	fake_open = no_dog;
	assert_int_equal(guard_start(&g, &e), 0);
	fact_is(FACT_OFF, "this machine has none");
	guard_leave(&g, SHUTDOWN_HALT);
	pass(20000);
	assert_int_equal(fed, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fed_as_long_as_all_goes_on),
		TEST(a_hasty_one_is_fed_more_often),
		TEST(what_it_did_is_left_for_the_storage_role),
		TEST(a_stage_that_does_not_end),
		TEST(a_control_socket_that_nobody_serves),
		TEST(a_shutdown_that_does_not_go_on),
		TEST(a_reboot_has_one_more_minute),
		TEST(whoever_is_off_stays_off),
		TEST(the_settings),
		TEST(one_that_stage_1_has_opened),
		TEST(a_machine_without),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
