/* init/core/fact.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "core/fact.h"
#include "fake/sys.h"

static struct facts fs;
static char heard[4096]; /* "name:before>value(detail) " per delivery */
static struct err e;
static unsigned written; /* log lines */

static ssize_t count_write(int fd, const void *p, size_t n)
{
	(void)fd;
	(void)p;
	written++;
	return (ssize_t)n;
}

static int poll_ready(struct pollfd *p, nfds_t n, int timeout)
{
	(void)n;
	(void)timeout;
	p->revents = POLLOUT;
	return 1;
}

static void note(const struct fact *f, enum fact_value before, void *arg)
{
	size_t n = strlen(heard);

	(void)arg;
	assert_int_equal(str_format(heard + n, sizeof(heard) - n, "%s:%s>%s(%s) ", f->name, fact_value_name(before),
	                            fact_value_name(f->value), f->detail),
	                 0);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_clock_ms = 1000;
	fake_write = count_write;
	fake_poll = poll_ready;
	written = 0;
	heard[0] = '\0';
	facts_init(&fs);
	return facts_subscribe(&fs, note, NULL, &e);
}

static void changes_are_told(void **state)
{
	(void)state;
	assert_int_equal(fact_get(&fs, "network-up"), FACT_UNKNOWN);
	fact_set(&fs, "network-up", FACT_ON, "eth0");
	assert_int_equal(fact_get(&fs, "network-up"), FACT_ON);
	assert_int_equal(fs.fact[0].since, 1000);
	fake_clock_ms = 2000;
	fact_set(&fs, "network-up", FACT_ON, "eth0");
	assert_string_equal(heard, "network-up:unknown>on(eth0) ");
	heard[0] = '\0';
	fact_set(&fs, "network-up", FACT_ON, "eth1"); /* only the detail: told, but not a change of the value */
	assert_int_equal(fs.fact[0].since, 1000);
	fact_set(&fs, "network-up", FACT_OFF, "");
	assert_int_equal(fs.fact[0].since, 2000);
	assert_string_equal(heard, "network-up:on>on(eth1) network-up:on>off() ");
	assert_int_equal(fs.count, 1);
}

static void setting_to_unknown_is_silent(void **state)
{
	(void)state;
	fact_set(&fs, "a", FACT_UNKNOWN, "");
	assert_string_equal(heard, "");
}

static void chain(const struct fact *f, enum fact_value before, void *arg)
{
	(void)before;
	(void)arg;
	if (str_eq(f->name, "a")) {
		fact_set(&fs, "b", f->value, "from a");
		fact_set(&fs, "c", f->value, "from a");
	}
	if (str_eq(f->name, "b"))
		fact_set(&fs, "c", FACT_OFF, "from b");
}

static void nested_changes_come_after_in_order(void **state)
{
	(void)state;
	facts_init(&fs);
	assert_int_equal(facts_subscribe(&fs, chain, NULL, &e), 0);
	assert_int_equal(facts_subscribe(&fs, note, NULL, &e), 0);
	fact_set(&fs, "a", FACT_ON, "");
	/* c changed twice before its turn: told once, as it is. */
	assert_string_equal(heard, "a:unknown>on() b:unknown>on(from a) c:unknown>off(from b) ");
	assert_false(fs.delivering);
	assert_int_equal(fs.queued, 0);
}

static void flip(const struct fact *f, enum fact_value before, void *arg)
{
	unsigned *calls = arg;

	(void)before;
	++*calls;
	fact_set(&fs, f->name, f->value == FACT_ON ? FACT_OFF : FACT_ON, "");
}

static void a_fact_that_flips_itself_is_ended_and_logged(void **state)
{
	unsigned calls = 0;

	(void)state;
	facts_init(&fs);
	assert_int_equal(facts_subscribe(&fs, flip, &calls, &e), 0);
	fact_set(&fs, "a", FACT_ON, "");
	assert_int_equal(calls, 1024);
	assert_int_equal(written, 1);
	assert_int_equal(fs.queued, 0);
	calls = 0;
	fact_set(&fs, "b", FACT_ON, ""); /* later changes are told again */
	assert_true(calls > 0);
}

static void a_full_table_says_so_once(void **state)
{
	char name[LIMIT_NAME];

	(void)state;
	facts_init(&fs);
	for (unsigned i = 0; i < LIMIT_FACTS + 3; i++) {
		assert_int_equal(str_format(name, sizeof(name), "f%u", i), 0);
		fact_set(&fs, name, FACT_ON, "");
	}
	assert_int_equal(fs.count, LIMIT_FACTS);
	assert_int_equal(fact_get(&fs, "f127"), FACT_ON);
	assert_int_equal(fact_get(&fs, "f128"), FACT_UNKNOWN);
	assert_int_equal(written, 1);
}

static void all_facts_may_wait_at_once(void **state)
{
	(void)state;
	fs.delivering = true; /* as from inside a subscriber */
	for (unsigned i = 0; i < LIMIT_FACTS; i++) {
		char name[LIMIT_NAME];
		assert_int_equal(str_format(name, sizeof(name), "f%u", i), 0);
		fact_set(&fs, name, FACT_ON, "");
		fact_set(&fs, name, FACT_OFF, "");
	}
	assert_int_equal(fs.queued, LIMIT_FACTS);
	fs.delivering = false;
	fact_set(&fs, "f0", FACT_ON, "");
	assert_int_equal(fs.queued, 0);
	assert_non_null(strstr(heard, "f127:unknown>off() "));
}

static void bad_names_are_logged_and_dropped(void **state)
{
	(void)state;
	fact_set(&fs, "", FACT_ON, "");
	fact_set(&fs, "Upper", FACT_ON, "");
	fact_set(&fs, "a-name-that-is-far-too-long-for-a-column", FACT_ON, "");
	assert_int_equal(fs.count, 0);
	assert_int_equal(written, 3);
}

static void long_details_are_cut(void **state)
{
	char detail[LIMIT_DETAIL + 1];

	(void)state;
	memset(detail, 'x', sizeof(detail) - 1);
	detail[LIMIT_DETAIL] = '\0';
	fact_set(&fs, "a", FACT_ON, detail);
	assert_int_equal(strlen(fs.fact[0].detail), LIMIT_DETAIL - 1);
	assert_string_equal(fs.fact[0].detail + LIMIT_DETAIL - 4, "...");
	detail[LIMIT_DETAIL - 1] = '\0';
	fact_set(&fs, "b", FACT_ON, detail);
	assert_string_equal(fs.fact[1].detail, detail);
}

static void subscribers_are_bounded(void **state)
{
	(void)state;
	facts_init(&fs);
	for (unsigned i = 0; i < FACT_SUBSCRIBERS; i++)
		assert_int_equal(facts_subscribe(&fs, note, NULL, &e), 0);
	assert_int_equal(facts_subscribe(&fs, note, NULL, &e), -1);
}

static void values_have_names(void **state)
{
	(void)state;
	assert_string_equal(fact_value_name(FACT_UNKNOWN), "unknown");
	assert_string_equal(fact_value_name(FACT_OFF), "off");
	assert_string_equal(fact_value_name(FACT_ON), "on");
	assert_string_equal(fact_value_name((enum fact_value)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(changes_are_told, setup),
		cmocka_unit_test_setup(setting_to_unknown_is_silent, setup),
		cmocka_unit_test_setup(nested_changes_come_after_in_order, setup),
		cmocka_unit_test_setup(a_fact_that_flips_itself_is_ended_and_logged, setup),
		cmocka_unit_test_setup(a_full_table_says_so_once, setup),
		cmocka_unit_test_setup(all_facts_may_wait_at_once, setup),
		cmocka_unit_test_setup(bad_names_are_logged_and_dropped, setup),
		cmocka_unit_test_setup(long_details_are_cut, setup),
		cmocka_unit_test_setup(subscribers_are_bounded, setup),
		cmocka_unit_test_setup(values_have_names, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
