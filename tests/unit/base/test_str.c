/* Strict strings and numbers: mostly tables of what is taken and what is refused. */
#include "base/str.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"

#define FAIL UINT64_MAX /* in the tables below: refused */

struct number {
	const char *text;
	uint64_t value;
};

static void copy_fits_or_fails(void **state)
{
	(void)state;
	char dst[4] = "xyz";
	assert_int_equal(str_copy(dst, sizeof(dst), "abc"), 0);
	assert_string_equal(dst, "abc");
	assert_int_equal(str_copy(dst, sizeof(dst), "abcd"), -1);
	assert_string_equal(dst, "");
	assert_int_equal(str_copy(dst, sizeof(dst), ""), 0);
	assert_int_equal(str_copy(NULL, 0, ""), -1);
}

static void format_fits_or_fails(void **state)
{
	(void)state;
	char dst[4] = "xyz";
	assert_int_equal(str_format(dst, sizeof(dst), "%d", 123), 0);
	assert_string_equal(dst, "123");
	assert_int_equal(str_format(dst, sizeof(dst), "%d", 1234), -1);
	assert_string_equal(dst, "");
	assert_int_equal(str_format(NULL, 0, "%d", 1), -1);
}

static void comparisons(void **state)
{
	(void)state;
	assert_true(str_eq("a", "a"));
	assert_false(str_eq("a", "ab"));
	assert_true(str_starts("abc", "ab"));
	assert_true(str_starts("abc", ""));
	assert_false(str_starts("ab", "abc"));
	assert_false(str_starts("", "a"));
}

static void numbers_are_whole_and_bounded(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t max, value;
	} rows[] = {
		{"0", 0, 0},
		{"007", 9, 7},
		{"255", 255, 255},
		{"256", 255, FAIL},
		{"7", 3, FAIL},
		{"12", 3, FAIL},
		{"18446744073709551614", UINT64_MAX, UINT64_MAX - 1},
		{"18446744073709551616", UINT64_MAX, FAIL},
		{"99999999999999999999999", UINT64_MAX, FAIL},
		{"", 9, FAIL},
		{"-1", 9, FAIL},
		{"+1", 9, FAIL},
		{" 1", 9, FAIL},
		{"1 ", 9, FAIL},
		{"1x", 9, FAIL},
		{"0x1", 9, FAIL},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint64_t v = 4711;
		int rc = str_u64(rows[i].text, rows[i].max, &v);
		assert_int_equal(rc, rows[i].value == FAIL ? -1 : 0);
		assert_true(v == (rc < 0 ? 4711 : rows[i].value)); /* a refusal leaves *out alone */
	}
	uint64_t v;
	assert_int_equal(str_u64("18446744073709551615", UINT64_MAX, &v), 0);
	assert_true(v == UINT64_MAX);
}

static void check_units(int (*parse)(const char *, uint64_t *), const struct number *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t v = 4711;
		int rc = parse(rows[i].text, &v);
		if (rc != (rows[i].value == FAIL ? -1 : 0))
			print_message("'%s'\n", rows[i].text);
		assert_int_equal(rc, rows[i].value == FAIL ? -1 : 0);
		assert_true(v == (rc < 0 ? 4711 : rows[i].value));
	}
}

static void durations_need_a_unit(void **state)
{
	(void)state;
	static const struct number rows[] = {
		{"500ms", 500},
		{"30s", 30000},
		{"2m", 120000},
		{"1h", 3600000},
		{"0s", 0},
		{"18446744073709551s", 18446744073709551000u},
		{"18446744073709552s", FAIL},
		{"99999999999999999h", FAIL},
		{"30", FAIL},
		{"", FAIL},
		{"s", FAIL},
		{"3 s", FAIL},
		{"3S", FAIL},
		{"3sec", FAIL},
		{"1h30m", FAIL},
		{"-1s", FAIL},
		{"1.5s", FAIL},
	};
	check_units(str_duration_ms, rows, COUNT_OF(rows));
}

static void sizes_are_binary(void **state)
{
	(void)state;
	static const struct number rows[] = {
		{"0", 0},
		{"512", 512},
		{"512K", 524288},
		{"64M", 67108864},
		{"2G", 2147483648u},
		{"17179869183G", 17179869183u * (UINT64_C(1) << 30)},
		{"17179869184G", FAIL},
		{"1T", FAIL},
		{"1k", FAIL},
		{"1KiB", FAIL},
		{"K", FAIL},
		{"", FAIL},
		{" 1", FAIL},
	};
	check_units(str_size, rows, COUNT_OF(rows));
}

static void names(void **state)
{
	(void)state;
	static const char *const good[] = {"a", "web", "console-serial", "a1-", "abcdefghijklmnopqrstuvwxyz-0123"};
	static const char *const bad[] = {"",    "1a",  "-a",  "A",        "aB",  "a_b",
	                                  "a.b", "a/b", "a b", "\xc3\xa4", "a\n", "abcdefghijklmnopqrstuvwxyz-01234"};
	assert_int_equal(strlen(good[4]), LIMIT_NAME - 1);
	assert_int_equal(strlen(bad[11]), LIMIT_NAME);
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_true(str_is_name(good[i]));
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(str_is_name(bad[i]));
}

static void distances(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		unsigned cap, distance;
	} rows[] = {
		{"", "", 9, 0},
		{"", "abc", 9, 3},
		{"abc", "", 9, 3},
		{"comand", "command", 9, 1},
		{"command", "comand", 9, 1},
		{"kitten", "sitting", 9, 3},
		{"restart", "retsart", 9, 2},
		{"abc", "xyz", 9, 3},
		{"abc", "xyz", 2, 2},
		{"abc", "abc", 0, 0},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(str_distance(rows[i].a, rows[i].b, rows[i].cap), rows[i].distance);
}

static void distances_of_long_words_are_the_cap(void **state)
{
	(void)state;
	char a[65 + 1], b[65 + 1];
	memset(a, 'a', sizeof(a));
	memset(b, 'a', sizeof(b));
	a[65] = b[64] = '\0';
	b[65] = '\0';
	assert_int_equal(str_distance(a, b, 5), 5); /* 65 bytes are too long to compare */
	assert_int_equal(str_distance(a, a, 5), 0);
	a[64] = '\0';
	b[0] = 'b';
	assert_int_equal(str_distance(a, b, 5), 1);
}

/* The published values of FNV-1a with 32 bits: ids on disks are made from it. */
static void hashes_are_fnv(void **state)
{
	(void)state;
	assert_int_equal(str_hash(STR_HASH, "", 0), 0x811c9dc5);
	assert_int_equal(str_hash(STR_HASH, "a", 1), 0xe40c292c);
	assert_int_equal(str_hash(STR_HASH, "foobar", 6), 0xbf9cf968);
	assert_int_equal(str_hash(str_hash(STR_HASH, "foo", 3), "bar", 3), 0xbf9cf968);
}

static void digits_as_bytes(void **state)
{
	static const char *const bad[] = {"", "0", "00", "000", "00fF", "0g00", "00 0"};
	uint8_t to[2];

	(void)state;
	assert_int_equal(str_hex("a50f", to, 2), 0);
	assert_true(to[0] == 0xa5 && to[1] == 0x0f);
	assert_int_equal(str_hex("00ff\n", to, 2), 0); /* behind them is the caller's */
	assert_true(to[0] == 0 && to[1] == 0xff);
	for (size_t n = 0; n < COUNT_OF(bad); n++)
		assert_int_equal(str_hex(bad[n], to, 2), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copy_fits_or_fails),
		cmocka_unit_test(format_fits_or_fails),
		cmocka_unit_test(comparisons),
		cmocka_unit_test(numbers_are_whole_and_bounded),
		cmocka_unit_test(durations_need_a_unit),
		cmocka_unit_test(sizes_are_binary),
		cmocka_unit_test(hashes_are_fnv),
		cmocka_unit_test(digits_as_bytes),
		cmocka_unit_test(names),
		cmocka_unit_test(distances),
		cmocka_unit_test(distances_of_long_words_are_the_cap),
	};
	return cmocka_run_group_tests_name("base/str", tests, NULL, NULL);
}
