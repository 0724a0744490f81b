/* kube/incoming */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "kube/incoming.h"

static char text[512];
static struct buf seen;
static unsigned stop_at; /* the n-th line is the last one wanted; 0: all */

static int setup(void **state)
{
	(void)state;
	buf_init(&seen, text, sizeof(text));
	stop_at = 0;
	return 0;
}

static bool on_line(char *line, size_t len, void *arg)
{
	(void)arg;
	assert_true(len > 0 && strlen(line) == len);
	assert_memory_equal(line + len, "\0\0\0\0", INCOMING_PAD);
	buf_addf(&seen, "%s|", line);
	memset(line, '#', len);
	return stop_at == 0 || --stop_at > 0;
}

static enum incoming_result lines(struct incoming *in, const char *p)
{
	return incoming_lines(in, p, strlen(p), on_line, NULL);
}

static void a_body_grows_to_its_bound(void **state)
{
	static char chunk[1000];
	struct incoming in = {.max = 10000};

	(void)state;
	memset(chunk, 'x', sizeof(chunk));
	for (unsigned i = 1; i <= 10; i++) {
		assert_int_equal(incoming_body(&in, chunk, sizeof(chunk)), INCOMING_OK);
		assert_int_equal(in.len, i * sizeof(chunk));
		assert_memory_equal(in.data + in.len, "\0\0\0\0", INCOMING_PAD);
	}
	assert_int_equal(incoming_body(&in, chunk, 1), INCOMING_TOO_LARGE);
	assert_int_equal(in.len, 10000);
	assert_int_equal(incoming_body(&in, chunk, 0), INCOMING_OK);
	assert_int_equal(incoming_body(&in, chunk, SIZE_MAX), INCOMING_TOO_LARGE);
	incoming_free(&in);
	assert_null(in.data);
	assert_int_equal(incoming_body(&in, chunk, 1), INCOMING_OK);
	incoming_free(&in);
}

/* The same lines, wherever the pieces end. */
static void lines_come_out_whole(void **state)
{
	static const char all[] = "one\n\ntwo and more\n\n\nthree\nrest";

	(void)state;
	for (size_t first = 0; first < sizeof(all); first++) {
		for (size_t second = first; second < sizeof(all); second++) {
			struct incoming in = {.max = 100};
			buf_reset(&seen);
			assert_int_equal(incoming_lines(&in, all, first, on_line, NULL), INCOMING_OK);
			assert_int_equal(incoming_lines(&in, all + first, second - first, on_line, NULL), INCOMING_OK);
			assert_int_equal(incoming_lines(&in, all + second, sizeof(all) - 1 - second, on_line, NULL),
			                 INCOMING_OK);
			assert_string_equal(text, "one|two and more|three|");
			incoming_rest(&in, on_line, NULL);
			assert_string_equal(text, "one|two and more|three|rest|");
			assert_null(in.data);
			if (second == sizeof(all) - 1)
				break;
		}
		if (first == sizeof(all) - 1)
			break;
	}
}

static void nothing_is_held_between_lines(void **state)
{
	struct incoming in = {.max = 100};

	(void)state;
	assert_int_equal(lines(&in, "a\nb\n"), INCOMING_OK);
	assert_null(in.data);
	assert_int_equal(in.cap, 0);
	assert_int_equal(lines(&in, ""), INCOMING_OK);
	assert_null(in.data);
	incoming_rest(&in, on_line, NULL);
	assert_string_equal(text, "a|b|");
}

static void a_line_has_its_bound(void **state)
{
	static const struct {
		const char *first, *second;
		enum incoming_result want;
		const char *lines;
	} rows[] = {
		{"12345\n", "", INCOMING_OK, "12345|"},
		{"a\n123456\nb\n", "", INCOMING_TOO_LARGE, "a|"},
		{"12345", "\n", INCOMING_OK, "12345|"},
		{"12345", "6", INCOMING_TOO_LARGE, ""},
		{"1234", "56\n", INCOMING_TOO_LARGE, ""},
		{"a\nb\nc\nd\n", "e\n", INCOMING_OK, "a|b|c|d|e|"}, /* together longer than one line may be */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct incoming in = {.max = 5};
		buf_reset(&seen);
		enum incoming_result r = lines(&in, rows[i].first);
		if (r == INCOMING_OK)
			r = lines(&in, rows[i].second);
		assert_int_equal(r, rows[i].want);
		assert_string_equal(text, rows[i].lines);
		incoming_free(&in);
	}
}

static void a_reader_may_stop(void **state)
{
	struct incoming in = {.max = 100};

	(void)state;
	stop_at = 2;
	assert_int_equal(lines(&in, "a\nb\nc\n"), INCOMING_STOPPED);
	assert_string_equal(text, "a|b|");
	incoming_free(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_body_grows_to_its_bound, setup),
		cmocka_unit_test_setup(lines_come_out_whole, setup),
		cmocka_unit_test_setup(nothing_is_held_between_lines, setup),
		cmocka_unit_test_setup(a_line_has_its_bound, setup),
		cmocka_unit_test_setup(a_reader_may_stop, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
