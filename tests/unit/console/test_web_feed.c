/* init/console/web_feed.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "console/web_feed.h"

static struct web_feed f;

static int setup(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	web_feed_init(&f);
	return 0;
}

static void add(const char *json)
{
	assert_true(web_feed_add(&f, json, strlen(json)));
}

static void gives_what_was_added(void **state)
{
	const char *text = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(web_feed_get(&f, 1, &text, &len), 0);
	add("{\"seq\":7}");
	assert_int_equal(web_feed_get(&f, 1, &text, &len), 1);
	assert_string_equal(text, "data: {\"seq\":7}\n\n");
	assert_int_equal(len, strlen(text));
	assert_int_equal(web_feed_get(&f, 2, &text, &len), 0);
}

static void blanks_line_breaks(void **state)
{
	const char *text;
	size_t len;

	(void)state;
	add("{\n\"a\":\r1}");
	assert_int_equal(web_feed_get(&f, 1, &text, &len), 1);
	assert_string_equal(text, "data: { \"a\": 1}\n\n");
}

static void tells_a_slow_reader(void **state)
{
	const char *text;
	size_t len;
	char json[32];

	(void)state;
	for (int i = 1; i <= WEB_FEED_EVENTS + 3; i++) {
		assert_true(snprintf(json, sizeof(json), "%d", i) > 0);
		add(json);
	}
	for (uint64_t seq = 1; seq <= 3; seq++)
		assert_int_equal(web_feed_get(&f, seq, &text, &len), -1);
	assert_int_equal(web_feed_get(&f, 4, &text, &len), 1);
	assert_string_equal(text, "data: 4\n\n");
	assert_int_equal(web_feed_get(&f, WEB_FEED_EVENTS + 3, &text, &len), 1);
	assert_string_equal(text, "data: 35\n\n");
}

static void leaves_out_what_does_not_fit(void **state)
{
	static char json[WEB_FEED_TEXT + 1];
	const size_t most = WEB_FEED_TEXT - sizeof("data: \n\n");
	const char *text;
	size_t len;

	(void)state;
	memset(json, 'x', sizeof(json));
	assert_false(web_feed_add(&f, json, most + 1));
	assert_int_equal(f.next, 1);
	assert_true(web_feed_add(&f, json, most));
	assert_int_equal(web_feed_get(&f, 1, &text, &len), 1);
	assert_int_equal(len, most + strlen("data: \n\n"));
	assert_string_equal(text + len - 2, "\n\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(gives_what_was_added, setup),
		cmocka_unit_test_setup(blanks_line_breaks, setup),
		cmocka_unit_test_setup(tells_a_slow_reader, setup),
		cmocka_unit_test_setup(leaves_out_what_does_not_fit, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
