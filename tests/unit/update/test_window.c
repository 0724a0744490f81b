/* init/update/window.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/str.h"
#include "update/window.h"

#define MONDAY 1795392000 /* 2026-11-23T00:00:00Z */
#define MIN    60
#define HOUR   3600
#define DAY    86400

static struct window w;
static struct err e;

static void take(const char *text)
{
	assert_int_equal(window_parse(&w, text, &e), 0);
}

static void expect(int64_t now, int32_t offset, int64_t from, int64_t to)
{
	struct window_span s = window_next(now, &w, offset);

	assert_int_equal(s.from, from);
	assert_int_equal(s.to, to);
}

static void forms(void **state)
{
	static const char *const bad[] = {
		"3:00-5:00",
		"03:00",
		"03:00-",
		"-05:00",
		"03:00-05:00 ",
		" 03:00-05:00",
		"24:00-05:00",
		"03:60-05:00",
		"03:00-03:00",
		"03:00–05:00",
		"always",
		"mon",
		"mon ",
		"mon03:00-05:00",
		"mon, 03:00-05:00",
		"mon- 03:00-05:00",
		",mon 03:00-05:00",
		"Mon 03:00-05:00",
		"monday 03:00-05:00",
		"mon  03:00-05:00",
		"mon;tue 03:00-05:00",
		"0",
		"03",
		"03:",
		"03:0",
		"mon,",
	};
	static const struct {
		const char *text;
		unsigned days, from, to;
	} good[] = {
		{"03:00-05:00", 0x7f, 180, 300},        {"22:30-04:15", 0x7f, 1350, 255},
		{"sun 00:00-23:59", 0x40, 0, 1439},     {"mon-fri 01:00-02:00", 0x1f, 60, 120},
		{"fri-mon 01:00-02:00", 0x71, 60, 120}, {"sat,tue,sat 01:00-02:00", 0x22, 60, 120},
		{"mon-mon 01:00-02:00", 1, 60, 120},    {"mon-wed,sun 01:00-02:00", 0x47, 60, 120},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		take(good[i].text);
		assert_false(w.any);
		assert_int_equal(w.days, good[i].days);
		assert_int_equal(w.from, good[i].from);
		assert_int_equal(w.to, good[i].to);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_int_equal(window_parse(&w, bad[i], &e), -1);
		assert_non_null(strstr(e.text, "03:00-05:00"));
		assert_int_equal(w.days, 0x47); /* stays */
	}
	take("any");
	assert_true(w.any);
	take("");
	assert_true(w.any);
}

static void any_time_is_now(void **state)
{
	(void)state;
	take("any");
	expect(MONDAY + 5, 3600, MONDAY + 5, INT64_MAX);
}

static void the_date_of_the_test_is_a_monday(void **state)
{
	char text[32];

	(void)state;
	clock_format(MONDAY, text, sizeof(text));
	assert_string_equal(text, "2026-11-23T00:00:00Z");
}

static void every_night(void **state)
{
	int64_t from = MONDAY + 3 * HOUR, to = MONDAY + 5 * HOUR;

	(void)state;
	take("03:00-05:00");
	expect(MONDAY, 0, from, to);
	expect(from - 1, 0, from, to);
	expect(from, 0, from, to);
	expect(to - 1, 0, from, to);
	expect(to, 0, from + DAY, to + DAY);
}

static void over_midnight_the_day_is_that_of_the_beginning(void **state)
{
	int64_t sunday = MONDAY - DAY;

	(void)state;
	take("sun 22:00-04:00");
	expect(MONDAY + HOUR, 0, sunday + 22 * HOUR, MONDAY + 4 * HOUR);
	expect(MONDAY + 4 * HOUR, 0, sunday + 7 * DAY + 22 * HOUR, MONDAY + 7 * DAY + 4 * HOUR);
	take("mon 22:00-04:00");
	expect(MONDAY + HOUR, 0, MONDAY + 22 * HOUR, MONDAY + DAY + 4 * HOUR);
}

static void the_same_day_of_next_week(void **state)
{
	(void)state;
	take("mon 03:00-05:00");
	expect(MONDAY + 6 * HOUR, 0, MONDAY + 7 * DAY + 3 * HOUR, MONDAY + 7 * DAY + 5 * HOUR);
}

static void local_time(void **state)
{
	int32_t berlin = HOUR, new_york = -5 * HOUR, kathmandu = 5 * HOUR + 45 * MIN;

	(void)state;
	take("mon 00:30-02:00");
	/* Monday 00:30 in Berlin is Sunday 23:30 UTC. */
	expect(MONDAY - DAY, berlin, MONDAY - 30 * MIN, MONDAY + HOUR);
	expect(MONDAY - DAY, new_york, MONDAY + 5 * HOUR + 30 * MIN, MONDAY + 7 * HOUR);
	expect(MONDAY - DAY, kathmandu, MONDAY + 30 * MIN - kathmandu, MONDAY + 2 * HOUR - kathmandu);
	/* Late on Monday in UTC it is Tuesday in Berlin. */
	expect(MONDAY + 23 * HOUR + 59 * MIN, berlin, MONDAY + 7 * DAY - 30 * MIN, MONDAY + 7 * DAY + HOUR);
}

/* Whatever the moment: the span is not over, is as long as it says, and begins on the right minute of a right day; no
 * earlier one was left out. Also before 1970. */
static void every_moment_has_its_span(void **state)
{
	static const char *const texts[] = {"03:00-05:00", "sat,sun 22:00-04:00", "fri 23:59-23:58",
	                                    "tue-thu 00:00-00:01"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		int64_t last = INT64_MIN, open_to = INT64_MIN;
		take(texts[i]);
		for (int64_t now = -9 * DAY; now < 9 * DAY; now += 7 * MIN) {
			struct window_span s = window_next(now, &w, -HOUR);
			int64_t local = s.from - HOUR,
				day = (local + 70LL * DAY) / DAY; /* 70 days: above 0, whole weeks */
			assert_true(s.to > now && s.from >= last && s.to - s.from < DAY);
			assert_int_equal((local + 70LL * DAY) % DAY, w.from * 60);
			assert_true(w.days >> ((day + 3) % 7) & 1);
			assert_true(now >= open_to || s.from == last);
			last = s.from;
			open_to = s.to;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),
		cmocka_unit_test(any_time_is_now),
		cmocka_unit_test(the_date_of_the_test_is_a_monday),
		cmocka_unit_test(every_night),
		cmocka_unit_test(over_midnight_the_day_is_that_of_the_beginning),
		cmocka_unit_test(the_same_day_of_next_week),
		cmocka_unit_test(local_time),
		cmocka_unit_test(every_moment_has_its_span),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
