/* init/format/version.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "format/version.h"

static int order(const char *a, const char *b)
{
	struct version x, y;

	assert_int_equal(version_read(a, &x), 0);
	assert_int_equal(version_read(b, &y), 0);
	assert_int_equal(version_compare(&x, &y), -version_compare(&y, &x));
	return version_compare(&x, &y);
}

static void numbers_are_compared_as_numbers(void **state)
{
	(void)state;
	assert_int_equal(order("0.1.0", "0.1.0"), 0);
	assert_int_equal(order("0.1.0", "0.1.1"), -1);
	assert_int_equal(order("0.9.9", "0.10.0"), -1);
	assert_int_equal(order("2", "1.99999.99999"), 1);
	assert_int_equal(order("1.2", "1.2.0"), 0);
	assert_int_equal(order("0", "0.0.1"), -1);
	assert_int_equal(order("99999.99999.99999", "99999.99999.99998"), 1);
}

static void what_can_be_read_in_two_ways_is_none(void **state)
{
	static const char *const rows[] = {"",     ".",       "1.",     ".1",    "1..2", "1.2.3.4",  "1.2.3.",
	                                   "v1",   "1.2-rc1", " 1",     "1 ",    "+1",   "-1",       "01",
	                                   "1.02", "1.2.00",  "100000", "1.2.x", "1,2",  "\xD9\xA1", "1.2.3\n"};
	struct version v = {{7, 7, 7}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(version_read(rows[i], &v), -1);
		assert_int_equal(v.part[0], 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_compared_as_numbers),
		cmocka_unit_test(what_can_be_read_in_two_ways_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
