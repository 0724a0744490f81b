/* init/update/part.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "update/part.h"

static struct err e;

static void only_what_the_file_has(void **state)
{
	static const struct {
		enum order_kind kind;
		struct msg_want want;
		int rc;
	} cases[] = {
		{ORDER_PARTS, {0, 1000}, 0},        {ORDER_PARTS, {999, 1}, 0},   {ORDER_PARTS, {0, 1001}, -1},
		{ORDER_PARTS, {1000, 1}, -1},       {ORDER_PARTS, {1001, 1}, -1}, {ORDER_PARTS, {5, 0}, -1},
		{ORDER_PARTS, {1, UINT64_MAX}, -1}, {ORDER_URL, {0, 10}, -1},     {ORDER_PIPE, {0, 10}, -1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct order o = {.kind = cases[i].kind, .size = 1000};
		struct msg_want asked = {7, 0};
		assert_int_equal(part_ask(&asked, &cases[i].want, &o, &e), cases[i].rc);
		assert_int_equal(asked.length, cases[i].rc == 0 ? cases[i].want.length : 0);
	}
}

static void only_what_is_asked_for(void **state)
{
	static const struct {
		uint64_t from, size;
		int code;
	} cases[] = {{100, 50, 0}, {100, 1, 0}, {100, 51, EINVAL}, {99, 50, EINVAL}, {101, 49, EINVAL}};
	struct msg_want asked = {100, 50};
	struct order o = {.verb = ORDER_PART};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		o.from = cases[i].from;
		o.size = cases[i].size;
		e.code = 0;
		assert_int_equal(part_fits(&asked, &o, &e), cases[i].code ? -1 : 0);
		assert_int_equal(e.code, cases[i].code);
	}
	asked.length = 0;
	assert_int_equal(part_fits(&asked, &o, &e), -1);
	assert_non_null(strstr(e.text, "no part"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_the_file_has),
		cmocka_unit_test(only_what_is_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
