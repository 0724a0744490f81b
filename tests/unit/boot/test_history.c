/* What PID 1 keeps of its run and tells of the past ones. Helpers are not started: the words are what counts. */
#include "boot/history.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/paths.h"
#include "base/str.h"
#include "fake/sys.h"

static struct loop l;
static struct facts facts;
static struct history h;
static struct err e;
static char path[] = "/tmp/hearth-test-ends-XXXXXX";
static unsigned spawns;

static int open_ends(const char *name, int flags, mode_t mode)
{
	if (str_eq(name, PATH_RUN_ENDS))
		return open(path, flags, mode);
	errno = ENOENT;
	return -1;
}

static pid_t no_child(int (*fn)(void *), void *arg, int *pidfd)
{
	(void)fn;
	(void)arg;
	(void)pidfd;
	spawns++;
	errno = EAGAIN;
	return -1;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_vfork_call = no_child;
	fake_open = open_ends;
	fake_epoll_wait = fake_epoll_now;
	fake_clock_ms = 5000;
	fake_clock_wall = 1764000000;
	spawns = 0;
	memset(&l, 0, sizeof(l));
	memset(&h, 0, sizeof(h));
	facts_init(&facts);
	if (loop_init(&l, &e) < 0)
		return -1;
	history_init(&h, &l, &facts, "0.3.0");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	loop_fini(&l);
	unlink(path);
	fake_reset();
	return 0;
}

static void past(const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	history_load(&h, "b");
}

static void pass(uint64_t ms)
{
	fake_clock_ms += (int64_t)ms;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(loop_step(&l, &e), 0);
}

static void newest_first(void **state)
{
	char text[4096];
	struct json j;
	struct buf b;
	(void)state;
	past("panic 0 0 - - ill kernel panic: x\nasked 1764000000 86400 a 0.1.0 well reboot\n");
	assert_int_equal(history_last(&h)->kind, END_ASKED);
	buf_init(&b, text, sizeof(text));
	json_init(&j, &b);
	history_json(&h, &j);
	assert_true(json_ok(&j));
	assert_string_equal(text, "{\"boots\":[{\"time\":\"2025-11-24T16:00:00Z\",\"slot\":\"a\",\"version\":\"0.1.0\","
	                          "\"kind\":\"asked\",\"reason\":\"reboot\",\"uptime\":86400,\"well\":true},"
	                          "{\"time\":\"\",\"slot\":\"\",\"version\":\"\",\"kind\":\"panic\","
	                          "\"reason\":\"kernel panic: x\",\"uptime\":0,\"well\":false}]}");
}

static void no_past(void **state)
{
	(void)state;
	unlink(path);
	history_load(&h, "");
	assert_null(history_last(&h));
}

static void this_run(void **state)
{
	char line[END_LINE], huge[LIMIT_DETAIL + 1];
	(void)state;
	past("");
	assert_int_equal(history_line(&h, END_ASKED, "reboot", line, &e), 0);
	assert_string_equal(line, "asked 1764000000 5 b 0.3.0 ill reboot\n");
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	assert_int_equal(history_line(&h, END_ASKED, huge, line, &e), -1);
}

static void it_is_kept_again_and_again(void **state)
{
	(void)state;
	past("");
	history_well(&h);
	pass(0);
	assert_int_equal(spawns, 0); /* no state partition */
	fact_set(&facts, "state-mounted", FACT_ON, "");
	pass(HISTORY_KEEP_MS);
	assert_int_equal(spawns, 1);
	pass(HISTORY_AGAIN_MS); /* it could not be started */
	assert_int_equal(spawns, 2);
	history_well(&h);
	pass(0);
	assert_int_equal(spawns, 2); /* well already */
	history_stop(&h);
	pass(HISTORY_KEEP_MS);
	assert_int_equal(spawns, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(newest_first),
		TEST(no_past),
		TEST(this_run),
		TEST(it_is_kept_again_and_again),
	};
	int fd = mkstemp(path);
	if (fd >= 0)
		close(fd);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
