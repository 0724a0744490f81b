/* init/core/settings_update.c, through settings_parse, whose files it is for. */
#include "core/settings_update.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "core/settings.h"

static struct yaml y;
static struct settings s;
static struct err e;

static int parse(const char *text)
{
	settings_default(&s);
	return settings_parse(&s, &y, "s.yaml", text, strlen(text), &e);
}

static void every_key(void **state)
{
	(void)state;
	assert_int_equal(parse("update:\n  health: [apps, services]\n  health-deadline: 90s\n"
	                       "  url: https://example.org/hearth/\n  automatic: true\n  snapshot: true\n  window: "
	                       "22:30-05:15\n"),
	                 0);
	assert_int_equal(s.update.health, HEALTH_APPS | HEALTH_SERVICES);
	assert_int_equal(s.update.health_deadline_ms, 90000);
	assert_string_equal(s.update.url, "https://example.org/hearth/");
	assert_true(s.update.automatic);
	assert_true(s.update.snapshot);
	assert_int_equal(s.update.from, 22 * 60 + 30);
	assert_int_equal(s.update.until, 5 * 60 + 15);
}

static void left_out_or_empty(void **state)
{
	(void)state;
	assert_int_equal(parse("update:\n"), 0);
	assert_int_equal(s.update.health_deadline_ms, 15 * 60000);
	assert_int_equal(s.update.from, 180);
	assert_int_equal(s.update.until, 300);
	assert_int_equal(parse("update: {health: [], window: '', url: ''}\n"), 0);
	assert_int_equal(s.update.health, 0);
	assert_int_equal(s.update.from, s.update.until);
}

static void refuses(void **state)
{
	static const struct {
		const char *value, *want;
	} rows[] = {
		{"x", "update is not a mapping"},
		{"[x]", "update is not a mapping"},
		{"{colour: red}", "unknown key 'colour'"},
		{"{health: apps}", "update.health is not a list"},
		{"{health: [app]}", "update.health: 'app' is none of services, node and apps"},
		{"{health: [[apps]]}", "update.health: '' is none of"},
		{"{health: [apps, apps]}", "update.health: 'apps' stands here twice"},
		{"{health-deadline: 15}", "update.health-deadline: '15' is none; use 1m to 24h"},
		{"{health-deadline: 59s}", "update.health-deadline: '59s'"},
		{"{health-deadline: 25h}", "update.health-deadline: '25h'"},
		{"{health-deadline: [1m]}", "update.health-deadline: ''"},
		{"{url: example.org}", "update.url: 'example.org' is none"},
		{"{url: 'ftp://example.org'}", "update.url: "},
		{"{url: 'https://'}", "update.url: "},
		{"{url: 'https:///x'}", "update.url: "},
		{"{url: 'https://a b'}", "update.url: "},
		{"{automatic: yes}", "automatic: 'yes' is neither true nor false"},
		{"{automatic: [true]}", "automatic: '' is neither"},
		{"{snapshot: 1}", "snapshot: '1' is neither true nor false"},
		{"{window: 3-5}", "update.window: '3-5' is none"},
		{"{window: '03:00-24:00'}", "update.window: "},
		{"{window: '03:00-03:60'}", "update.window: "},
		{"{window: '03:00-03:00'}", "update.window: "},
		{"{window: '03:00 05:00'}", "update.window: "},
		{"{window: [a]}", "update.window: "},
	};
	char text[128], want[128];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(str_format(text, sizeof(text), "update: %s\n", rows[i].value), 0);
		assert_int_equal(str_format(want, sizeof(want), "s.yaml:1: %s", rows[i].want), 0);
		assert_int_equal(parse(text), -1);
		if (!str_starts(e.text, want))
			assert_string_equal(e.text, want);
	}
}

static void a_long_url(void **state)
{
	char text[400];

	(void)state;
	(void)snprintf(text, sizeof(text), "update: {url: 'https://%0*d'}\n", SETTINGS_URL - 1 - 8, 0);
	assert_int_equal(parse(text), 0);
	(void)snprintf(text, sizeof(text), "update: {url: 'https://%0*d'}\n", SETTINGS_URL - 8, 0);
	assert_int_equal(parse(text), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key),
		cmocka_unit_test(left_out_or_empty),
		cmocka_unit_test(refuses),
		cmocka_unit_test(a_long_url),
	};
	return cmocka_run_group_tests_name("settings_update", tests, NULL, NULL);
}
