/* init/console/owner_record.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "console/owner_record.h"

#define SALT "000102030405060708090a0b0c0d0e0f"
#define HASH SALT "101112131415161718191a1b1c1d1e1f"
#define GOOD "argon2id v=19 m=19456 t=2 p=1 " SALT " " HASH "\n"

static struct owner_record r;
static struct err e;

static int parse(const char *text)
{
	return owner_record_parse(&r, text, strlen(text), &e);
}

static void what_is_written_reads_back(void **state)
{
	static const char *const lines[] = {GOOD, "code K7Q20XD1\n",
	                                    "argon2id v=19 m=262144 t=16 p=4 " SALT " " HASH "\n"};
	char text[OWNER_RECORD];
	struct buf b;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lines); i++) {
		assert_int_equal(parse(lines[i]), 0);
		buf_init(&b, text, sizeof(text));
		owner_record_write(&r, &b);
		assert_true(buf_ok(&b));
		assert_string_equal(text, lines[i]);
	}
	assert_int_equal(r.kind, OWNER_ARGON2ID);
	assert_int_equal(r.cost.memory_kib, 262144);
	assert_int_equal(r.salt[15], 15);
	assert_int_equal(r.hash[31], 31);
}

static void all_else_is_refused(void **state)
{
	static const char *const bad[] = {"",
	                                  "\n",
	                                  "code\n",
	                                  "code \n",
	                                  "code K7Q20XD\n",
	                                  "code k7q20xd1\n",
	                                  "code K7Q2-0XD1\n",
	                                  "code K7Q20XD1",
	                                  "code K7Q20XD1\n\n",
	                                  "code K7Q20XD1 \n",
	                                  " code K7Q20XD1\n",
	                                  "code  K7Q20XD1\n",
	                                  "password x\n",
	                                  "argon2i v=19 m=19456 t=2 p=1 " SALT " " HASH "\n",
	                                  "argon2id v=16 m=19456 t=2 p=1 " SALT " " HASH "\n",
	                                  "argon2id v=19 m=8191 t=2 p=1 " SALT " " HASH "\n",
	                                  "argon2id v=19 m=262145 t=2 p=1 " SALT " " HASH "\n",
	                                  "argon2id v=19 m=019456 t=2 p=1 " SALT " " HASH "\n",
	                                  "argon2id v=19 m=19456 t=0 p=1 " SALT " " HASH "\n",
	                                  "argon2id v=19 m=19456 t=17 p=1 " SALT " " HASH "\n",
	                                  "argon2id v=19 m=19456 t=2 p=5 " SALT " " HASH "\n",
	                                  "argon2id v=19 t=2 m=19456 p=1 " SALT " " HASH "\n",
	                                  "argon2id v=19 m=19456 t=2 p=1 " SALT "00 " HASH "\n",
	                                  "argon2id v=19 m=19456 t=2 p=1 " SALT " " SALT "\n",
	                                  "argon2id v=19 m=19456 t=2 p=1 " SALT " " HASH " x\n",
	                                  "argon2id v=19 m=19456 t=2 p=1 " SALT " " SALT
	                                  "101112131415161718191A1B1C1D1E1F\n"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (parse(bad[i]) != -1)
			fail_msg("taken: %s", bad[i]);
	}
	assert_int_equal(owner_record_parse(&r, "code K7Q20XD1\0\n", 15, &e), -1);
	for (size_t n = 0; n < sizeof(GOOD) - 1; n++)
		assert_int_equal(owner_record_parse(&r, GOOD, n, &e), -1);
}

static void other_costs_are_old(void **state)
{
	(void)state;
	assert_int_equal(parse(GOOD), 0);
	assert_false(owner_record_is_old(&r));
	r.cost.passes++;
	assert_true(owner_record_is_old(&r));
	assert_int_equal(parse("code K7Q20XD1\n"), 0);
	assert_false(owner_record_is_old(&r));
}

static void only_the_length_counts(void **state)
{
	char longest[OWNER_PASSWORD + 1];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	assert_int_equal(owner_password_check("123456789", 9, &e), -1);
	assert_int_equal(owner_password_check("1234567890", 10, &e), 0);
	assert_int_equal(owner_password_check("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 10, &e), -1); /* five */
	assert_int_equal(owner_password_check("          ", 10, &e), 0);
	assert_int_equal(owner_password_check(longest, OWNER_PASSWORD, &e), 0);
	assert_int_equal(owner_password_check(longest, OWNER_PASSWORD + 1, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_reads_back),
		cmocka_unit_test(all_else_is_refused),
		cmocka_unit_test(other_costs_are_old),
		cmocka_unit_test(only_the_length_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
