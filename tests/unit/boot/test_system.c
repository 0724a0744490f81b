/* The table of system states, cell by cell. */
#include "boot/system.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"

/* Written apart from the table on purpose: one letter per event good, bad, lost, safe, stop. */
static const struct {
	enum system_state from;
	const char *to;
} expected[] = {
	{SYSTEM_BOOTING, "rdxsz"}, {SYSTEM_RUNNING, "rdxsz"},  {SYSTEM_DEGRADED, "rdxsz"},
	{SYSTEM_SAFE, "ssxsz"},    {SYSTEM_STOPPING, "zzzzz"}, {SYSTEM_RESCUE, "rdxxz"},
};

static enum system_state letter(char c)
{
	switch (c) {
	case 'r':
		return SYSTEM_RUNNING;
	case 'd':
		return SYSTEM_DEGRADED;
	case 'x':
		return SYSTEM_RESCUE;
	case 's':
		return SYSTEM_SAFE;
	default:
		return SYSTEM_STOPPING;
	}
}

static void test_every_cell(void **state)
{
	(void)state;
	assert_int_equal(COUNT_OF(expected), SYSTEM_STATE_COUNT);
	for (unsigned i = 0; i < COUNT_OF(expected); i++) {
		assert_int_equal(strlen(expected[i].to), SYSTEM_EV_COUNT);
		for (unsigned ev = 0; ev < SYSTEM_EV_COUNT; ev++)
			assert_int_equal(system_next(expected[i].from, ev), letter(expected[i].to[ev]));
	}
}

static void test_out_of_range_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(system_next(SYSTEM_RUNNING, SYSTEM_EV_COUNT), SYSTEM_RUNNING);
	assert_int_equal(system_next(SYSTEM_STATE_COUNT, SYSTEM_EV_GOOD), SYSTEM_STATE_COUNT);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(system_state_name(SYSTEM_BOOTING), "booting");
	assert_string_equal(system_state_name(SYSTEM_RESCUE), "rescue");
	assert_string_equal(system_state_name(SYSTEM_STATE_COUNT), "?");
	assert_string_equal(system_event_name(SYSTEM_EV_STOP), "stop");
	assert_string_equal(system_event_name(SYSTEM_EV_COUNT), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cell),
		cmocka_unit_test(test_out_of_range_changes_nothing),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
