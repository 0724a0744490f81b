/* Safe mode: the decision, and what entering it changes. Reboot, kill and children are faked in every test. */
#include "boot/safe.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "unit/boot/box.h"

static const struct stage_row rows[] = {
	{"state", NULL, "state-mounted", NULL, 1000, STAGE_DEGRADED, "the state partition"},
	{NULL, NULL, NULL, NULL, 0, STAGE_CONTINUE, NULL},
};

static int setup(void **state)
{
	(void)state;
	box_clear();
	settings_default(&box.identify.settings);
	if (box_start(rows) < 0)
		return -1;
	box.slot = 'a';
	return 0;
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

#define CRASH "pid1-fault 1 2 a 1 ill PID 1 fault: SIGSEGV at 0x0\n"

static void the_decision(void **state)
{
	static const struct {
		bool asked;
		enum fact_value failed;
		const char *past, *why; /* NULL: no safe mode */
	} table[] = {
		{false, FACT_UNKNOWN, "", NULL},
		{true, FACT_UNKNOWN, "", "asked for on the kernel command line"},
		{false, FACT_OFF, "", NULL},
		{false, FACT_ON, "", "no slot is good: slot a has no tries left"},
		{true, FACT_ON, CRASH CRASH CRASH, "asked for on the kernel command line"},
		{false, FACT_OFF, CRASH CRASH, NULL},
		{false, FACT_OFF, "panic 1 2 a 1 ill x\nwatchdog 1 2 a 1 ill x\n" CRASH,
	         "3 runs in a row crashed before they got well; the last: PID 1 fault: SIGSEGV at 0x0"},
		{false, FACT_OFF, CRASH CRASH "panic 1 2 a 1 well x\n", NULL},
		{false, FACT_OFF, CRASH CRASH CRASH "asked 1 2 a 1 ill x\n", NULL},
		{false, FACT_OFF, CRASH CRASH CRASH "power-loss 1 2 a 1 ill x\n", NULL},
		{false, FACT_OFF, "panic 1 2 b 1 ill x\npanic 1 2 b 1 ill x\npanic 1 2 b 1 ill x\n", NULL},
	};
	char why[LIMIT_DETAIL];
	struct facts facts;
	struct ends past;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		facts_init(&facts);
		if (table[i].failed != FACT_UNKNOWN)
			fact_set(&facts, "slot-failed", table[i].failed, "slot a has no tries left");
		fact_set(&facts, "slot-other", FACT_OFF, "bad");
		assert_int_equal(ends_parse(&past, table[i].past, strlen(table[i].past)), 0);
		buf_init(&b, why, sizeof(why));
		assert_int_equal(safe_decide(table[i].asked, &facts, &past, "a", &b), table[i].why != NULL);
		assert_string_equal(why, table[i].why != NULL ? table[i].why : "");
	}
}

static void one_system_alone_is_none_the_better_for_it(void **state)
{
	static const enum fact_value others[] = {FACT_UNKNOWN, FACT_ON};
	char why[LIMIT_DETAIL];
	struct facts facts;
	struct ends past = {.count = 0};
	struct buf b;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		facts_init(&facts);
		fact_set(&facts, "slot-failed", FACT_ON, "");
		fact_set(&facts, "slot-other", others[i], "");
		buf_init(&b, why, sizeof(why));
		assert_false(safe_decide(false, &facts, &past, "a", &b));
	}
}

static void the_longest_reasons_fit(void **state)
{
	char why[LIMIT_DETAIL], huge[LIMIT_DETAIL];
	struct end n = {.kind = END_PANIC, .slot = "a"};
	struct facts facts;
	struct ends past = {.count = 0};
	struct buf b;

	(void)state;
	memset(huge, 'x', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	memcpy(n.why, huge, sizeof(huge));
	for (unsigned i = 0; i < ENDS_KEPT; i++)
		ends_add(&past, &n);
	facts_init(&facts);
	buf_init(&b, why, sizeof(why));
	assert_true(safe_decide(false, &facts, &past, "a", &b));
	assert_true(buf_ok(&b));
	fact_set(&facts, "slot-other", FACT_OFF, "");
	fact_set(&facts, "slot-failed", FACT_ON, huge);
	buf_init(&b, why, sizeof(why));
	assert_true(safe_decide(false, &facts, &past, "a", &b));
	assert_true(buf_ok(&b));
}

static void what_it_changes(void **state)
{
	(void)state;
	assert_false(safe_look(&box));
	assert_string_equal(box.safe, "");
	fact_set(&box.facts, "kubernetes", FACT_ON, "");
	fact_set(&box.facts, "slot-other", FACT_OFF, "bad");
	fact_set(&box.facts, "slot-failed", FACT_ON, "");
	stages_begin(&box.stages);
	assert_true(safe_look(&box));
	assert_true(safe_look(&box));
	step();
	assert_int_equal(box.system, SYSTEM_SAFE);
	assert_string_equal(box.system_detail, "no slot is good");
	assert_int_equal(fact_get(&box.facts, "kubernetes"), FACT_OFF);
	assert_string_equal(fact_find(&box.facts, "kubernetes")->detail, "safe mode: no slot is good");
	assert_int_equal(box.problems.count, 2);
	assert_non_null(strstr(box.problems.list[1].text, "`rollback`"));
	/* All is well, but that proves nothing about the slot. */
	fact_set(&box.facts, "state-mounted", FACT_ON, "");
	step();
	assert_int_equal(box.system, SYSTEM_SAFE);
	assert_string_equal(box.system_detail, "no slot is good");
	assert_int_equal(fact_get(&box.facts, "healthy"), FACT_OFF);
	assert_false(box.history.now.well);
}

static void no_trial_in_safe_mode(void **state)
{
	(void)state;
	box.cmdline.safe = true;
	stages_begin(&box.stages);
	assert_true(safe_look(&box));
	fact_set(&box.facts, "slot-other", FACT_ON, "");
	fact_set(&box.facts, "trial-boot", FACT_ON, "");
	fake_clock_ms += 2000000;
	step();
	assert_int_equal(box.trial.gate.state, HEALTHGATE_OFF);
	assert_false(shutdown_running(&box.shutdown));
}

/* One that was good stays in safe mode, until it crashes there as often again; one on trial has nothing to prove any
 * more. Without another slot both stay. */
static void when_it_leaves(void **state)
{
	static const struct {
		const char *past;
		enum fact_value trial, other;
		bool leaves;
	} table[] = {
		{CRASH CRASH CRASH, FACT_OFF, FACT_ON, false},
		{CRASH CRASH CRASH CRASH CRASH, FACT_OFF, FACT_ON, false},
		{CRASH CRASH CRASH CRASH CRASH CRASH, FACT_OFF, FACT_ON, true},
		{CRASH CRASH CRASH CRASH CRASH CRASH, FACT_OFF, FACT_OFF, false},
		{CRASH CRASH CRASH CRASH CRASH CRASH, FACT_OFF, FACT_UNKNOWN, false},
		{CRASH CRASH CRASH, FACT_ON, FACT_ON, true},
		{CRASH CRASH, FACT_ON, FACT_ON, false},
		{CRASH CRASH CRASH, FACT_ON, FACT_OFF, false},
	};
	struct facts facts;
	struct ends past;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(table); i++) {
		facts_init(&facts);
		fact_set(&facts, "slot-other", table[i].other, "");
		fact_set(&facts, "trial-boot", table[i].trial, "");
		assert_int_equal(ends_parse(&past, table[i].past, strlen(table[i].past)), 0);
		assert_int_equal(safe_leaves(&facts, &past, "a"), table[i].leaves);
		assert_false(safe_leaves(&facts, &past, "b"));
	}
}

/* A trial that was under way when the past became known. */
static void a_trial_ends_with_it(void **state)
{
	(void)state;
	fact_set(&box.facts, "slot-other", FACT_ON, "");
	fact_set(&box.facts, "trial-boot", FACT_ON, "");
	stages_begin(&box.stages);
	step();
	assert_int_equal(box.trial.gate.state, HEALTHGATE_WAITING);
	assert_int_equal(ends_parse(&box.history.past, CRASH CRASH CRASH, 3 * strlen(CRASH)), 0);
	assert_true(safe_look(&box));
	assert_int_equal(box.leave.kind, END_HEALTH_GATE);
	assert_string_equal(box.leave.why, "slot a: 3 runs in a row crashed before they got well; the last: PID 1 "
	                                   "fault: SIGSEGV at 0x0");
	assert_false(box.leave.anyway);
	fake_clock_ms += 2000000;
	step();
	assert_false(shutdown_running(&box.shutdown)); /* no child comes to life here that would mark the slot */
	assert_int_equal(box.system, SYSTEM_SAFE);
}

static void asked_for_it_stays(void **state)
{
	(void)state;
	box.cmdline.safe = true;
	fact_set(&box.facts, "slot-other", FACT_ON, "");
	assert_int_equal(ends_parse(&box.history.past, CRASH CRASH CRASH CRASH CRASH CRASH, 6 * strlen(CRASH)), 0);
	assert_true(safe_look(&box));
	assert_string_equal(box.leave.why, "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_decision),
		cmocka_unit_test(one_system_alone_is_none_the_better_for_it),
		cmocka_unit_test(the_longest_reasons_fit),
		TEST(what_it_changes),
		TEST(no_trial_in_safe_mode),
		TEST(a_trial_ends_with_it),
		TEST(asked_for_it_stays),
		cmocka_unit_test(when_it_leaves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
