/* The machine of boot stages: order, needs, deadlines, retries, healing, and what it says it waits for. */
#include "boot/stage.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/sys.h"

static struct loop l;
static struct facts facts;
static struct events events;
static struct stages ss;
static struct err e;
static char trace[64];
static unsigned changes;
static bool one_fails;

static int start_one(void *arg, struct err *why)
{
	(void)arg;
	strcat(trace, "1");
	return one_fails ? err_set(why, EIO, "one is broken") : 0;
}

static int start_two(void *arg, struct err *why)
{
	(void)arg;
	(void)why;
	strcat(trace, "2");
	return 0;
}

static int start_after(void *arg, struct err *why)
{
	(void)arg;
	(void)why;
	strcat(trace, "s");
	return 0;
}

static const struct stage_row rows[] = {
	{"one", start_one, NULL, NULL, 0, STAGE_RESCUE, NULL},
	{"two", start_two, NULL, NULL, 0, STAGE_CONTINUE, NULL},
	{"state", NULL, "state-mounted", NULL, 5000, STAGE_DEGRADED, "the state partition"},
	{"settings", start_after, NULL, "state", 0, STAGE_DEGRADED, NULL},
	{"network", NULL, "network-up", NULL, 9000, STAGE_OUTSIDE, "an address"},
	{NULL, NULL, NULL, NULL, 0, STAGE_CONTINUE, NULL},
};

static void on_change(const struct stage *s, void *arg)
{
	assert_ptr_equal(arg, trace);
	assert_non_null(s->row);
	changes++;
}

static void on_fact(const struct fact *f, enum fact_value before, void *arg)
{
	(void)before;
	stages_fact(arg, f);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_clock_ms = 1000;
	trace[0] = '\0';
	changes = 0;
	one_fails = false;
	memset(&ss, 0, sizeof(ss));
	memset(&facts, 0, sizeof(facts));
	memset(&l, 0, sizeof(l));
	facts_init(&facts);
	events_init(&events);
	ss.loop = &l;
	ss.facts = &facts;
	ss.events = &events;
	if (loop_init(&l, &e) < 0 || facts_subscribe(&facts, on_fact, &ss, &e) < 0)
		return -1;
	return stages_init(&ss, rows, on_change, trace, &e);
}

static int teardown(void **state)
{
	(void)state;
	loop_fini(&l);
	fake_reset();
	return 0;
}

static void pass_time(int64_t ms)
{
	fake_clock_ms += ms;
	if (l.timers != NULL) /* nothing else could end the wait */
		assert_int_equal(loop_step(&l, &e), 0);
}

static enum stage_state state_of(unsigned i)
{
	return ss.stage[i].state;
}

static const char *waiting(void)
{
	static char text[256];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	stages_waiting(&ss, &b);
	return text;
}

static void test_in_order_and_by_need(void **state)
{
	(void)state;
	stages_begin(&ss);
	assert_string_equal(trace, "12");
	assert_int_equal(state_of(0), STAGE_DONE);
	assert_int_equal(state_of(2), STAGE_RUNNING);
	assert_int_equal(state_of(3), STAGE_WAITING);
	assert_int_equal(state_of(4), STAGE_RUNNING);
	assert_false(stages_settled(&ss));
	fact_set(&facts, "state-mounted", FACT_ON, "vda4");
	assert_string_equal(trace, "12s");
	assert_int_equal(state_of(3), STAGE_DONE);
	assert_string_equal(ss.stage[2].detail, "vda4");
	fact_set(&facts, "network-up", FACT_ON, "eth0 10.0.2.15");
	assert_true(stages_settled(&ss));
	const struct stage *first;
	assert_int_equal(stages_verdict(&ss, &first), STAGE_CONTINUE);
	assert_null(first);
	assert_string_equal(waiting(), "");
	assert_true(changes >= 6);
}

static void test_a_fact_that_is_on_already(void **state)
{
	(void)state;
	fact_set(&facts, "state-mounted", FACT_ON, "");
	assert_int_equal(state_of(2), STAGE_WAITING);
	stages_begin(&ss);
	assert_int_equal(state_of(2), STAGE_DONE);
	assert_int_equal(state_of(3), STAGE_DONE);
}

static void test_what_it_waits_for(void **state)
{
	(void)state;
	stages_begin(&ss);
	assert_string_equal(waiting(), "state: waiting for the state partition");
	fact_set(&facts, "state-mounted", FACT_ON, "");
	fact_set(&facts, "network-up", FACT_OFF, "eth0: no answer from a DHCP server yet");
	assert_string_equal(waiting(), "network: waiting for an address (eth0: no answer from a DHCP server yet)");
	one_fails = true;
}

static void test_deadline_and_healing(void **state)
{
	const struct stage *first;
	(void)state;
	stages_begin(&ss);
	pass_time(4999);
	assert_int_equal(state_of(2), STAGE_RUNNING);
	pass_time(1);
	assert_int_equal(state_of(2), STAGE_FAILED);
	assert_non_null(strstr(ss.stage[2].detail, "state-mounted within 5 s"));
	assert_int_equal(stages_verdict(&ss, &first), STAGE_DEGRADED);
	assert_string_equal(first->row->name, "state");
	assert_false(stages_settled(&ss)); /* the network is under way */
	pass_time(4000);
	assert_true(stages_settled(&ss)); /* settings waits for a failed one: nothing more to come */
	/* The most urgent one is named even when it has failed. */
	assert_string_equal(waiting(), "state: waiting for the state partition");
	fact_set(&facts, "state-mounted", FACT_ON, "late");
	assert_int_equal(state_of(2), STAGE_DONE);
	assert_int_equal(state_of(3), STAGE_DONE);
	assert_string_equal(trace, "12s");
	assert_int_equal(stages_verdict(&ss, &first), STAGE_OUTSIDE);
	assert_string_equal(first->row->name, "network");
	fact_set(&facts, "network-up", FACT_ON, "");
	assert_int_equal(stages_verdict(&ss, &first), STAGE_CONTINUE);
}

static void test_a_failed_start_is_tried_again_slower(void **state)
{
	const struct stage *first;
	uint64_t seen;
	(void)state;
	one_fails = true;
	stages_begin(&ss);
	assert_int_equal(state_of(0), STAGE_FAILED);
	assert_int_equal(stages_verdict(&ss, &first), STAGE_RESCUE);
	assert_string_equal(waiting(), "one: one is broken");
	assert_string_equal(trace, "12"); /* others go on */
	pass_time(STAGE_RETRY_MIN_MS);
	assert_string_equal(trace, "121");
	pass_time(STAGE_RETRY_MIN_MS);
	assert_string_equal(trace, "121");
	seen = events.next;
	pass_time(STAGE_RETRY_MIN_MS);
	assert_string_equal(trace, "1211");
	assert_int_equal(events.next, seen); /* the same failure is no news */
	for (unsigned i = 0; i < 12; i++)
		pass_time(STAGE_RETRY_MAX_MS);
	assert_int_equal(strlen(trace), 16);
	one_fails = false;
	pass_time(STAGE_RETRY_MAX_MS);
	assert_int_equal(state_of(0), STAGE_DONE);
}

static void test_stop(void **state)
{
	(void)state;
	one_fails = true;
	stages_begin(&ss);
	stages_stop(&ss);
	pass_time(100000);
	assert_string_equal(trace, "12");
	assert_int_equal(state_of(2), STAGE_RUNNING);
	fact_set(&facts, "state-mounted", FACT_ON, "");
	assert_string_equal(trace, "12");
}

static void test_nobody_waits_for_what_does_not_matter(void **state)
{
	static const struct stage_row two[] = {
		{"network", NULL, "network-up", NULL, 9000, STAGE_OUTSIDE, "an address"},
		{"time", NULL, "time-synced", NULL, 9000, STAGE_CONTINUE, "a time server"},
		{NULL, NULL, NULL, NULL, 0, STAGE_CONTINUE, NULL},
	};
	(void)state;
	assert_int_equal(stages_init(&ss, two, NULL, NULL, &e), 0);
	stages_begin(&ss);
	assert_false(stages_settled(&ss));
	fact_set(&facts, "network-up", FACT_ON, "");
	stages_fact(&ss, &facts.fact[0]);
	assert_int_equal(state_of(1), STAGE_RUNNING);
	assert_true(stages_settled(&ss));
}

static void test_all_is_over_in_bounded_time(void **state)
{
	static const struct stage_row three[] = {
		{"network", NULL, "network-up", NULL, 9000, STAGE_OUTSIDE, "an address"},
		{"time", NULL, "time-synced", "network", 9000, STAGE_CONTINUE, "a time server"},
		{"kubernetes", NULL, "node-ready", NULL, 20000, STAGE_CONTINUE, "the node"},
		{NULL, NULL, NULL, NULL, 0, STAGE_CONTINUE, NULL},
	};
	(void)state;
	assert_int_equal(stages_init(&ss, three, NULL, NULL, &e), 0);
	assert_false(stages_over(&ss)); /* it has not even begun */
	stages_begin(&ss);
	assert_false(stages_over(&ss));
	pass_time(9000);
	assert_true(stages_settled(&ss));
	assert_false(stages_over(&ss));
	pass_time(11000);
	assert_int_equal(state_of(1), STAGE_WAITING); /* for one that has failed */
	assert_true(stages_over(&ss));
	fact_set(&facts, "network-up", FACT_ON, "");
	assert_false(stages_over(&ss)); /* there is something to do again */
}

static void test_rows_that_are_cut_were_never_there(void **state)
{
	(void)state;
	stages_begin(&ss);
	stages_cut(&ss, "nothing");
	assert_int_equal(ss.count, 5);
	stages_cut(&ss, "state");
	assert_int_equal(ss.count, 2);
	assert_true(stages_over(&ss));
	assert_string_equal(waiting(), "");
	uint64_t seen = events.next;
	pass_time(100000);
	fact_set(&facts, "state-mounted", FACT_ON, "");
	assert_int_equal(events.next, seen);
	assert_string_equal(trace, "12");
}

static void test_bad_tables(void **state)
{
	static const struct stage_row below[] = {
		{"a", NULL, NULL, "b", 0, STAGE_CONTINUE, NULL},
		{"b", NULL, NULL, NULL, 0, STAGE_CONTINUE, NULL},
		{NULL, NULL, NULL, NULL, 0, STAGE_CONTINUE, NULL},
	};
	struct stage_row many[STAGE_MAX + 2];
	(void)state;
	assert_int_equal(stages_init(&ss, below, NULL, NULL, &e), -1);
	assert_non_null(strstr(e.text, "needs b"));
	for (unsigned i = 0; i < COUNT_OF(many); i++)
		many[i] = (struct stage_row){.name = i + 1 < COUNT_OF(many) ? "x" : NULL};
	assert_int_equal(stages_init(&ss, many, NULL, NULL, &e), -1);
}

static void test_long_reasons(void **state)
{
	(void)state;
	char detail[LIMIT_DETAIL + 40];
	memset(detail, 'y', sizeof(detail) - 1);
	detail[sizeof(detail) - 1] = '\0';
	stages_begin(&ss);
	fact_set(&facts, "state-mounted", FACT_ON, detail);
	assert_int_equal(strlen(ss.stage[2].detail), LIMIT_DETAIL - 1);
	assert_string_equal(stage_state_name(STAGE_FAILED), "failed");
	assert_string_equal(stage_state_name(99), "?");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_in_order_and_by_need),
		TEST(test_a_fact_that_is_on_already),
		TEST(test_what_it_waits_for),
		TEST(test_deadline_and_healing),
		TEST(test_a_failed_start_is_tried_again_slower),
		TEST(test_stop),
		TEST(test_nobody_waits_for_what_does_not_matter),
		TEST(test_all_is_over_in_bounded_time),
		TEST(test_rows_that_are_cut_were_never_there),
		TEST(test_bad_tables),
		TEST(test_long_reasons),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
