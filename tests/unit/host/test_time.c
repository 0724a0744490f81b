/* The clock's floor: which source wins, and that the clock only goes forward. */
#include "host/time.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/sys.h"

static struct err e;
static int64_t set_to;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	err_clear(&e);
	set_to = -1;
	return 0;
}

static int record_set(int64_t wall)
{
	set_to = wall;
	return 0;
}

static void latest_wins(void **state)
{
	(void)state;
	static const struct {
		struct time_floor f;
		int64_t want;
		enum time_source which;
	} rows[] = {
		{{{0, 0, 0}}, 0, TIME_BUILD},         {{{100, 0, 0}}, 100, TIME_BUILD},
		{{{100, 200, 0}}, 200, TIME_KNOWN},   {{{100, 200, 300}}, 300, TIME_RTC},
		{{{300, 200, 100}}, 300, TIME_BUILD}, {{{100, 300, -7}}, 300, TIME_KNOWN},
		{{{5, 5, 5}}, 5, TIME_BUILD},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		enum time_source which = TIME_SOURCES;
		assert_int_equal(time_latest(&rows[i].f, &which), rows[i].want);
		assert_int_equal(which, rows[i].which);
	}
	assert_string_equal(time_source_name(TIME_KNOWN), "last known");
	assert_string_equal(time_source_name(TIME_SOURCES), "unknown");
}

static void parses_only_seconds(void **state)
{
	(void)state;
	int64_t v = 0;
	assert_int_equal(time_parse("1795564800\n", &v), 0);
	assert_int_equal(v, 1795564800);
	assert_int_equal(time_parse("0", &v), 0);
	static const char *const bad[] = {
		"", "\n", "-1", "1 ", " 1", "1\n\n", "0x1", "253402300800", "99999999999999999999999999", "12.5"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(time_parse(bad[i], &v), -1);
	assert_int_equal(v, 0);
}

static void reads_a_file(void **state)
{
	(void)state;
	char path[] = "/tmp/test_time.XXXXXX";
	int fd = mkstemp(path);
	int64_t v = 0;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "1700000000\n", 11), 11);
	assert_int_equal(time_read(path, &v, &e), 0);
	assert_int_equal(v, 1700000000);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(time_read(path, &v, &e), -1);
	assert_non_null(strstr(e.text, path));
	unsigned before = fake_open_fds();
	for (unsigned n = 1; n < 20; n++) {
		fake_fail_at(n, EIO);
		(void)!time_read(path, &v, &e);
		if (!fake_fired())
			break;
		assert_int_equal(fake_open_fds(), before);
	}
	fake_fail_at(0, 0);
	close(fd);
	unlink(path);
	assert_int_equal(time_read(path, &v, &e), -1);
}

static void goes_forward_only(void **state)
{
	(void)state;
	bool raised = true;
	fake_clock_set = record_set;
	fake_clock_wall = 1000;
	assert_int_equal(time_raise(1000, &raised, &e), 0);
	assert_false(raised);
	assert_int_equal(time_raise(999, &raised, &e), 0);
	assert_int_equal(set_to, -1);
	assert_int_equal(time_raise(1001, &raised, &e), 0);
	assert_true(raised);
	assert_int_equal(set_to, 1001);
	fake_fail_at(1, EPERM);
	assert_int_equal(time_raise(5000, &raised, &e), -1);
	assert_false(raised);
	assert_int_equal(e.code, EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(latest_wins, setup),
		cmocka_unit_test_setup(parses_only_seconds, setup),
		cmocka_unit_test_setup(reads_a_file, setup),
		cmocka_unit_test_setup(goes_forward_only, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
