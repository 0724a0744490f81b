/* init/console/owner_code.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "console/owner_code.h"

static struct err e;

static void every_pattern_makes_a_code_that_reads_back(void **state)
{
	struct owner_code c, back;
	char shown[OWNER_CODE_SHOWN], seen[256] = "";
	unsigned distinct = 0;

	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		uint8_t random[OWNER_CODE_LEN];
		memset(random, (int)byte, sizeof(random));
		owner_code_make(&c, random);
		assert_int_equal(strlen(c.text), OWNER_CODE_LEN);
		distinct += !seen[(unsigned char)c.text[0]];
		seen[(unsigned char)c.text[0]] = 1;
		owner_code_show(&c, shown);
		assert_int_equal(owner_code_parse(&back, shown, &e), 0);
		assert_true(owner_code_equal(&c, &back));
	}
	assert_int_equal(distinct, 32);
	assert_false(seen['I'] || seen['L'] || seen['O'] || seen['U']);
}

static void typed_as_people_type(void **state)
{
	static const char *const good[] = {"K7Q20XD1", "K7Q2-0XD1", " k7q2 0xd1 ",
	                                   "k7q2oxdl", "K7Q2-OXDI", "--K7Q20XD1--"};
	static const char *const bad[] = {"",         "-",         "K7Q20XD",    "K7Q20XD11",
	                                  "K7Q20XDU", "K7Q2_0XD1", "K7Q20XD1\n", "\x80"};
	struct owner_code c;
	char shown[OWNER_CODE_SHOWN];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		assert_int_equal(owner_code_parse(&c, good[i], &e), 0);
		owner_code_show(&c, shown);
		assert_string_equal(shown, "K7Q2-0XD1");
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(owner_code_parse(&c, bad[i], &e), -1);
}

static void each_place_counts(void **state)
{
	struct owner_code a, b;

	(void)state;
	assert_int_equal(owner_code_parse(&a, "AAAAAAAA", &e), 0);
	for (size_t i = 0; i < OWNER_CODE_LEN; i++) {
		b = a;
		assert_true(owner_code_equal(&a, &b));
		b.text[i] = 'B';
		assert_false(owner_code_equal(&a, &b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pattern_makes_a_code_that_reads_back),
		cmocka_unit_test(typed_as_people_type),
		cmocka_unit_test(each_place_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
