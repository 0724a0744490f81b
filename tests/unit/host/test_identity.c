/* The identity file: there and back, and nothing that it should not take. */
#include "host/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ID   "0123456789abcdef0123456789abcdef"
#define GOOD "machine-id=" ID "\nhostname=kitchen\nboots=7\nclock=1764000000\nlast-shutdown=reboot asked for by ctl\n"

static struct identity id;
static struct err e;

static int parse(const char *text)
{
	return identity_parse(&id, text, strlen(text), &e);
}

static void there_and_back(void **state)
{
	char text[IDENTITY_TEXT];
	struct buf b;

	(void)state;
	assert_int_equal(parse(GOOD), 0);
	assert_string_equal(id.machine_id, ID);
	assert_string_equal(id.hostname, "kitchen");
	assert_int_equal(id.boots, 7);
	assert_int_equal(id.clock, 1764000000);
	assert_string_equal(id.last_shutdown, "reboot asked for by ctl");
	buf_init(&b, text, sizeof(text));
	assert_int_equal(identity_format(&id, &b, &e), 0);
	assert_string_equal(text, GOOD);
}

static void the_largest_one_fits(void **state)
{
	char text[IDENTITY_TEXT];
	struct identity most = {.machine_id = ID, .boots = 1000000000, .clock = INT64_C(253402300799)};
	struct buf b;

	(void)state;
	memset(most.hostname, 'h', sizeof(most.hostname) - 1);
	memset(most.last_shutdown, 's', sizeof(most.last_shutdown) - 1);
	buf_init(&b, text, sizeof(text));
	assert_int_equal(identity_format(&most, &b, &e), 0);
	assert_int_equal(identity_parse(&id, text, b.len, &e), 0);
	assert_memory_equal(&id, &most, sizeof(id));
	buf_init(&b, text, 100);
	assert_int_equal(identity_format(&most, &b, &e), -1);
	assert_int_equal(e.code, ENOSPC);
}

static void what_could_not_be_read_back_is_not_written(void **state)
{
	char text[IDENTITY_TEXT];
	struct buf b;

	(void)state;
	assert_int_equal(parse(GOOD), 0);
	memcpy(id.last_shutdown, "two\nlines", 10);
	buf_init(&b, text, sizeof(text));
	assert_int_equal(identity_format(&id, &b, &e), -1);
	assert_int_equal(parse(GOOD), 0);
	id.clock = -1;
	buf_init(&b, text, sizeof(text));
	assert_int_equal(identity_format(&id, &b, &e), -1);
}

static void faults_are_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{"", "not complete"},
		{"hostname=kitchen\n", "not complete"},
		{GOOD "boots=8\n", "twice"},
		{GOOD "colour=red\n", "unknown key"},
		{GOOD "colour\n", "without '='"},
		{GOOD "x=1", "cut"},
		{"machine-id=0123\n", "machine-id has a bad value"},
		{"machine-id=" ID "0\n", "machine-id"},
		{"hostname=\n", "hostname"},
		{"hostname=-a\n", "hostname"},
		{"hostname=a.b\n", "hostname"},
		{"boots=-1\n", "boots"},
		{"boots=10000000000\n", "boots"},
		{"clock=1e9\n", "clock"},
		{"last-shutdown=a\tb\n", "last-shutdown"},
	};
	char text[IDENTITY_TEXT + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i].text), -1);
		if (!strstr(e.text, bad[i].why))
			fail_msg("%zu: '%s'", i, e.text);
	}
	memset(text, 'a', sizeof(text));
	assert_int_equal(identity_parse(&id, text, IDENTITY_TEXT, &e), -1);
	assert_int_equal(e.code, EFBIG);
	assert_int_equal(identity_parse(&id, GOOD "\0", sizeof(GOOD), &e), -1);
}

static void sentences_are_one_line(void **state)
{
	char text[8];

	(void)state;
	identity_sentence(text, sizeof(text), "a\x1b[\xc3\xa9\nb");
	assert_string_equal(text, "a?[??");
	identity_sentence(text, sizeof(text), "longer than that");
	assert_string_equal(text, "longer ");
	identity_sentence(text, 1, "x");
	assert_string_equal(text, "");
	identity_sentence(text, 0, "x");
}

static void host_names(void **state)
{
	(void)state;
	assert_true(identity_is_hostname("a"));
	assert_true(identity_is_hostname("hearth-0a1b2c"));
	assert_false(identity_is_hostname("a-"));
	assert_false(identity_is_hostname("a b"));
	assert_true(identity_is_hostname("123456789012345678901234567890123456789012345678901234567890123"));
	assert_false(identity_is_hostname("1234567890123456789012345678901234567890123456789012345678901234"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(the_largest_one_fits),
		cmocka_unit_test(what_could_not_be_read_back_is_not_written),
		cmocka_unit_test(faults_are_refused),
		cmocka_unit_test(sentences_are_one_line),
		cmocka_unit_test(host_names),
	};

	return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
