/* Clocks under the hand of the test, and times as text. */
#include "base/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/sys.h"

static int setup(void **state)
{
	(void)state;
	fake_reset();
	return 0;
}

static void clocks_come_from_the_seam(void **state)
{
	(void)state;
	fake_clock_ms = 1234;
	fake_clock_wall = 1700000000;
	assert_int_equal(clock_ms(), 1234);
	assert_int_equal(clock_wall(), 1700000000);
	assert_int_equal(clock_wall_ms(), 1700000000000);
	fake_reset();
	uint64_t a = clock_ms(), b = clock_ms();
	assert_true(a > 0 && b >= a);
	int64_t wall = clock_wall();
	assert_in_range(clock_wall_ms() / 1000, wall, wall + 5);
}

static void seconds_as_text(void **state)
{
	(void)state;
	static const struct {
		int64_t wall;
		const char *text;
	} rows[] = {
		{0, "1970-01-01T00:00:00Z"},
		{1769860800, "2026-01-31T12:00:00Z"},
		{951782400, "2000-02-29T00:00:00Z"},
		{-1, "1969-12-31T23:59:59Z"},
		{253402300799, "9999-12-31T23:59:59Z"},
		{253402300800, "unknown"},
		{-62167219200, "0000-01-01T00:00:00Z"},
		{-62167219201, "unknown"},
		{INT64_MAX, "unknown"},
		{INT64_MIN, "unknown"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[21];
		clock_format(rows[i].wall, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
	}
}

static void milliseconds_as_text(void **state)
{
	(void)state;
	static const struct {
		int64_t wall_ms;
		const char *text;
	} rows[] = {
		{0, "1970-01-01T00:00:00.000Z"},  {1769860800123, "2026-01-31T12:00:00.123Z"},
		{-1, "1969-12-31T23:59:59.999Z"}, {-1000, "1969-12-31T23:59:59.000Z"},
		{INT64_MAX, "unknown"},           {INT64_MIN, "unknown"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char text[25];
		clock_format_ms(rows[i].wall_ms, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
	}
}

static void the_time_zone_does_not_matter(void **state)
{
	(void)state;
	char text[21];
	setenv("TZ", "XYZ-5", 1);
	clock_format(0, text, sizeof(text));
	unsetenv("TZ");
	assert_string_equal(text, "1970-01-01T00:00:00Z");
}

static void too_little_room_never_gives_half_a_time(void **state)
{
	(void)state;
	for (size_t cap = 0; cap < 25; cap++) {
		char *text = malloc(cap + 1);
		text[0] = '\0';
		clock_format(0, text, cap);
		const char *want = cap >= 21 ? "1970-01-01T00:00:00Z" : cap >= 8 ? "unknown" : "";
		assert_string_equal(text, want);
		clock_format_ms(0, text, cap);
		assert_true(text[0] == '\0' || str_eq(text, "unknown"));
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(clocks_come_from_the_seam, setup),
		cmocka_unit_test_setup(seconds_as_text, setup),
		cmocka_unit_test_setup(milliseconds_as_text, setup),
		cmocka_unit_test_setup(the_time_zone_does_not_matter, setup),
		cmocka_unit_test_setup(too_little_room_never_gives_half_a_time, setup),
	};
	return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
