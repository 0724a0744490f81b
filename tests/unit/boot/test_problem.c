/* The list of current problems: no doubles, replacing by source, its bounds. */
#include "boot/problem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct problems ps;

static int setup(void **state)
{
	(void)state;
	memset(&ps, 0, sizeof(ps));
	return 0;
}

static void test_kept_in_order_without_doubles(void **state)
{
	(void)state;
	assert_true(problem_add(&ps, "", "one"));
	assert_true(problem_add(&ps, "", "two"));
	assert_false(problem_add(&ps, "", "one"));
	assert_int_equal(ps.count, 2);
	assert_string_equal(ps.list[0].text, "one");
	assert_string_equal(ps.list[1].text, "two");
}

static void test_a_source_has_one(void **state)
{
	(void)state;
	assert_true(problem_add(&ps, "root", "block 1"));
	assert_true(problem_add(&ps, "root", "block 2"));
	assert_false(problem_add(&ps, "root", "block 2"));
	assert_int_equal(ps.count, 1);
	assert_string_equal(ps.list[0].text, "block 2");
}

static void test_clear(void **state)
{
	(void)state;
	assert_true(problem_add(&ps, "a", "first"));
	assert_true(problem_add(&ps, "b", "second"));
	assert_true(problem_add(&ps, "", "third"));
	assert_true(problem_clear(&ps, "b"));
	assert_false(problem_clear(&ps, "b"));
	assert_false(problem_clear(&ps, "")); /* those without a source stay */
	assert_int_equal(ps.count, 2);
	assert_string_equal(ps.list[1].text, "third");
}

static void test_bounded(void **state)
{
	char text[ERR_TEXT];
	(void)state;
	for (unsigned i = 0; i < PROBLEMS + 3; i++) {
		assert_true(snprintf(text, sizeof(text), "number %u", i) > 0);
		assert_int_equal(problem_add(&ps, "", text), i < PROBLEMS);
	}
	assert_int_equal(ps.count, PROBLEMS);
	assert_int_equal(ps.lost, 3);
}

static void test_long_texts_are_cut_visibly(void **state)
{
	char text[2 * ERR_TEXT];
	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_true(problem_add(&ps, "", text));
	assert_int_equal(strlen(ps.list[0].text), ERR_TEXT - 1);
	assert_string_equal(ps.list[0].text + ERR_TEXT - 4, "...");
	text[ERR_TEXT - 1] = '\0';
	assert_true(problem_add(&ps, "", text));
	assert_string_equal(ps.list[1].text, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_kept_in_order_without_doubles, setup),
		cmocka_unit_test_setup(test_a_source_has_one, setup),
		cmocka_unit_test_setup(test_clear, setup),
		cmocka_unit_test_setup(test_bounded, setup),
		cmocka_unit_test_setup(test_long_texts_are_cut_visibly, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
