/* init/format/yamlerr.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "format/yamlerr.h"

static struct err e;

/* Reads all events; the first complaint is in e. */
static int complain(const char *text, int first)
{
	struct yamlerr_text t = {.file = "f", .text = text, .len = strlen(text), .first = first};
	yaml_parser_t p;
	yaml_event_t ev;
	bool end = false;
	int rc = 0;

	err_clear(&e);
	t.last = first;
	for (size_t i = 0; i + 1 < t.len; i++)
		t.last += text[i] == '\n';
	assert_true(yaml_parser_initialize(&p));
	yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&p, (const unsigned char *)text, t.len);
	while (rc == 0 && !end) {
		if (!yaml_parser_parse(&p, &ev)) {
			rc = yamlerr_refused(&t, &p, &e);
			break;
		}
		end = ev.type == YAML_STREAM_END_EVENT;
		rc = yamlerr_reference(&t, &ev, &e);
		yaml_event_delete(&ev);
	}
	yaml_parser_delete(&p);
	return rc;
}

static void says_where_and_what_to_do(void **state)
{
	static const struct {
		int first;
		const char *text, *want;
	} rows[] = {
		{1, "a: 'x\nb: c\n", "f:1: found unexpected end of stream; close the quotation mark"},
		{7, "a: b\nc: [x\n", "f:8: did not find expected ',' or ']'; close the list"},
		{7, "\n\na: b\n\tc: d\n", "f:10: a tab in the indentation; use spaces"},
		{1, "a: b: c\n",
	         "f:1: mapping values are not allowed in this context; write one 'key: value' per line"},
		{1, "a: @x\n", "f:1: found character that cannot start any token; put quotation marks"},
		{3, "a: b\nc: \xff\n", "f:4: invalid leading UTF-8 octet; save the file as plain UTF-8 text"},
		{1, "a:\n  b\n c: d\n", "f:3: "},
		{5, "a: &x b\n", "f:5: anchors and aliases (& and *) are not supported"},
		{5, "a: b\nc: *x\n", "f:6: anchors and aliases"},
		{5, "a: &x [b]\n", "f:5: anchors and aliases"},
		{5, "&x a: b\n", "f:5: anchors and aliases"},
		{5, "a: &x {b: c}\n", "f:5: anchors and aliases"},
		{5, "a: !!str b\n", "f:5: tags (!) are not supported; put quotation marks around the value"},
		{5, "a: !x [b]\n", "f:5: tags (!)"},
		{5, "a: !x {b: c}\n", "f:5: tags (!)"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(complain(rows[i].text, rows[i].first), -1);
		if (!str_starts(e.text, rows[i].want))
			assert_string_equal(e.text, rows[i].want);
		assert_int_not_equal(e.code, 0);
	}
	assert_int_equal(complain("a: [b, {c: d}]\n", 1), 0);
}

static void a_line_is_never_behind_the_last(void **state)
{
	struct yamlerr_text t = {.file = "f", .text = "a\nb\n", .len = 4, .first = 10, .last = 11};
	yaml_mark_t mark = {.line = 0};

	(void)state;
	assert_int_equal(yamlerr_line(&t, &mark), 10);
	mark.line = 1;
	assert_int_equal(yamlerr_line(&t, &mark), 11);
	mark.line = 2;
	assert_int_equal(yamlerr_line(&t, &mark), 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_where_and_what_to_do),
		cmocka_unit_test(a_line_is_never_behind_the_last),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
