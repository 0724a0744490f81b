/* init/console/auth.c: orders and replies, with the real hash. The process itself: tests/scenario/web. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "console/auth.h"
#include "console/owner_kdf.h"
#include "fake/sys.h"

static char text[AUTH_MESSAGE], order[AUTH_MESSAGE];

static const char *reply(const char *to, const char *password)
{
	struct buf b;
	buf_init(&b, text, sizeof(text));
	auth_reply(to, password, strlen(password), &b);
	assert_true(buf_ok(&b));
	return text;
}

/* The order to check against the record that stands in the last reply. */
static const char *to_check(const char *word)
{
	assert_true(str_starts(text, word));
	assert_int_equal(str_format(order, sizeof(order), "check %s", text + strlen(word)), 0);
	return order;
}

static void made_and_checked(void **state)
{
	char first[AUTH_MESSAGE];

	(void)state;
	fake_reset();
	(void)reply("make", "correct horse");
	assert_true(str_starts(text, "made argon2id v=19 m=19456 t=2 p=1 "));
	assert_int_equal(str_copy(first, sizeof(first), to_check("made ")), 0);
	assert_string_equal(reply(first, "correct horse"), "yes");
	assert_string_equal(reply(first, "correct horsf"), "no");
	assert_string_equal(reply(first, "correct hors"), "no");
	assert_string_equal(reply(first, ""), "no");
	(void)reply("make", "correct horse"); /* another salt */
	assert_string_not_equal(to_check("made "), first);
}

static void a_cheap_record_is_renewed(void **state)
{
	/* "correct horse" with half the memory and one pass. */
	static const char cheap[] = "check argon2id v=19 m=8192 t=1 p=1 000102030405060708090a0b0c0d0e0f ";
	struct owner_record r;
	struct err e;
	char line[OWNER_RECORD];
	struct buf b;

	(void)state;
	memset(&r, 0, sizeof(r));
	r.kind = OWNER_ARGON2ID;
	r.cost = (struct owner_cost){8192, 1, 1};
	for (size_t i = 0; i < OWNER_SALT; i++)
		r.salt[i] = (uint8_t)i;
	assert_int_equal(owner_kdf(&r, "correct horse", 13, r.hash, &e), 0);
	buf_init(&b, line, sizeof(line));
	owner_record_write(&r, &b);
	line[b.len - 1] = '\0';
	assert_int_equal(str_format(order, sizeof(order), "check %s", line), 0);
	assert_true(str_starts(order, cheap));
	assert_string_equal(reply(order, "something else"), "no");
	(void)reply(order, "correct horse");
	assert_true(str_starts(text, "yes argon2id v=19 m=19456 t=2 p=1 "));
	assert_string_equal(reply(to_check("yes "), "correct horse"), "yes");
}

static void what_cannot_be_done_is_said(void **state)
{
	(void)state;
	assert_string_equal(reply("make", "too short"), "refused a password has at least 10 characters");
	assert_string_equal(reply("check code K7Q20XD1", "K7Q20XD1xx"), "failed a broken record");
	assert_string_equal(reply("check argon2id", "x"), "failed a broken record");
	assert_string_equal(reply("", "x"), "failed an order that nobody gives");
	fake_fail_at(1, EIO);
	assert_string_equal(reply("make", "long enough"), "failed randomness: Input/output error");
	fake_reset();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_and_checked),
		cmocka_unit_test(a_cheap_record_is_renewed),
		cmocka_unit_test(what_cannot_be_done_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
