/* init/console/web_conn.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "console/web_conn.h"

static struct web_conns t;

static int setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	return 0;
}

static struct web_conn *take(uint64_t now)
{
	struct web_conn *c = web_conns_take(&t, now);
	assert_non_null(c);
	assert_int_equal(c->phase, WEB_ASKING);
	return c;
}

static void takes_and_frees(void **state)
{
	struct err e;

	(void)state;
	for (int i = 0; i < WEB_CONNS; i++)
		take(1);
	assert_null(web_conns_take(&t, 1));
	assert_int_equal(web_conns_count(&t, WEB_ASKING), WEB_CONNS);
	t.slot[7].cursor = 3;
	assert_int_equal(web_reply_copy(&t.slot[7].reply, "x", 1, &e), 0); /* freed with the slot: ASan looks */
	web_conn_free(&t.slot[7]);
	struct web_conn *c = take(2);
	assert_ptr_equal(c, &t.slot[7]);
	assert_int_equal(c->cursor, 0);
	assert_int_equal(c->since, 2);
}

static void busy_while_an_answer_is_owed(void **state)
{
	static const bool busy[WEB_PHASES] = {
		[WEB_READING] = true, [WEB_WORKING] = true, [WEB_SENDING] = true, [WEB_LINGERING] = true};

	(void)state;
	assert_false(web_conns_busy(&t));
	struct web_conn *c = take(1);
	for (int phase = 0; phase < WEB_PHASES; phase++) {
		web_conn_set(c, (enum web_phase)phase, 1);
		assert_int_equal(web_conns_busy(&t), busy[phase]);
	}
}

/* What each phase is given, ms; 0: for ever. */
static void every_phase_has_its_deadline(void **state)
{
	static const unsigned limit[WEB_PHASES] = {0, 10000, 10000, 15000, 30000, 30000, 20000, 600000, 45000, 2000, 0};

	(void)state;
	assert_int_equal(web_conns_due(&t), UINT64_MAX);
	struct web_conn *c = take(1000);
	for (int phase = WEB_ASKING; phase < WEB_PHASES; phase++) {
		web_conn_set(c, (enum web_phase)phase, 1000);
		assert_int_equal(web_conns_due(&t), limit[phase] ? 1000 + limit[phase] : UINT64_MAX);
		if (!limit[phase])
			continue;
		assert_null(web_conns_overdue(&t, 999 + limit[phase]));
		assert_ptr_equal(web_conns_overdue(&t, 1000 + limit[phase]), c);
	}
	web_conn_free(c);
	assert_null(web_conns_overdue(&t, UINT64_MAX - 1));
}

static void finds_the_first_deadline(void **state)
{
	(void)state;
	struct web_conn *a = take(100), *b = take(200);
	web_conn_set(a, WEB_STREAMING, 300);
	assert_int_equal(web_conns_due(&t), 10200);
	web_conn_set(b, WEB_CLOSING, 400);
	assert_int_equal(web_conns_due(&t), 45300);
}

/* Who works is never closed for a newcomer; who idles goes before who has just come. */
static void spares_the_longest_silent(void **state)
{
	(void)state;
	assert_null(web_conns_spare(&t, 100));
	struct web_conn *work = take(1), *ask1 = take(2), *ask2 = take(3), *idle1 = take(4), *idle2 = take(5);
	web_conn_set(work, WEB_WORKING, 1);
	web_conn_set(idle1, WEB_IDLE, 50);
	web_conn_set(idle2, WEB_IDLE, 40);
	assert_ptr_equal(web_conns_spare(&t, 100), idle2);
	web_conn_set(idle2, WEB_CLOSING, 60);
	assert_ptr_equal(web_conns_spare(&t, 100), idle1);
	web_conn_set(idle1, WEB_LINGERING, 60);
	assert_ptr_equal(web_conns_spare(&t, 100), idle1);
	web_conn_free(idle1);
	assert_ptr_equal(web_conns_spare(&t, 100), ask1);
	web_conn_set(ask1, WEB_SENDING, 70);
	assert_ptr_equal(web_conns_spare(&t, 100), ask2);
	web_conn_set(ask2, WEB_READING, 80); /* said what it wants, and sends no more */
	assert_ptr_equal(web_conns_spare(&t, 100), ask2);
	web_conn_set(ask1, WEB_SENDING, 70); /* takes nothing of what it asked for */
	web_conn_set(ask2, WEB_SENDING, 71);
	assert_null(web_conns_spare(&t, 70 + WEB_TAKES_MS - 1));
	assert_ptr_equal(web_conns_spare(&t, 70 + WEB_TAKES_MS), ask1);
	web_conn_set(ask1, WEB_STREAMING, 90);
	web_conn_set(ask2, WEB_STREAMING, 90);
	assert_null(web_conns_spare(&t, 100));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(takes_and_frees, setup, NULL),
		cmocka_unit_test_setup(busy_while_an_answer_is_owed, setup),
		cmocka_unit_test_setup(every_phase_has_its_deadline, setup),
		cmocka_unit_test_setup(finds_the_first_deadline, setup),
		cmocka_unit_test_setup(spares_the_longest_silent, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
