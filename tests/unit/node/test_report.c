/* One fact to PID 1: sent once, again after a lost connection, retried with a growing delay. */
#include "node/report.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/proto.h"
#include "fake/sys.h"
#include "loop/chan.h"

static struct loop l;
static struct report r;
static struct err e;
static int pid1;       /* its end of the last connection, -1: none */
static bool listening; /* the socket is there */
static unsigned connects;
static unsigned fds_before;

/* Connects to us instead of PATH_CONTROL. */
static int connect_to_us(int fd, const struct sockaddr *a, socklen_t n)
{
	int ends[2];
	(void)a;
	(void)n;
	connects++;
	if (!listening) {
		errno = ENOENT;
		return -1;
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	if (pid1 >= 0)
		close(pid1);
	pid1 = ends[1];
	assert_int_equal(dup2(ends[0], fd), fd);
	close(ends[0]);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fds_before = fake_open_fds();
	fake_connect = connect_to_us;
	fake_epoll_wait = fake_epoll_now;
	fake_clock_ms = 1000;
	pid1 = -1;
	listening = true;
	connects = 0;
	if (loop_init(&l, &e) < 0)
		return -1;
	report_init(&r, &l, "network-up");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	report_fini(&r);
	loop_fini(&l);
	if (pid1 >= 0)
		close(pid1);
	fake_reset();
	return fake_open_fds() == fds_before ? 0 : -1;
}

static void advance(int64_t ms)
{
	fake_clock_ms += ms;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(loop_step(&l, &e), 0);
}

/* The request that PID 1 got, words joined by '|'; "" when there is none. */
static const char *got(void)
{
	static char data[LIMIT_REQUEST];
	ssize_t n = pid1 < 0 ? -1 : chan_recv(pid1, data, sizeof(data) - 1, NULL, &e);
	if (n <= (ssize_t)sizeof(uint32_t))
		return "";
	for (ssize_t i = sizeof(uint32_t); i < n - 1; i++) {
		if (data[i] == '\0')
			data[i] = '|';
	}
	data[n] = '\0';
	return data + sizeof(uint32_t);
}

static void sends_changes_only(void **state)
{
	(void)state;
	report_set(&r, FACT_OFF, "eth0: no cable");
	assert_string_equal(got(), "fact|network-up|off|eth0: no cable");
	report_set(&r, FACT_OFF, "eth0: no cable");
	assert_string_equal(got(), "");
	report_set(&r, FACT_ON, "eth0 10.0.2.15/24");
	assert_string_equal(got(), "fact|network-up|on|eth0 10.0.2.15/24");
	assert_int_equal(connects, 1);
}

static void waits_for_the_socket(void **state)
{
	(void)state;
	listening = false;
	report_set(&r, FACT_OFF, "a");
	advance(0);
	assert_int_equal(connects, 1);
	advance(REPORT_RETRY_MIN_MS);
	assert_int_equal(connects, 2);
	advance(REPORT_RETRY_MIN_MS);
	assert_int_equal(connects, 2); /* twice as long now */
	for (unsigned i = 0; i < 20; i++)
		advance(REPORT_RETRY_MAX_MS);
	assert_in_range(connects, 20, 24);
	listening = true;
	report_set(&r, FACT_ON, "b"); /* the newest value only, and at once */
	assert_string_equal(got(), "fact|network-up|on|b");
	assert_string_equal(got(), "");
}

static void says_it_again_to_a_new_connection(void **state)
{
	(void)state;
	report_set(&r, FACT_ON, "a");
	assert_string_equal(got(), "fact|network-up|on|a");
	close(pid1);
	pid1 = -1;
	advance(0);
	advance(REPORT_RETRY_MIN_MS);
	assert_string_equal(got(), "fact|network-up|on|a");
}

static void answers_are_taken(void **state)
{
	(void)state;
	static const char ok[] = {1, 0, 0, 0, PROTO_OK, '{', '}'}, bad[] = {2, 0, 0, 0, PROTO_ERROR, 'n', 'o'};
	static const char long_one[REPORT_RETRY_MAX_MS] = {1, 0, 0, 0, PROTO_OK};
	report_set(&r, FACT_ON, "a");
	(void)got();
	assert_int_equal(chan_send(pid1, ok, sizeof(ok), -1, &e), 0);
	assert_int_equal(chan_send(pid1, bad, sizeof(bad), -1, &e), 0);
	assert_int_equal(chan_send(pid1, "x", 1, -1, &e), 0);
	advance(0);
	assert_int_equal(connects, 1);
	assert_int_equal(chan_send(pid1, long_one, sizeof(long_one), -1, &e), 0);
	advance(0);
	advance(REPORT_RETRY_MIN_MS);
	assert_int_equal(connects, 2); /* not understood: a fresh connection, and the value again */
	assert_string_equal(got(), "fact|network-up|on|a");
}

static void long_details_are_cut(void **state)
{
	(void)state;
	char detail[2 * LIMIT_DETAIL];
	memset(detail, 'x', sizeof(detail));
	detail[sizeof(detail) - 1] = '\0';
	report_set(&r, FACT_OFF, detail);
	assert_int_equal(strlen(got()), strlen("fact|network-up|off|") + LIMIT_DETAIL - 1);
	report_set(&r, FACT_OFF, "");
	assert_string_equal(got(), "fact|network-up|off");
}

static void survives_any_failing_call(void **state)
{
	(void)state;
	bool fired = true;
	for (unsigned n = 1; fired && n < 60; n++) {
		fake_fail_at(n, ENOMEM);
		report_set(&r, n % 2 ? FACT_ON : FACT_OFF, "a");
		fired = fake_fired();
		fake_fail_at(0, 0);
		advance(REPORT_RETRY_MAX_MS);
		assert_string_equal(got(), n % 2 ? "fact|network-up|on|a" : "fact|network-up|off|a");
		report_fini(&r);
		if (pid1 >= 0)
			close(pid1);
		pid1 = -1;
	}
	assert_false(fired);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(sends_changes_only), T(waits_for_the_socket), T(says_it_again_to_a_new_connection),
		T(answers_are_taken),  T(long_details_are_cut), T(survives_any_failing_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
