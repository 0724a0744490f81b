/* The bounded text builder, over heap blocks of exactly its size so that one byte too far is caught. */
#include "base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct buf b;

static void with_cap(size_t cap)
{
	buf_init(&b, cap > 0 ? malloc(cap) : NULL, cap);
}

static int teardown(void **state)
{
	(void)state;
	free(b.data);
	b.data = NULL;
	return 0;
}

static void pieces_add_up(void **state)
{
	(void)state;
	with_cap(32);
	assert_string_equal(b.data, "");
	buf_add(&b, "one");
	buf_add_char(&b, ' ');
	buf_add_n(&b, "twofold", 3);
	buf_addf(&b, " %d%s", 3, "!");
	buf_add(&b, "");
	buf_add_n(&b, NULL, 0);
	assert_string_equal(b.data, "one two 3!");
	assert_int_equal(b.len, 10);
	assert_true(buf_ok(&b));
	buf_reset(&b);
	assert_string_equal(b.data, "");
	assert_int_equal(b.len, 0);
}

static void the_last_byte_is_the_terminator(void **state)
{
	(void)state;
	with_cap(4);
	buf_add(&b, "abc");
	assert_true(buf_ok(&b));
	buf_add(&b, "");
	assert_true(buf_ok(&b));
	buf_add_char(&b, 'd');
	assert_false(buf_ok(&b));
	assert_string_equal(b.data, "abc");
	buf_reset(&b);
	assert_true(buf_ok(&b));
}

static void what_fits_of_a_longer_text_stays(void **state)
{
	(void)state;
	with_cap(6);
	buf_add(&b, "ab");
	buf_add(&b, "cdefg");
	assert_false(buf_ok(&b));
	assert_string_equal(b.data, "abcde");
	assert_int_equal(b.len, 5);
	buf_add(&b, "");
	assert_false(buf_ok(&b)); /* it does not forget */
}

static void formats_are_bounded_too(void **state)
{
	(void)state;
	with_cap(6);
	buf_addf(&b, "%s", "abcde");
	assert_true(buf_ok(&b));
	buf_addf(&b, "%s", "");
	assert_true(buf_ok(&b));
	buf_addf(&b, "%c", 'f');
	assert_false(buf_ok(&b));
	assert_string_equal(b.data, "abcde");
	buf_reset(&b);
	buf_addf(&b, "%d", 1234567);
	assert_false(buf_ok(&b));
	assert_string_equal(b.data, "12345");
	assert_int_equal(b.len, 5);
}

static void no_room_at_all(void **state)
{
	(void)state;
	with_cap(0);
	buf_add(&b, "");
	buf_drop(&b, 3);
	assert_true(buf_ok(&b));
	buf_addf(&b, "%s", "");
	assert_true(buf_ok(&b));
	buf_addf(&b, "%d", 1);
	assert_false(buf_ok(&b));
	buf_reset(&b);
	buf_add(&b, "x");
	assert_false(buf_ok(&b));
	assert_int_equal(b.len, 0);
}

static void drop_moves_the_rest(void **state)
{
	(void)state;
	with_cap(8);
	buf_add(&b, "abcdefg");
	buf_drop(&b, 0);
	assert_string_equal(b.data, "abcdefg");
	buf_drop(&b, 3);
	assert_string_equal(b.data, "defg");
	buf_add(&b, "hij");
	assert_true(buf_ok(&b));
	assert_string_equal(b.data, "defghij");
	buf_drop(&b, 100);
	assert_string_equal(b.data, "");
	assert_int_equal(b.len, 0);
}

static void bytes_as_digits(void **state)
{
	static const uint8_t bytes[] = {0x00, 0x0f, 0xa5, 0xff};

	(void)state;
	with_cap(10);
	buf_add_hex(&b, bytes, sizeof(bytes));
	assert_true(buf_ok(&b));
	assert_string_equal(b.data, "000fa5ff");
	buf_add_hex(&b, bytes, 1);
	assert_false(buf_ok(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(pieces_add_up, teardown),
		cmocka_unit_test_teardown(the_last_byte_is_the_terminator, teardown),
		cmocka_unit_test_teardown(what_fits_of_a_longer_text_stays, teardown),
		cmocka_unit_test_teardown(formats_are_bounded_too, teardown),
		cmocka_unit_test_teardown(no_room_at_all, teardown),
		cmocka_unit_test_teardown(drop_moves_the_rest, teardown),
		cmocka_unit_test_teardown(bytes_as_digits, teardown),
	};
	return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}
