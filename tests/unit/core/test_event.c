/* init/core/event.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/event.h"
#include "fake/sys.h"

static struct events evs;
static uint64_t heard[2 * LIMIT_EVENTS];
static unsigned heard_count, inside;
static unsigned extra; /* events that the listener adds per event it hears */

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_clock_ms = 1234;
	fake_clock_wall = 99;
	heard_count = inside = extra = 0;
	events_init(&evs);
	return 0;
}

static void hear(const struct event *ev, void *arg)
{
	(void)arg;
	assert_int_equal(inside++, 0);
	if (heard_count < sizeof(heard) / sizeof(heard[0]))
		heard[heard_count] = ev->seq;
	heard_count++;
	for (unsigned i = 0; i < extra; i++)
		event_add(&evs, EVENT_SYSTEM, "x", "caused");
	assert_int_equal(ev->seq, heard_count <= 2 * LIMIT_EVENTS ? heard[heard_count - 1] : ev->seq);
	inside--;
}

static void keeps_what_happened(void **state)
{
	(void)state;
	assert_null(event_get(&evs, 0));
	assert_null(event_get(&evs, 1));
	assert_int_equal(event_oldest(&evs), 1);
	event_add(&evs, EVENT_SERVICE, "web", "started with pid %d", 7);
	const struct event *ev = event_get(&evs, 1);
	assert_non_null(ev);
	assert_int_equal(ev->seq, 1);
	assert_int_equal(ev->ms, 1234);
	assert_int_equal(ev->wall, 99);
	assert_int_equal(ev->kind, EVENT_SERVICE);
	assert_string_equal(ev->name, "web");
	assert_string_equal(ev->text, "started with pid 7");
	assert_null(event_get(&evs, 0));
	assert_null(event_get(&evs, 2));
	assert_int_equal(evs.next, 2);
}

static void the_ring_forgets_the_oldest(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= LIMIT_EVENTS; i++)
		event_add(&evs, EVENT_FACT, "f", "%u", i);
	assert_int_equal(event_oldest(&evs), 1);
	assert_string_equal(event_get(&evs, 1)->text, "1");
	event_add(&evs, EVENT_FACT, "f", "%u", LIMIT_EVENTS + 1);
	assert_int_equal(event_oldest(&evs), 2);
	assert_null(event_get(&evs, 1));
	for (uint64_t seq = 2; seq <= LIMIT_EVENTS + 1; seq++)
		assert_int_equal(event_get(&evs, seq)->seq, seq);
}

static void long_texts_are_cut(void **state)
{
	char text[LIMIT_DETAIL + 2];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	event_add(&evs, EVENT_FACT, text, "%s", text);
	assert_int_equal(strlen(event_get(&evs, 1)->text), LIMIT_DETAIL - 1);
	assert_string_equal(event_get(&evs, 1)->text + LIMIT_DETAIL - 4, "...");
	assert_int_equal(strlen(event_get(&evs, 1)->name), LIMIT_NAME - 1);
	assert_string_equal(event_get(&evs, 1)->name + LIMIT_NAME - 4, "...");
	text[LIMIT_DETAIL - 1] = '\0';
	event_add(&evs, EVENT_FACT, "f", "%s", text);
	assert_string_equal(event_get(&evs, 2)->text, text);
}

static void the_listener_hears_from_now_on(void **state)
{
	(void)state;
	event_add(&evs, EVENT_FACT, "f", "before");
	events_listen(&evs, hear, NULL);
	event_add(&evs, EVENT_FACT, "f", "after");
	event_add(&evs, EVENT_FACT, "f", "after");
	assert_int_equal(heard_count, 2);
	assert_int_equal(heard[0], 2);
	assert_int_equal(heard[1], 3);
}

static void what_the_listener_causes_comes_after(void **state)
{
	(void)state;
	events_listen(&evs, hear, NULL);
	extra = 1;
	event_add(&evs, EVENT_FACT, "f", "one that never ends");
	assert_int_equal(heard_count, LIMIT_EVENTS); /* bounded; the rest waits for the next event */
	extra = 0;
	event_add(&evs, EVENT_FACT, "f", "next");
	assert_int_equal(heard_count, LIMIT_EVENTS + 2);
	for (unsigned i = 0; i < heard_count; i++)
		assert_int_equal(heard[i], i + 1);
}

static void a_flood_from_the_listener_loses_the_oldest(void **state)
{
	(void)state;
	events_listen(&evs, hear, NULL);
	extra = 3 * LIMIT_EVENTS;
	event_add(&evs, EVENT_FACT, "f", "flood");
	extra = 0;
	assert_int_equal(heard_count, LIMIT_EVENTS);
	for (unsigned i = 1; i < heard_count; i++)
		assert_true(heard[i] > heard[i - 1]);
	event_add(&evs, EVENT_FACT, "f", "next");
	assert_int_equal(evs.told, evs.next);
}

static void kinds_have_names(void **state)
{
	(void)state;
	assert_string_equal(event_kind_name(EVENT_STAGE), "stage");
	assert_string_equal(event_kind_name(EVENT_SERVICE), "service");
	assert_string_equal(event_kind_name(EVENT_FACT), "fact");
	assert_string_equal(event_kind_name(EVENT_SYSTEM), "system");
	assert_string_equal(event_kind_name(EVENT_PROBLEM), "problem");
	assert_string_equal(event_kind_name((enum event_kind)99), "system");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(keeps_what_happened, setup),
		cmocka_unit_test_setup(the_ring_forgets_the_oldest, setup),
		cmocka_unit_test_setup(long_texts_are_cut, setup),
		cmocka_unit_test_setup(the_listener_hears_from_now_on, setup),
		cmocka_unit_test_setup(what_the_listener_causes_comes_after, setup),
		cmocka_unit_test_setup(a_flood_from_the_listener_loses_the_oldest, setup),
		cmocka_unit_test_setup(kinds_have_names, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
