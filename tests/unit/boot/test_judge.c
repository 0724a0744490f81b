/* How the box is, from stages, services and facts, through the wiring. Reboot, kill and children are faked. */
#include "boot/judge.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "service/table.h"
#include "unit/boot/box.h"

static const struct stage_row rows[] = {
	{"network", NULL, "network-up", NULL, 1000, STAGE_DEGRADED, "an address"},
	{"time", NULL, "time-synced", NULL, 1000, STAGE_CONTINUE, "a time server"},
	{NULL, NULL, NULL, NULL, 0, STAGE_CONTINUE, NULL},
};

static int setup(void **state)
{
	(void)state;
	box_clear();
	return box_start(rows);
}

static int teardown(void **state)
{
	(void)state;
	box_end();
	return 0;
}

static void step(void)
{
	box_steps(6);
}

static void test_system_follows_the_stages(void **state)
{
	(void)state;
	stages_begin(&box.stages);
	step();
	assert_int_equal(box.system, SYSTEM_BOOTING);
	fake_clock_ms += 1000;
	step();
	assert_int_equal(box.system, SYSTEM_DEGRADED);
	assert_true(str_starts(box.system_detail, "network: "));
	assert_false(judge_healthy(&box));
	assert_int_equal(fact_get(&box.facts, "healthy"), FACT_OFF);
	fact_set(&box.facts, "network-up", FACT_ON, "eth0 10.0.2.15");
	step();
	assert_int_equal(box.system, SYSTEM_RUNNING); /* a time server that is missing does not matter */
	assert_string_equal(box.system_detail, "");
	assert_true(judge_healthy(&box));
	assert_int_equal(fact_get(&box.facts, "healthy"), FACT_ON);
	assert_true(box.history.now.well);
}

static void test_damaged_root_degrades(void **state)
{
	(void)state;
	stages_begin(&box.stages);
	fact_set(&box.facts, "network-up", FACT_ON, "");
	fact_set(&box.facts, "time-synced", FACT_ON, "");
	fact_set(&box.facts, "root-intact", FACT_ON, "");
	step();
	assert_int_equal(box.system, SYSTEM_RUNNING);
	fact_set(&box.facts, "root-intact", FACT_OFF, "block 17");
	step();
	assert_int_equal(box.system, SYSTEM_DEGRADED);
	assert_int_equal(box.problems.count, 1);
	assert_string_equal(box.problems.list[0].text, "root of slot ?: block 17; flash again or install an update");
	fact_set(&box.facts, "root-intact", FACT_ON, "");
	step();
	assert_int_equal(box.system, SYSTEM_RUNNING);
	assert_int_equal(box.problems.count, 0);
}

static void test_failed_service_degrades(void **state)
{
	(void)state;
	struct service *s = box_service("cert");
	stages_begin(&box.stages);
	fact_set(&box.facts, "network-up", FACT_ON, "");
	fact_set(&box.facts, "time-synced", FACT_ON, "");
	table_set_state(s, SERVICE_FAILED, "exited with status 3");
	step();
	assert_int_equal(box.system, SYSTEM_DEGRADED);
	assert_string_equal(box.system_detail, "service cert: exited with status 3");
	table_set_state(s, SERVICE_DONE, "");
	step();
	assert_int_equal(box.system, SYSTEM_RUNNING);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_system_follows_the_stages),
		TEST(test_damaged_root_degrades),
		TEST(test_failed_service_degrades),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
