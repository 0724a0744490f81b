/* init/boot/owner.c */
#include "boot/owner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct owner o;
static struct events evs;
static struct err e;
static char text[256];

static int hear(unsigned argc, const char *first, const char *second)
{
	const struct request rq = {.peer = PEER_OWNER, .argc = argc, .argv = {first, second}};
	return owner_hear(&o, &evs, &rq, &e);
}

static const char *shown(const char *url)
{
	struct buf b;
	buf_init(&b, text, sizeof(text));
	owner_text(&o, url, &b);
	return text;
}

static const char *json(enum peer peer)
{
	struct json j;
	struct buf b;
	buf_init(&b, text, sizeof(text));
	json_init(&j, &b);
	json_open_object(&j, NULL);
	owner_json(&o, peer, &j);
	json_close_object(&j);
	assert_true(json_ok(&j));
	return text;
}

static void from_unknown_to_set(void **state)
{
	(void)state;
	events_init(&evs);
	assert_string_equal(json(PEER_LOCAL), "{\"owner\":\"\"}");
	assert_int_equal(hear(2, "code", "K7Q2-0XD1"), 0);
	assert_string_equal(json(PEER_LOCAL), "{\"owner\":\"first\",\"first_login\":\"K7Q2-0XD1\"}");
	assert_string_equal(json(PEER_WEB), "{\"owner\":\"first\"}");
	assert_string_equal(shown("https://h/"), "first login: code K7Q2-0XD1 at https://h/");
	assert_non_null(strstr(shown(""), "once it has an address"));
	assert_int_equal(hear(2, "code", "far too long a code"), -1);
	assert_int_equal(o.login, OWNER_FIRST);
	assert_int_equal(hear(1, "code", NULL), 0);
	assert_string_equal(json(PEER_LOCAL), "{\"owner\":\"set\"}");
	assert_string_equal(o.code, "");
	assert_int_equal(evs.next, 1); /* none of it is an event */
}

static void events_are_told(void **state)
{
	(void)state;
	events_init(&evs);
	assert_int_equal(hear(2, "event", "a login from 10.0.0.1"), 0);
	const struct event *ev = event_get(&evs, 1);
	assert_string_equal(event_kind_name(ev->kind), "owner");
	assert_string_equal(ev->text, "a login from 10.0.0.1");
	assert_int_equal(hear(1, "event", NULL), -1);
	assert_int_equal(hear(0, NULL, NULL), -1);
	assert_int_equal(hear(2, "x", "y"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_unknown_to_set),
		cmocka_unit_test(events_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
