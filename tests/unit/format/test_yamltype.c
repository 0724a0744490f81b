/* init/format/yamltype.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "format/yamltype.h"

static char text[128];

static enum yamltype type_of(const char *word)
{
	struct buf b;

	buf_init(&b, text, sizeof(text));
	enum yamltype t = yamltype_write(word, strlen(word), &b);
	assert_true(buf_ok(&b));
	return t;
}

/* The right column is what sigs.k8s.io/yaml makes of it, but for digits that a float would lose. */
static void tokens(void **state)
{
	static const struct {
		const char *word, *json;
		enum yamltype type;
	} rows[] = {
		{"", "null", YAMLTYPE_NULL},
		{"~", "null", YAMLTYPE_NULL},
		{"Null", "null", YAMLTYPE_NULL},
		{"true", "true", YAMLTYPE_BOOL},
		{"TRUE", "true", YAMLTYPE_BOOL},
		{"False", "false", YAMLTYPE_BOOL},
		{"0", "0", YAMLTYPE_NUMERIC},
		{"-0", "0", YAMLTYPE_NUMERIC},
		{"+12", "12", YAMLTYPE_NUMERIC},
		{"-12", "-12", YAMLTYPE_NUMERIC},
		{"1_000", "1000", YAMLTYPE_NUMERIC},
		{"0755", "493", YAMLTYPE_NUMERIC},
		{"-0755", "-493", YAMLTYPE_NUMERIC},
		{"00", "0", YAMLTYPE_NUMERIC},
		{"0899", "899", YAMLTYPE_NUMERIC},
		{"0o17", "15", YAMLTYPE_NUMERIC},
		{"0x1F", "31", YAMLTYPE_NUMERIC},
		{"-0x10", "-16", YAMLTYPE_NUMERIC},
		{"0b101", "5", YAMLTYPE_NUMERIC},
		{"0xffffffffffffffff", "18446744073709551615", YAMLTYPE_NUMERIC},
		{"0x10000000000000000", "", YAMLTYPE_STRING},
		{"-0x8000000000000001", "", YAMLTYPE_STRING},
		{"123456789012345678901234567890", "123456789012345678901234567890", YAMLTYPE_NUMERIC},
		{"1.5", "1.5", YAMLTYPE_NUMERIC},
		{"-01.50", "-1.50", YAMLTYPE_NUMERIC},
		{".5", "0.5", YAMLTYPE_NUMERIC},
		{"-.5e-3", "-0.5e-3", YAMLTYPE_NUMERIC},
		{"1.", "1", YAMLTYPE_NUMERIC},
		{"2.0", "2", YAMLTYPE_NUMERIC},
		{"1e3", "1000", YAMLTYPE_NUMERIC},
		{"1.e3", "1000", YAMLTYPE_NUMERIC},
		{"1.e-3", "1e-3", YAMLTYPE_NUMERIC},
		{"1e+30", "1e+30", YAMLTYPE_NUMERIC},
		{"1e400", "", YAMLTYPE_STRING},
		{"1e", "", YAMLTYPE_STRING},
		{"e3", "", YAMLTYPE_STRING},
		{".", "", YAMLTYPE_STRING},
		{"-", "", YAMLTYPE_STRING},
		{"+-1", "", YAMLTYPE_STRING},
		{"0x", "", YAMLTYPE_STRING},
		{"0b2", "", YAMLTYPE_STRING},
		{"0o8", "", YAMLTYPE_STRING},
		{"_1", "", YAMLTYPE_STRING},
		{"._5", "", YAMLTYPE_STRING},
		{"1.2.3", "", YAMLTYPE_STRING},
		{"2026-11-25", "", YAMLTYPE_STRING},
		{"12:30:45", "", YAMLTYPE_STRING},
		{"500m", "", YAMLTYPE_STRING},
		{"1Gi", "", YAMLTYPE_STRING},
		{"nullx", "", YAMLTYPE_STRING},
		{"tRUE", "", YAMLTYPE_STRING},
		{"none", "", YAMLTYPE_STRING},
		{"a|b", "", YAMLTYPE_STRING},
		{"|", "", YAMLTYPE_STRING},
		{"yes", "", YAMLTYPE_UNCLEAR},
		{"No", "", YAMLTYPE_UNCLEAR},
		{"on", "", YAMLTYPE_UNCLEAR},
		{"OFF", "", YAMLTYPE_UNCLEAR},
		{"y", "", YAMLTYPE_UNCLEAR},
		{"N", "", YAMLTYPE_UNCLEAR},
		{".inf", "", YAMLTYPE_UNCLEAR},
		{"-.INF", "", YAMLTYPE_UNCLEAR},
		{".NaN", "", YAMLTYPE_UNCLEAR},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		enum yamltype t = type_of(rows[i].word);
		if (t != rows[i].type || !str_eq(text, rows[i].json))
			fail_msg("'%s': type %d, '%s'", rows[i].word, (int)t, text);
	}
}

#define DIGITS63 "123456789012345678901234567890123456789012345678901234567890123"

static void a_long_number_is_a_string(void **state)
{
	struct buf b;

	(void)state;
	assert_int_equal(type_of(DIGITS63), YAMLTYPE_NUMERIC);
	assert_string_equal(text, DIGITS63);
	assert_int_equal(type_of(DIGITS63 "4"), YAMLTYPE_STRING);
	buf_init(&b, text, sizeof(text));
	assert_int_equal(yamltype_write("1\0", 2, &b), YAMLTYPE_STRING);
}

/* Only what belongs to the word is looked at. */
static void the_word_need_not_be_terminated(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, text, sizeof(text));
	assert_int_equal(yamltype_write("123", 2, &b), YAMLTYPE_NUMERIC);
	assert_string_equal(text, "12");
	assert_int_equal(yamltype_write("true", 3, &b), YAMLTYPE_STRING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens),
		cmocka_unit_test(a_long_number_is_a_string),
		cmocka_unit_test(the_word_need_not_be_terminated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
