/* The health gate: its table cell by cell, and its runner under a hand-advanced clock. */
#include "boot/healthgate.h"

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
static struct healthgate g;
static struct err e;
static const char *lacks; /* what is missing */
static char changes[64];  /* first letters of the states it went to */

/* Written apart from the table on purpose: one letter per event trial, well, sick, settled, late, stuck,
 * none. */
static const struct {
	enum healthgate_state from;
	const char *to;
} expected[] = {
	{HEALTHGATE_OFF, "woooooo"},  {HEALTHGATE_WAITING, "wswwfao"}, {HEALTHGATE_SETTLING, "sswgsso"},
	{HEALTHGATE_GOOD, "ggggggg"}, {HEALTHGATE_ALONE, "asaafaa"},   {HEALTHGATE_FAILED, "fffffff"},
};

static void every_cell(void **state)
{
	(void)state;
	assert_int_equal(COUNT_OF(expected), HEALTHGATE_STATE_COUNT);
	for (unsigned i = 0; i < COUNT_OF(expected); i++) {
		assert_int_equal(strlen(expected[i].to), HEALTHGATE_EV_COUNT);
		for (unsigned ev = 0; ev < HEALTHGATE_EV_COUNT; ev++)
			assert_int_equal(healthgate_state_name(healthgate_next(expected[i].from, ev))[0],
			                 expected[i].to[ev]);
	}
	assert_int_equal(healthgate_next(HEALTHGATE_WAITING, HEALTHGATE_EV_COUNT), HEALTHGATE_WAITING);
	assert_string_equal(healthgate_state_name(HEALTHGATE_STATE_COUNT), "?");
	assert_string_equal(healthgate_event_name(HEALTHGATE_EV_STUCK), "stuck");
	assert_string_equal(healthgate_event_name(HEALTHGATE_EV_COUNT), "?");
}

static void missing(struct buf *out, void *arg)
{
	assert_ptr_equal(arg, &g);
	buf_add(out, lacks);
}

static void changed(enum healthgate_state s, const char *why, void *arg)
{
	assert_ptr_equal(arg, &g);
	assert_string_equal(why, g.why);
	strncat(changes, healthgate_state_name(s), 1);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_epoll_wait = fake_epoll_now;
	fake_clock_ms = 10000;
	changes[0] = '\0';
	lacks = "node-ready, app-coredns";
	memset(&l, 0, sizeof(l));
	if (loop_init(&l, &e) < 0)
		return -1;
	facts_init(&facts);
	events_init(&events);
	g = (struct healthgate){.loop = &l, .facts = &facts, .events = &events, .missing = missing, .changed = changed};
	g.arg = &g;
	g.begun = 8000;
	g.deadline_ms = 900000;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	loop_fini(&l);
	fake_reset();
	return 0;
}

static void pass(uint64_t ms)
{
	for (uint64_t end = (uint64_t)fake_clock_ms + ms; (uint64_t)fake_clock_ms < end;) {
		fake_clock_ms += ms < 500 ? (int64_t)ms : 500;
		assert_int_equal(loop_step(&l, &e), 0);
		assert_int_equal(loop_step(&l, &e), 0);
	}
}

static void health(enum fact_value v, const char *detail)
{
	const struct fact *f = fact_find(&facts, "health");
	assert_non_null(f);
	assert_int_equal(f->value, v);
	assert_string_equal(f->detail, detail);
}

static void no_trial(void **state)
{
	(void)state;
	assert_true(healthgate_allows(&g));
	pass(2000000);
	assert_null(fact_find(&facts, "health"));
	assert_string_equal(changes, "");
}

static void it_was_none(void **state)
{
	(void)state;
	healthgate_none(&g); /* of nothing */
	assert_null(fact_find(&facts, "health"));
	healthgate_trial(&g);
	pass(2000);
	healthgate_none(&g);
	assert_true(healthgate_allows(&g));
	health(FACT_UNKNOWN, "no trial: the boot entries say so");
	assert_string_equal(g.why, "");
	pass(2000000);
	assert_string_equal(changes, "wo");
	/* Behind a verdict it is too late. */
	lacks = "";
	healthgate_trial(&g);
	pass(12000);
	healthgate_none(&g);
	health(FACT_ON, g.why);
	assert_string_equal(changes, "wowsg");
}

static void it_gets_well(void **state)
{
	(void)state;
	healthgate_trial(&g);
	healthgate_trial(&g);
	assert_false(healthgate_allows(&g));
	health(FACT_OFF, "waiting for node-ready, app-coredns; 14:58 left");
	pass(60000);
	lacks = "app-coredns";
	pass(2000);
	health(FACT_OFF, "waiting for app-coredns; 13:56 left");
	lacks = "";
	pass(5000);
	health(FACT_OFF, "all is there; kept when it stays so for 10 s");
	/* Not for long enough. */
	lacks = "app-coredns";
	pass(2000);
	lacks = "";
	pass(9000);
	assert_false(healthgate_allows(&g));
	pass(3000);
	assert_true(healthgate_allows(&g));
	assert_string_equal(changes, "wswsg");
	health(FACT_ON, "well after 1:22; the new slot is kept");
	assert_string_equal(event_get(&events, events.next - 1)->text, "good: well after 1:22; the new slot is kept");
	/* Final. */
	lacks = "everything";
	pass(2000000);
	assert_string_equal(changes, "wswsg");
}

static void it_does_not(void **state)
{
	(void)state;
	fact_set(&facts, "slot-other", FACT_ON, "");
	healthgate_trial(&g);
	pass(897500);
	assert_string_equal(changes, "w");
	pass(1000);
	assert_string_equal(changes, "wf");
	health(FACT_OFF, "still without node-ready, app-coredns after 15:00");
	lacks = "";
	pass(100000);
	assert_string_equal(changes, "wf");
}

static void all_is_there_at_the_last_moment(void **state)
{
	(void)state;
	fact_set(&facts, "slot-other", FACT_ON, "");
	healthgate_trial(&g);
	pass(895000);
	lacks = "";
	pass(6000);
	assert_string_equal(changes, "ws");
	/* It has had its time: one more stumble is the end. */
	lacks = "app-coredns";
	pass(1000);
	assert_string_equal(changes, "wswf");
}

static void nowhere_to_go(void **state)
{
	(void)state;
	healthgate_trial(&g);
	pass(900000);
	assert_string_equal(changes, "wa");
	assert_false(healthgate_allows(&g));
	health(FACT_OFF, "still without node-ready, app-coredns after 15:00; no other slot to go back to");
	/* Better late than never. */
	lacks = "";
	pass(12000);
	assert_string_equal(changes, "wasg");
}

static void a_deadline_that_is_set_late(void **state)
{
	(void)state;
	fact_set(&facts, "slot-other", FACT_ON, "");
	healthgate_trial(&g);
	g.deadline_ms = 60000;
	pass(59000);
	assert_string_equal(changes, "wf");
}

static void not_during_a_shutdown(void **state)
{
	(void)state;
	fact_set(&facts, "slot-other", FACT_ON, "");
	healthgate_trial(&g);
	healthgate_stop(&g, "the box is going down");
	health(FACT_OFF, "no verdict: the box is going down");
	pass(2000000);
	assert_string_equal(changes, "w");
}

/* The longest list that criteria_missing makes, in the longest sentence. */
static void it_fits(void **state)
{
	static char text[101];
	(void)state;
	memset(text, 'x', 100);
	lacks = text;
	healthgate_trial(&g);
	assert_non_null(strstr(g.why, " left"));
	pass(900000);
	assert_non_null(strstr(g.why, "to go back to"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell),
		TEST(no_trial),
		TEST(it_was_none),
		TEST(it_gets_well),
		TEST(it_does_not),
		TEST(all_is_there_at_the_last_moment),
		TEST(nowhere_to_go),
		TEST(a_deadline_that_is_set_late),
		TEST(not_during_a_shutdown),
		TEST(it_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
