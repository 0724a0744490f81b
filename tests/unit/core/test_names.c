/* init/core/names.c */
#include "core/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct names all;
static struct err e;

static int parse(const char *text)
{
	return names_parse(&all, text, strlen(text), &e);
}

static void there_and_back(void **state)
{
	char text[NAMES_TEXT];
	struct buf b;

	(void)state;
	assert_int_equal(parse("coredns\npocketbase-2\n"), 0);
	assert_int_equal(all.count, 2);
	assert_string_equal(all.name[1], "pocketbase-2");
	buf_init(&b, text, sizeof(text));
	assert_int_equal(names_format(&all, &b, &e), 0);
	assert_string_equal(text, "coredns\npocketbase-2\n");
	assert_int_equal(parse(""), 0);
	assert_int_equal(all.count, 0);
	buf_init(&b, text, 3);
	assert_int_equal(names_add(&all, "abc", &e), 0);
	assert_int_equal(names_format(&all, &b, &e), -1);
}

static void what_is_no_list(void **state)
{
	static const char *const bad[] = {
		"coredns", "\n", "a\n\nb\n", "Core\n", "a b\n", "../x\n", "abcdefghijklmnopqrstuvwxyzabcdef\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(bad[i]), -1);
	assert_int_equal(names_parse(&all, "a\0b\n", 4, &e), -1);
}

static void the_bound(void **state)
{
	char text[NAMES_TEXT + 8] = "", full[NAMES_TEXT];
	struct buf b;

	(void)state;
	for (unsigned i = 0; i < NAMES_MAX; i++)
		strcat(text, "abcdefghijklmnopqrstuvwxyzabcde\n");
	assert_int_equal(parse(text), 0);
	buf_init(&b, full, sizeof(full));
	assert_int_equal(names_format(&all, &b, &e), 0);
	strcat(text, "a\n");
	assert_int_equal(parse(text), -1);
	assert_string_equal(e.text, "names: more than 96");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(what_is_no_list),
		cmocka_unit_test(the_bound),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
