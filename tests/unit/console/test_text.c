/* console/text: cleaning, columns, wrapping, durations, sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "console/text.h"

static char data[4096];
static struct buf b;

static int setup(void **state)
{
	(void)state;
	buf_init(&b, data, sizeof(data));
	return 0;
}

static void cleaning(void **state)
{
	static const struct {
		const char *in, *out;
	} row[] = {
		{"plain", "plain"},
		{"a\033[31mb\a", "a?[31mb?"},
		{"tab\tline\nend\r", "tab line end "},
		{"\xc3\xbcml\xc3\xa4ut \xe2\x82\xac \xf0\x9f\x98\x80",
	         "\xc3\xbcml\xc3\xa4ut \xe2\x82\xac \xf0\x9f\x98\x80"},
		{"\xc2\x9b"
	         "31m",
	         "??31m"}, /* C1: CSI in one character */
		{"\xff\xfe", "??"},
		{"\xc0\xaf", "??"},           /* overlong */
		{"\xed\xa0\x80", "???"},      /* surrogate */
		{"\xf7\xbf\xbf\xbf", "????"}, /* beyond Unicode */
		{"cut \xe2\x82", "cut ??"},
		{"del \x7f", "del ?"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		buf_reset(&b);
		text_clean(&b, row[i].in, strlen(row[i].in));
		assert_string_equal(data, row[i].out);
	}
	assert_int_equal(text_columns("\xc3\xbc\xe2\x82\xac!\xff"), 4);
}

static void padding(void **state)
{
	(void)state;
	text_pad(&b, "\xc3\xbc", 3);
	text_pad_left(&b, "ab", 4);
	text_pad(&b, "long", 2);
	assert_string_equal(data, "\xc3\xbc    ablong");
}

static void wrapping(void **state)
{
	(void)state;
	text_wrap(&b, "one two  three four five six seven", (struct text_at){0, 2, 20});
	/* An indent that leaves less than 20 columns is given up. */
	assert_string_equal(data, "one two three four\nfive six seven\n");
	buf_reset(&b);
	text_wrap(&b, "one two three four five six seven", (struct text_at){5, 4, 26});
	assert_string_equal(data, "one two three four\n    five six seven\n");
	buf_reset(&b);
	text_wrap(&b, "a /a/path/that/is/much/longer/than/a/line/can/be b", (struct text_at){0, 2, 24});
	assert_string_equal(data, "a /a/path/that/is/much/l\n  onger/than/a/line/can/\n  be b\n");
	buf_reset(&b);
	text_wrap(&b, "no limit at all, however long the line may become in the end", (struct text_at){0, 2, 0});
	assert_string_equal(data, "no limit at all, however long the line may become in the end\n");
	buf_reset(&b);
	text_wrap(&b, "", (struct text_at){0, 2, 40});
	assert_string_equal(data, "\n");
}

/* Whatever the text, no line is wider than asked for. */
static void never_wider(void **state)
{
	static const char text[] =
		"some words of it are incomprehensibilities \xc3\xbc\xc3\xbc\xc3\xbc and others not \xff\xff";
	(void)state;
	for (unsigned width = 1; width < 60; width++)
		for (unsigned indent = 0; indent < 12; indent += 3) {
			buf_reset(&b);
			text_wrap(&b, text, (struct text_at){indent, indent, width});
			assert_true(buf_ok(&b));
			unsigned column = indent;
			for (const char *p = data; *p; p++) {
				if (*p == '\n')
					column = 0;
				else if (((unsigned char)*p & 0xc0) != 0x80)
					column++;
				assert_true(column <= (width > indent ? width : indent));
			}
		}
}

static void folding(void **state)
{
	(void)state;
	text_fold(&b, "  abc\tdef", 9, 4);
	assert_string_equal(data, "  ab\nc de\nf\n");
	buf_reset(&b);
	text_fold(&b, "abc", 3, 0);
	assert_string_equal(data, "abc\n");
}

static void durations(void **state)
{
	static const struct {
		uint64_t ms;
		unsigned units;
		const char *out;
	} row[] = {
		{0, 1, "0 ms"},           {999, 1, "999 ms"},      {1000, 1, "1 s"},     {59999, 2, "59 s"},
		{60000, 2, "1 min"},      {61000, 2, "1 min 1 s"}, {3600000, 1, "1 h"},  {3720000, 2, "1 h 2 min"},
		{90061000, 2, "1 d 1 h"}, {90061000, 1, "1 d"},    {86400000, 2, "1 d"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		buf_reset(&b);
		text_duration(&b, row[i].ms, row[i].units);
		assert_string_equal(data, row[i].out);
	}
}

static void sizes(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *out;
	} row[] = {
		{0, "0 B"},        {1023, "1023 B"},     {1024, "1.0 KiB"},        {1536, "1.5 KiB"},
		{10240, "10 KiB"}, {1258291, "1.1 MiB"}, {2147483648u, "2.0 GiB"}, {UINT64_MAX, "15 EiB"},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		buf_reset(&b);
		text_size(&b, row[i].bytes);
		assert_string_equal(data, row[i].out);
	}
}

static void times(void **state)
{
	(void)state;
	text_time(&b, "2026-01-31T12:00:00Z");
	assert_string_equal(data, "2026-01-31 12:00:00 UTC");
	buf_reset(&b);
	text_time(&b, "unknown\033");
	assert_string_equal(data, "unknown?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(cleaning, setup), cmocka_unit_test_setup(padding, setup),
		cmocka_unit_test_setup(wrapping, setup), cmocka_unit_test_setup(never_wider, setup),
		cmocka_unit_test_setup(folding, setup),  cmocka_unit_test_setup(durations, setup),
		cmocka_unit_test_setup(sizes, setup),    cmocka_unit_test_setup(times, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
