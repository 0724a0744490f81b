/* How runs ended: there and back, faults, the bound, and crashes in a row. */
#include "host/ends.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ASKED "asked 1764000000 86400 a 0.1.0 well reboot asked for by a command\n"
#define CUT   "power-loss 0 0 - - ill \n"

static struct ends all;
static struct end one;
static struct err e;

static void there_and_back(void **state)
{
	char text[ENDS_TEXT];
	struct buf b;

	(void)state;
	assert_int_equal(ends_parse(&all, ASKED CUT, strlen(ASKED CUT)), 0);
	assert_int_equal(all.count, 2);
	assert_int_equal(all.end[0].kind, END_ASKED);
	assert_int_equal(all.end[0].time, 1764000000);
	assert_int_equal(all.end[0].uptime, 86400);
	assert_string_equal(all.end[0].slot, "a");
	assert_string_equal(all.end[0].version, "0.1.0");
	assert_true(all.end[0].well);
	assert_string_equal(all.end[0].why, "reboot asked for by a command");
	assert_string_equal(all.end[1].slot, "");
	assert_string_equal(all.end[1].why, "");
	buf_init(&b, text, sizeof(text));
	assert_int_equal(ends_format(&all, &b, &e), 0);
	assert_string_equal(text, ASKED CUT);
}

/* Written by the newer system that this one comes back from. */
static void a_kind_that_is_not_known(void **state)
{
	(void)state;
	assert_int_equal(end_parse(&one, "melt-down 1764000000 7 b 9.1.0 ill the core has left"), 0);
	assert_int_equal(one.kind, END_ASKED);
	assert_int_equal(one.uptime, 7);
	assert_string_equal(one.slot, "b");
	assert_string_equal(one.why, "the core has left");
}

static void what_is_no_line(void **state)
{
	static const char *const bad[] = {"",
	                                  "running",
	                                  "asked 1 2 a 0.1.0 well",
	                                  "asked 1 2 a 0.1.0 fine x",
	                                  "La/ter 1 2 a 0.1.0 well x",
	                                  "asked  2 a 0.1.0 well x",
	                                  "asked -1 2 a 0.1.0 well x",
	                                  "asked 1 2 toolongaslot 0.1.0 well x",
	                                  "asked 1 2 a 0.1.0 well \x1b[2J",
	                                  "asked 1 99999999999 a 0.1.0 well x"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(end_parse(&one, bad[i]), -1);
	assert_int_equal(ends_parse(&all, "nonsense\n" ASKED "\n" CUT "asked 1", 9 + strlen(ASKED CUT) + 8), 3);
	assert_int_equal(all.count, 2);
	assert_int_equal(ends_parse(&all, "asked 1 2 a 1 well x\0y\n", 23), 1);
}

static void what_could_not_be_read_back_is_not_written(void **state)
{
	char text[END_LINE];
	struct buf b;

	(void)state;
	assert_int_equal(end_parse(&one, ASKED), 0);
	memcpy(one.why, "two\nlines", 10);
	buf_init(&b, text, sizeof(text));
	assert_int_equal(end_format(&one, &b, &e), -1);
	assert_int_equal(b.len, 0);
	assert_int_equal(end_parse(&one, ASKED), 0);
	one.time = -1;
	assert_int_equal(end_format(&one, &b, &e), -1);
}

static void the_largest_ones_fit(void **state)
{
	char text[ENDS_TEXT];
	struct ends again;
	struct buf b;

	(void)state;
	memset(&all, 0, sizeof(all));
	memset(&one, 0, sizeof(one));
	one.kind = END_HEALTH_GATE;
	one.time = END_TIME_MAX;
	one.uptime = 9999999999;
	memset(one.slot, 's', sizeof(one.slot) - 1);
	memset(one.version, 'v', sizeof(one.version) - 1);
	memset(one.why, 'w', sizeof(one.why) - 1);
	for (unsigned i = 0; i < ENDS_KEPT + 3; i++) {
		one.uptime = 9999999980 + i;
		ends_add(&all, &one);
	}
	assert_int_equal(all.count, ENDS_KEPT);
	assert_int_equal(all.end[0].uptime, 9999999983);
	buf_init(&b, text, sizeof(text));
	assert_int_equal(ends_format(&all, &b, &e), 0);
	assert_int_equal(ends_parse(&again, b.data, b.len), 0);
	assert_memory_equal(&again, &all, sizeof(all));
}

static void crashes_in_a_row(void **state)
{
	static const struct {
		const char *text;
		unsigned crashes;
	} rows[] = {
		{"", 0},
		{"panic 1 2 a 1 ill x\n", 1},
		{"panic 1 2 a 1 ill x\nwatchdog 1 2 a 1 ill x\npid1-fault 1 2 a 1 ill x\n", 3},
		{"panic 1 2 a 1 ill x\nwatchdog 1 2 a 1 well x\npid1-fault 1 2 a 1 ill x\n", 1},
		/* What another slot did is no reason. */
		{"panic 1 2 a 1 ill x\npanic 1 2 b 1 ill x\n", 0},
		{"panic 1 2 b 1 ill x\npanic 1 2 a 1 ill x\n", 1},
		{"panic 1 2 a 1 ill x\npower-loss 1 2 a 1 ill x\n", 0},
		{"panic 1 2 a 1 ill x\nasked 1 2 a 1 ill x\nwatchdog 1 2 a 1 ill x\n", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(ends_parse(&all, rows[i].text, strlen(rows[i].text)), 0);
		assert_int_equal(ends_crashes(&all, "a"), rows[i].crashes);
	}
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(end_kind_name(END_HEALTH_GATE), "health-gate");
	assert_string_equal(end_kind_name(END_KIND_COUNT), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(a_kind_that_is_not_known),
		cmocka_unit_test(what_is_no_line),
		cmocka_unit_test(what_could_not_be_read_back_is_not_written),
		cmocka_unit_test(the_largest_ones_fit),
		cmocka_unit_test(crashes_in_a_row),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("ends", tests, NULL, NULL);
}
