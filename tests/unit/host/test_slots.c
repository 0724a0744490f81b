/* What PID 1 is told of the slots: there and back, and everything that is none of it. */
#include "host/slots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

static struct err e;

static void from_entries(void **state)
{
	struct bootenv b = {.count = 3};
	struct slots s;
	(void)state;
	assert_int_equal(bootenv_parse(&b.entry[0], "hearth-0007-b+2-1.efi"), 0);
	assert_int_equal(bootenv_parse(&b.entry[1], "hearth-0006-b.efi"), 0);
	assert_int_equal(bootenv_parse(&b.entry[2], "hearth-0005-b.efi"), 0);
	slots_from(&s, &b);
	assert_int_equal(s.row[0].state, BOOTENV_EMPTY);
	assert_int_equal(s.row[1].state, BOOTENV_TRIAL);
	assert_int_equal(s.row[1].generation, 7);
	assert_int_equal(s.row[1].left, 2);
	assert_ptr_equal(slots_row(&s, 'a'), &s.row[0]);
	assert_ptr_equal(slots_row(&s, 'b'), &s.row[1]);
}

static void there_and_back(void **state)
{
	static const char want[] = "a good 1 0 0.1.0\nb trial 2 3 -\n";
	char text[SLOTS_TEXT];
	struct slots s = {.row = {{BOOTENV_GOOD, 1, 0, "0.1.0"}, {BOOTENV_TRIAL, 2, 3, ""}}}, again;
	struct buf b;
	(void)state;
	buf_init(&b, text, sizeof(text));
	assert_int_equal(slots_format(&s, &b, &e), 0);
	assert_string_equal(text, want);
	assert_int_equal(slots_parse(&again, text, strlen(text), &e), 0);
	assert_memory_equal(&again, &s, sizeof(s));
}

static void what_is_not_written(void **state)
{
	char text[SLOTS_TEXT];
	struct slots s = {.row = {{BOOTENV_GOOD, 1, 0, "a b"}}};
	struct buf b;
	(void)state;
	buf_init(&b, text, sizeof(text));
	assert_int_equal(slots_format(&s, &b, &e), -1);
	assert_non_null(strstr(e.text, "'a b' is no version"));
	s.row[0].version[0] = '\0';
	buf_init(&b, text, 20);
	assert_int_equal(slots_format(&s, &b, &e), -1);
}

static void what_is_not_read(void **state)
{
	static const char *const bad[] = {
		"",
		"a good 1 0 -\n",
		"a good 1 0 -\nb good 2 0 -",
		"b good 1 0 -\na good 2 0 -\n",
		"a good 1 0 -\nb good 2 0 -\n\n",
		"a good 1 0\nb good 2 0 -\n",
		"a good 1 0 - x\nb good 2 0 -\n",
		"a fine 1 0 -\nb good 2 0 -\n",
		"a good x 0 -\nb good 2 0 -\n",
		"a good 1 -1 -\nb good 2 0 -\n",
		"a good 1 0 /\nb good 2 0 -\n",
		"a good 1 0 \nb good 2 0 -\n",
		"a good 1000000000 0 -\nb good 2 0 -\n",
		"a good 1 0 01234567890123456789012345678901234567890\nb good 2 0 -\n",
	};
	struct slots s;
	char longer[SLOTS_TEXT + 1];
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (slots_parse(&s, bad[i], strlen(bad[i]), &e) == 0)
			fail_msg("taken: %s", bad[i]);
	}
	assert_int_equal(slots_parse(&s, "a good 1 0 -\0b good 2 0 -\n", 26, &e), -1);
	memset(longer, 'a', sizeof(longer));
	assert_int_equal(slots_parse(&s, longer, sizeof(longer), &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_entries),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(what_is_not_written),
		cmocka_unit_test(what_is_not_read),
	};
	return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
