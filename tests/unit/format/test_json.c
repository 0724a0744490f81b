/* init/format/json.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "format/json.h"

static char data[512];
static struct buf out;
static struct json j;

static int setup(void **state)
{
	(void)state;
	buf_init(&out, data, sizeof(data));
	json_init(&j, &out);
	return 0;
}

static void writes_nested_values(void **state)
{
	(void)state;
	json_open_object(&j, NULL);
	json_string(&j, "a", "x");
	json_open_list(&j, "l");
	json_int(&j, NULL, INT64_MIN);
	json_open_object(&j, NULL);
	json_close_object(&j);
	json_bool(&j, NULL, true);
	json_bool(&j, NULL, false);
	json_close_list(&j);
	json_string(&j, "n", NULL);
	json_open_list(&j, "e");
	json_close_list(&j);
	json_close_object(&j);
	assert_true(json_ok(&j));
	assert_string_equal(data, "{\"a\":\"x\",\"l\":[-9223372036854775808,{},true,false],\"n\":null,\"e\":[]}");
}

static void escapes_strings(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{"", ""},
		{"plain /~", "plain /~"},
		{"\"\\", "\\\"\\\\"},
		{"\n\r\t", "\\n\\r\\t"},
		{"\x01\x1b[2J\x7f", "\\u0001\\u001b[2J\\u007f"},
		{"\xC3\xA4", "\\u00e4"},
		{"\xE2\x82\xAC", "\\u20ac"},
		{"\xF0\x9F\x8F\xA0", "\\ud83c\\udfe0"},
		{"\xF4\x8F\xBF\xBF", "\\udbff\\udfff"},
		{"a\xFFz", "a\\ufffdz"},                              /* no lead byte */
		{"\x80", "\\ufffd"},                                  /* a lone continuation */
		{"\xC3", "\\ufffd"},                                  /* cut at the end */
		{"\xE2\x82", "\\ufffd\\ufffd"},                       /* cut at the end */
		{"\xC0\xAF", "\\ufffd\\ufffd"},                       /* overlong */
		{"\xED\xA0\x80", "\\ufffd\\ufffd\\ufffd"},            /* a surrogate */
		{"\xF4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"}, /* beyond U+10FFFF */
	};
	char want[64];

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		setup(state);
		json_string(&j, NULL, rows[i].in);
		assert_true(json_ok(&j));
		assert_int_equal(str_format(want, sizeof(want), "\"%s\"", rows[i].want), 0);
		assert_string_equal(data, want);
	}
}

static void escapes_keys_too(void **state)
{
	(void)state;
	json_open_object(&j, NULL);
	json_bool(&j, "a\"b", true);
	json_close_object(&j);
	assert_string_equal(data, "{\"a\\\"b\":true}");
}

static void misuse_is_noticed(void **state)
{
	assert_false(json_ok(&j)); /* no value at all */
	json_open_object(&j, NULL);
	assert_false(json_ok(&j)); /* still open */
	json_int(&j, NULL, 1);     /* no key in an object */
	json_close_object(&j);
	assert_false(json_ok(&j));
	assert_string_equal(data, "{");

	setup(state);
	json_open_list(&j, NULL);
	json_int(&j, "k", 1); /* a key in a list */
	json_close_list(&j);
	assert_false(json_ok(&j));

	setup(state);
	json_int(&j, "k", 1); /* a key at the top */
	assert_false(json_ok(&j));

	setup(state);
	json_int(&j, NULL, 1);
	json_int(&j, NULL, 2); /* two values at the top */
	assert_false(json_ok(&j));

	setup(state);
	json_open_list(&j, NULL);
	json_close_object(&j); /* the wrong end */
	assert_false(json_ok(&j));

	setup(state);
	json_close_object(&j); /* an end without a beginning */
	assert_false(json_ok(&j));
}

static void depth_is_bounded(void **state)
{
	(void)state;
	for (unsigned i = 0; i < JSON_DEPTH; i++)
		json_open_list(&j, NULL);
	json_int(&j, NULL, 1);
	for (unsigned i = 0; i < JSON_DEPTH; i++)
		json_close_list(&j);
	assert_true(json_ok(&j));
	assert_string_equal(data, "[[[[[[[[1]]]]]]]]");

	setup(state);
	for (unsigned i = 0; i <= JSON_DEPTH; i++)
		json_open_list(&j, NULL);
	for (unsigned i = 0; i <= JSON_DEPTH; i++)
		json_close_list(&j);
	assert_false(json_ok(&j));
}

static void overflow_is_noticed(void **state)
{
	(void)state;
	buf_init(&out, data, 8);
	json_init(&j, &out);
	json_string(&j, NULL, "123456");
	assert_false(json_ok(&j));
	buf_init(&out, data, 9);
	json_init(&j, &out);
	json_string(&j, NULL, "123456");
	assert_true(json_ok(&j));
}

static void writes_behind_what_is_there(void **state)
{
	(void)state;
	buf_add(&out, "head ");
	json_int(&j, NULL, 7);
	assert_true(json_ok(&j));
	assert_string_equal(data, "head 7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(writes_nested_values, setup),
		cmocka_unit_test_setup(escapes_strings, setup),
		cmocka_unit_test_setup(escapes_keys_too, setup),
		cmocka_unit_test_setup(misuse_is_noticed, setup),
		cmocka_unit_test_setup(depth_is_bounded, setup),
		cmocka_unit_test_setup(overflow_is_noticed, setup),
		cmocka_unit_test_setup(writes_behind_what_is_there, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
