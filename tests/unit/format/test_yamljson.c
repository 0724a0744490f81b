/* init/format/yamljson.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "format/yamljson.h"

static struct yamljson y;
static char json[YAMLJSON_KEYS * 32];
static struct buf out;
static struct err e;

static int convert_in(struct yamljson_in in, const char *text)
{
	in.file = in.file ? in.file : "f.yaml";
	in.line = in.line ? in.line : 1;
	in.text = text;
	in.len = strlen(text);
	err_clear(&e);
	buf_init(&out, json, sizeof(json));
	return yamljson_convert(&y, &in, &out, &e);
}

static int convert(const char *text)
{
	return convert_in((struct yamljson_in){.line = 1}, text);
}

static void writes(void **state)
{
	static const struct {
		const char *yaml, *json;
	} rows[] = {
		{"a: b\n", "{\"a\":\"b\"}"},
		{"---\na: b\n", "{\"a\":\"b\"}"},
		{"--- # x\n# y\na: b\n...\n", "{\"a\":\"b\"}"},
		{"\xEF\xBB\xBF"
	         "a: b",
	         "{\"a\":\"b\"}"},
		{"{}\n", "{}"},
		{"a: {}\nb: []\nc:\n", "{\"a\":{},\"b\":[],\"c\":null}"},
		{"a: [1, two, [3], {four: 5}]\n", "{\"a\":[1,\"two\",[3],{\"four\":5}]}"},
		{"a:\n- b: 1\n  c: 2\n- d\n", "{\"a\":[{\"b\":1,\"c\":2},\"d\"]}"},
		{"a: '1'\nb: \"true\"\nc: 'null'\nd: ''\n", "{\"a\":\"1\",\"b\":\"true\",\"c\":\"null\",\"d\":\"\"}"},
		{"a: 'yes'\n'on': \"no\"\n", "{\"a\":\"yes\",\"on\":\"no\"}"},
		{"a: true\nb: ~\nc: 0644\nd: 1.50\n", "{\"a\":true,\"b\":null,\"c\":420,\"d\":1.50}"},
		{"a: |\n  x\n  1\n\n   y\n", "{\"a\":\"x\\n1\\n\\n y\\n\"}"},
		{"a: |-\n  1\n", "{\"a\":\"1\"}"},
		{"a: >\n  x\n  y\n", "{\"a\":\"x y\\n\"}"},
		{"a: 1\n  2\n", "{\"a\":\"1 2\"}"},
		{"a: \"\\t\\\"\\\\\\x01\\r\"\n", "{\"a\":\"\\t\\\"\\\\\\u0001\\r\"}"},
		{"a: \"\\u00fc\\U0001F600\"\n", "{\"a\":\"\xC3\xBC\xF0\x9F\x98\x80\"}"},
		{"1: x\ntrue: z\n\"q\\\"\": z\n", "{\"1\":\"x\",\"true\":\"z\",\"q\\\"\":\"z\"}"},
		{"? a\n: b\n", "{\"a\":\"b\"}"},
		{"a: {x: 1}\nb: {x: 2}\n", "{\"a\":{\"x\":1},\"b\":{\"x\":2}}"},
		{"a: << \n", "{\"a\":\"<<\"}"},
		{"a: ${x} $y $${site.z}\n", "{\"a\":\"${x} $y $${site.z}\"}"},
		{"", ""},
		{"---\n", ""},
		{"# nothing\n", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (convert(rows[i].yaml) < 0)
			fail_msg("%s: %s", rows[i].yaml, e.text);
		assert_string_equal(json, rows[i].json);
	}
}

static void writes_behind_what_is_there(void **state)
{
	struct yamljson_in in = {.file = "f", .line = 1, .text = "a: b", .len = 4};

	(void)state;
	buf_init(&out, json, sizeof(json));
	buf_add(&out, "x");
	assert_int_equal(yamljson_convert(&y, &in, &out, &e), 0);
	assert_string_equal(json, "x{\"a\":\"b\"}");
}

static void refuses(void **state)
{
	static const struct {
		const char *yaml, *want;
	} rows[] = {
		{"- a\n", "f.yaml:1: not a mapping; a document is one object"},
		{"\nabc\n", "f.yaml:2: not a mapping"},
		{"''\n", "f.yaml:1: not a mapping"},
		{"a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n", "f.yaml:5: key 'c' stands here and on line 3; keep one"},
		{"a: 1\n'a': 2\n", "f.yaml:2: key 'a' stands here and on line 1; keep one"},
		{"a: yes\n", "f.yaml:1: yes is a string to some readers and none to others; write it in quotation"},
		{"a: {b: [Off]}\n", "f.yaml:1: Off is a string"},
		{"a: .inf\n", "f.yaml:1: .inf is a string"},
		{"y: 1\n", "f.yaml:1: y is a string"},
		{"a: 1\n? \n: b\n", "f.yaml:2: an empty key; write 'key: value'"},
		{"~: b\n", "f.yaml:1: an empty key"},
		{"[a]: b\n", "f.yaml:1: a mapping or list as a key; a key must be one word"},
		{"? {a: b}\n: c\n", "f.yaml:1: a mapping or list as a key"},
		{"a: 1\n<<: {b: c}\n", "f.yaml:2: merge keys (<<) are not supported; write the values out"},
		{"a: &x b\n", "f.yaml:1: anchors and aliases (& and *) are not supported"},
		{"a: !!str b\n", "f.yaml:1: tags (!) are not supported"},
		{"%YAML 1.1\n---\na: b\n", "f.yaml:1: directives (%) are not supported; remove the line"},
		{"%TAG ! tag:x,2000:\n---\na: b\n", "f.yaml:1: directives"},
		{"a: b\n---\nc: d\n", "f.yaml:2: text behind the end of a document; begin each with a line '---'"},
		{"a: \"x\\0y\"\n", "f.yaml:1: a NUL in the text; remove it"},
		{"\"x\\0y\": a\n", "f.yaml:1: a NUL in the text; remove it"},
		{"a: [b\n", "f.yaml:1: did not find expected ',' or ']'; close the list with ']'"},
		{"a: b\n\tc: d\n", "f.yaml:2: a tab in the indentation; use spaces"},
		{"a: \xff\n", "f.yaml:1: invalid leading UTF-8 octet"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (convert(rows[i].yaml) == 0)
			fail_msg("taken: %s", rows[i].yaml);
		if (!str_starts(e.text, rows[i].want))
			assert_string_equal(e.text, rows[i].want);
		assert_non_null(strstr(e.text, "; "));
	}
}

static void lines_count_from_the_first_of_the_document(void **state)
{
	(void)state;
	assert_int_equal(convert_in((struct yamljson_in){.line = 100}, "---\na: b\nc: yes\n"), -1);
	assert_true(str_starts(e.text, "f.yaml:102: yes"));
}

static void nesting_has_an_end(void **state)
{
	char text[YAMLJSON_DEPTH * 2 + 8];
	struct buf b;

	(void)state;
	for (unsigned depth = YAMLJSON_DEPTH; depth <= YAMLJSON_DEPTH + 1; depth++) {
		buf_init(&b, text, sizeof(text));
		buf_add(&b, "a: ");
		for (unsigned i = 1; i < depth; i++)
			buf_add(&b, "[");
		for (unsigned i = 1; i < depth; i++)
			buf_add(&b, "]");
		assert_int_equal(convert(text), depth == YAMLJSON_DEPTH ? 0 : -1);
	}
	assert_string_equal(e.text, "f.yaml:1: nested too deep; write it flatter");
}

/* Keys of mappings that are closed do not count. */
static void keys_have_an_end(void **state)
{
	static char text[YAMLJSON_KEYS * 16];
	struct buf b;

	(void)state;
	for (unsigned n = YAMLJSON_KEYS - 2; n < YAMLJSON_KEYS; n++) {
		buf_init(&b, text, sizeof(text));
		for (unsigned i = 0; i < n; i++)
			buf_addf(&b, "k%u: {}\n", i);
		buf_add(&b, "x: {z: 1}\n"); /* two more */
		assert_int_equal(convert(text), n == YAMLJSON_KEYS - 2 ? 0 : -1);
	}
	assert_true(str_ends(e.text, ": too many keys; make the object smaller"));
	buf_init(&b, text, sizeof(text));
	for (unsigned i = 0; i < YAMLJSON_KEYS - 1; i++)
		buf_addf(&b, "k%u: {z: 1}\n", i);
	assert_int_equal(convert(text), 0);
}

static void the_buffer_has_an_end(void **state)
{
	char small[12];
	struct yamljson_in in = {.file = "f", .line = 1, .text = "a: xyz\n", .len = 7};

	(void)state;
	buf_init(&out, small, sizeof(small)); /* {"a":"xyz"} */
	assert_int_equal(yamljson_convert(&y, &in, &out, &e), 0);
	assert_string_equal(small, "{\"a\":\"xyz\"}");
	buf_init(&out, small, sizeof(small) - 1);
	assert_int_equal(yamljson_convert(&y, &in, &out, &e), -1);
	assert_int_equal(e.code, EFBIG);
	assert_string_equal(e.text, "f:1: more than 10 bytes of JSON; make the object smaller");
	in.text = "a: 1\nlonger-key-than-that: b";
	in.len = strlen(in.text);
	buf_init(&out, small, sizeof(small));
	assert_int_equal(yamljson_convert(&y, &in, &out, &e), -1);
	assert_string_equal(e.text, "f:2: more than 11 bytes of JSON; make the object smaller");
}

/* %N is the N-th value; %! is an error. */
static int find(const char *text, size_t len, struct yamljson_piece *p, void *arg, struct err *err)
{
	static const char *const values[] = {"x\"y", "42", "true", "", "yes", "%1"};
	const char *at = memchr(text, '%', len);

	(void)arg;
	if (!at)
		return 0;
	p->at = (size_t)(at - text);
	if (at[1] == '!')
		return err_set(err, ENOENT, "nothing there; write something");
	p->len = 2;
	p->value = values[at[1] - '0'];
	p->value_len = strlen(p->value);
	return 1;
}

static void pieces_get_values(void **state)
{
	static const struct {
		const char *yaml, *json;
	} rows[] = {
		{"a: b %0 c %0\n", "{\"a\":\"b x\\\"y c x\\\"y\"}"},
		{"a: '%1'\nb: \"%2\"\n", "{\"a\":\"42\",\"b\":\"true\"}"},
		/* alone and plain: the type of the value; else a string */
		{"a: b%1\nc: 1%1\nd: 1%1%1\n", "{\"a\":\"b42\",\"c\":\"142\",\"d\":\"14242\"}"},
		{"a: |\n  %1\n", "{\"a\":\"42\\n\"}"},
		{"a: b%3c\nd: '%3'\n", "{\"a\":\"bc\",\"d\":\"\"}"},
		{"a: '%5'\n", "{\"a\":\"%1\"}"},
		{"k%1: '%4'\n", "{\"k42\":\"yes\"}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (convert_in((struct yamljson_in){.find = find}, rows[i].yaml) < 0)
			fail_msg("%s: %s", rows[i].yaml, e.text);
		assert_string_equal(json, rows[i].json);
	}
}

/* '%' cannot begin a plain scalar, so these variables are of another sort. */
static int find_dollar(const char *text, size_t len, struct yamljson_piece *p, void *arg, struct err *err)
{
	(void)err;
	if (len == 0 || text[0] != '$')
		return 0;
	p->at = 0;
	p->len = 1;
	p->value = arg;
	p->value_len = strlen(arg);
	return 1;
}

static void a_plain_piece_has_the_type_of_its_value(void **state)
{
	static char number[] = "0644", yes[] = "yes", text[] = "a b", none[] = "";

	(void)state;
	assert_int_equal(convert_in((struct yamljson_in){.find = find_dollar, .arg = number}, "a: $\nb: '$'\nc: $x\n"),
	                 0);
	assert_string_equal(json, "{\"a\":420,\"b\":\"0644\",\"c\":\"0644x\"}");
	assert_int_equal(convert_in((struct yamljson_in){.find = find_dollar, .arg = text}, "a: $\n"), 0);
	assert_string_equal(json, "{\"a\":\"a b\"}");
	assert_int_equal(convert_in((struct yamljson_in){.find = find_dollar, .arg = none}, "a: $\n"), 0);
	assert_string_equal(json, "{\"a\":null}");
	assert_int_equal(convert_in((struct yamljson_in){.find = find_dollar, .arg = yes}, "a: $\n"), -1);
	assert_true(str_starts(e.text, "f.yaml:1: yes is a string to some readers"));
	assert_int_equal(convert_in((struct yamljson_in){.find = find_dollar, .arg = yes}, "a: 1\n$: b\nyes-: 1\n"), 0);
	assert_string_equal(json, "{\"a\":1,\"yes\":\"b\",\"yes-\":1}");
	/* The same key twice, once by its value. */
	assert_int_equal(convert_in((struct yamljson_in){.find = find_dollar, .arg = text}, "a b: 1\n$: b\n"), -1);
	assert_true(str_starts(e.text, "f.yaml:2: key 'a b' stands here and on line 1"));
}

static void a_bad_piece_is_told_with_its_line(void **state)
{
	static const struct {
		const char *yaml, *want;
	} rows[] = {
		{"a: 1\nb: x%!\n", "f.yaml:2: nothing there; write something"},
		{"a: |\n  x\n\n  y\n  z %1 %!\n", "f.yaml:5: nothing there; write something"},
		{"a: b\n'%!': c\n", "f.yaml:2: nothing there"},
		{"a: >\n  b\n  %!\n", "f.yaml:1: nothing there"}, /* folded: where it begins */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(convert_in((struct yamljson_in){.find = find}, rows[i].yaml), -1);
		if (!str_starts(e.text, rows[i].want))
			assert_string_equal(e.text, rows[i].want);
		assert_int_equal(e.code, ENOENT);
	}
}

static void fields_are_found(void **state)
{
	struct yamljson_pick pick[] = {
		{.key = {NULL}},
		{.key = {"kind"}},
		{.key = {"m", "l", "a.b/c"}},
		{.key = {"m"}},
		{.key = {"m", "none"}},
		{.key = {"list", "list", "x"}},
		{.key = {"m", "l", "x", "y"}},
	};
	struct yamljson_in in = {.pick = pick, .picks = COUNT_OF(pick)};
	static const struct {
		const char *json;
		int line;
	} want[COUNT_OF(pick)] = {{"{", 3}, {"\"K\"", 3}, {"12", 7}, {"{", 6}, {"", 0}, {"", 0}, {"null", 9}};

	(void)state;
	assert_int_equal(convert_in(in, "---\n# x\nkind: K\nx: {kind: other}\nm:\n  l:\n    a.b/c: 12\n    x:\n"
	                                "      'y':\n  x: {l: {a.b/c: no-}}\nlist: [{x: 1}]\n"),
	                 0);
	for (size_t i = 0; i < COUNT_OF(pick); i++) {
		assert_int_equal(pick[i].len, strlen(want[i].json));
		assert_memory_equal(json + pick[i].at, want[i].json, pick[i].len);
		if (pick[i].len > 0)
			assert_int_equal(pick[i].line, want[i].line);
	}
	/* What an earlier document had is forgotten. */
	assert_int_equal(convert_in(in, "a: b\n"), 0);
	assert_int_equal(pick[1].len, 0);
}

/* "AT+LEN@LINE " for each. */
static const char *documents(const char *text, bool whole)
{
	static char list[256];
	struct yamljson_doc d = {.len = 0};
	struct buf b;

	buf_init(&b, list, sizeof(list));
	while (yamljson_next(text, strlen(text), whole, &d))
		buf_addf(&b, "%zu+%zu@%d ", d.at, d.len, d.line);
	return list;
}

static void steps_through_documents(void **state)
{
	(void)state;
	assert_string_equal(documents("", true), "");
	assert_string_equal(documents("a: b\n", true), "0+5@1 ");
	assert_string_equal(documents("---\na\n---\nb\n---\n", true), "0+6@1 6+6@3 12+4@5 ");
	assert_string_equal(documents("---\n---", true), "0+4@1 4+3@2 ");
	assert_string_equal(documents("# x\n--- a\n---\tb\n---\r\nc", true), "0+4@1 4+6@2 10+6@3 16+6@4 ");
	/* No marks: indented, longer, inside a line. */
	assert_string_equal(documents("a: |\n ---\n----\n---x\nb ---\n", true), "0+26@1 ");
	/* Of a part, only what is surely whole. */
	assert_string_equal(documents("a\n---\nb\n", false), "0+2@1 ");
	assert_string_equal(documents("a\n---", false), "");
	assert_string_equal(documents("a\n--- ", false), "0+2@1 ");
	assert_string_equal(documents("a\n", false), "");
}

/* However a text is cut: all of it, once. */
static void documents_are_the_text(void **state)
{
	static const char text[] = "a: 1\n---\nb: |\n  ---\n---\n\n--- # x\nc: d";
	struct yamljson_doc d = {.len = 0};
	size_t at = 0;

	(void)state;
	while (yamljson_next(text, sizeof(text) - 1, true, &d)) {
		assert_int_equal(d.at, at);
		at += d.len;
	}
	assert_int_equal(at, sizeof(text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes),
		cmocka_unit_test(writes_behind_what_is_there),
		cmocka_unit_test(refuses),
		cmocka_unit_test(lines_count_from_the_first_of_the_document),
		cmocka_unit_test(nesting_has_an_end),
		cmocka_unit_test(keys_have_an_end),
		cmocka_unit_test(the_buffer_has_an_end),
		cmocka_unit_test(pieces_get_values),
		cmocka_unit_test(a_plain_piece_has_the_type_of_its_value),
		cmocka_unit_test(a_bad_piece_is_told_with_its_line),
		cmocka_unit_test(fields_are_found),
		cmocka_unit_test(steps_through_documents),
		cmocka_unit_test(documents_are_the_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
