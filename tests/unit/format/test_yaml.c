/* init/format/yaml.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "format/yaml.h"

static struct yaml y;
static struct yaml_node *root;
static struct err e;

static int parse_n(const char *text, size_t len)
{
	root = NULL;
	err_clear(&e);
	return yaml_parse(&y, "f.yaml", text, len, &root, &e);
}

static int parse(const char *text)
{
	return parse_n(text, strlen(text));
}

static const struct yaml_node *get(const struct yaml_node *map, const char *key)
{
	for (const struct yaml_node *n = map->first; n; n = n->next) {
		if (str_eq(n->key, key))
			return n;
	}
	fail_msg("no key %s", key);
	return NULL;
}

static void builds_a_tree(void **state)
{
	(void)state;
	assert_int_equal(parse("# comment\n"
	                       "name: web\n"
	                       "command: [/bin/x, 'a b', \"c\\td\"]\n"
	                       "list:\n"
	                       "  - one\n"
	                       "  - two: 2\n"
	                       "    three: 3\n"
	                       "environment: {KEY: value}\n"
	                       "text: |\n"
	                       "  a\n"
	                       "  \tb\n"),
	                 0);
	assert_int_equal(root->kind, YAML_MAP);
	assert_int_equal(root->line, 2);
	assert_null(root->key);
	assert_string_equal(get(root, "name")->text, "web");
	assert_int_equal(get(root, "name")->line, 2);
	const struct yaml_node *n = get(root, "command");
	assert_int_equal(n->kind, YAML_LIST);
	assert_string_equal(n->first->text, "/bin/x");
	assert_null(n->first->key);
	assert_string_equal(n->first->next->text, "a b");
	assert_string_equal(n->first->next->next->text, "c\td");
	assert_null(n->first->next->next->next);
	n = get(root, "list");
	assert_int_equal(n->line, 4);
	assert_int_equal(n->first->line, 5);
	assert_int_equal(n->first->next->kind, YAML_MAP);
	assert_int_equal(get(n->first->next, "three")->line, 7);
	assert_string_equal(get(get(root, "environment"), "KEY")->text, "value");
	assert_string_equal(get(root, "text")->text, "a\n\tb\n");
}

static void an_empty_file_is_an_empty_mapping(void **state)
{
	static const char *const texts[] = {"", "\n\n", "# only a comment\n", "---\n", "--- ~\n", "{}", "\xEF\xBB\xBF"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		assert_int_equal(parse(texts[i]), 0);
		assert_int_equal(root->kind, YAML_MAP);
		assert_null(root->first);
		assert_int_equal(root->line, 1);
	}
}

static void null_is_an_empty_text(void **state)
{
	(void)state;
	assert_int_equal(parse("a:\nb: ~\nc: null\nd: 'null'\ne: \"\"\nf: '-'\n"), 0);
	assert_string_equal(get(root, "a")->text, "");
	assert_string_equal(get(root, "b")->text, "");
	assert_string_equal(get(root, "c")->text, "");
	assert_string_equal(get(root, "d")->text, "null");
	assert_string_equal(get(root, "e")->text, "");
	assert_string_equal(get(root, "f")->text, "-");
}

static void accepts_windows_files(void **state)
{
	(void)state;
	assert_int_equal(parse("\xEF\xBB\xBF"
	                       "a: 1\r\nb: 2\r\n"),
	                 0);
	assert_string_equal(get(root, "a")->text, "1");
	assert_int_equal(get(root, "b")->line, 2);
}

static void refuses_with_file_and_line(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"a: 1\n\tb: 2\n", "f.yaml:2: a tab in the indentation; use spaces"},
		{"a:\n  \tb: 2\n", "f.yaml:2: a tab in the indentation; use spaces"},
		{"a: 1\nb: 2\na: 3\n", "f.yaml:3: key 'a' stands here and on line 1; keep one"},
		{"a: 1\nb: &x 2\n", "f.yaml:2: anchors and aliases (& and *) are not supported; write the value out, "
	                            "or put quotation marks "
	                            "around it"},
		{"a: *x\n", "f.yaml:1: anchors and aliases (& and *) are not supported; write the value out, or put "
	                    "quotation marks "
	                    "around it"},
		{"&x a: 1\n", "f.yaml:1: anchors and aliases (& and *) are not supported; write the value out, or put "
	                      "quotation marks "
	                      "around it"},
		{"a: &m {b: 1}\n", "f.yaml:1: anchors and aliases (& and *) are not supported; write the value out, or "
	                           "put quotation marks "
	                           "around it"},
		{"a: &m [b]\n", "f.yaml:1: anchors and aliases (& and *) are not supported; write the value out, or "
	                        "put quotation marks "
	                        "around it"},
		{"\na: !!str x\n", "f.yaml:2: tags (!) are not supported; put quotation marks around the value"},
		{"a: !x {b: 1}\n", "f.yaml:1: tags (!) are not supported; put quotation marks around the value"},
		{"a: !x [b]\n", "f.yaml:1: tags (!) are not supported; put quotation marks around the value"},
		{"a: 1\n---\nb: 2\n", "f.yaml:2: a second document; use one file for each"},
		{"- a\n- b\n", "f.yaml:1: not a mapping; write 'key: value' lines"},
		{"\nword\n", "f.yaml:2: not a mapping; write 'key: value' lines"},
		{"? [a]\n: 1\n", "f.yaml:1: a mapping or list as a key; a key must be one word"},
		{"a: 1\n\"\": 2\n", "f.yaml:2: an empty key; write 'key: value'"},
		{"a: \"\\0\"\n", "f.yaml:1: a control character in a value; remove it"},
		{"a: \"\\e[2J\"\n", "f.yaml:1: a control character in a value; remove it"},
		{"\"\\a\": 1\n", "f.yaml:1: a control character in a value; remove it"},
		{"a: \"\\x7f\"\n", "f.yaml:1: a control character in a value; remove it"},
		{"a: 1\nb: \xFF\n", "f.yaml:2: invalid leading UTF-8 octet; save the file as plain UTF-8 text"},
		{"a: 1\nb: \x01\n", "f.yaml:2: control characters are not allowed; save the file as plain UTF-8 text"},
		{"a: 1\nb: \xC3\n", "f.yaml:2: invalid trailing UTF-8 octet; save the file as plain UTF-8 text"},
		{"a: 1\nb: \xC3", "f.yaml:2: incomplete UTF-8 octet sequence; save the file as plain UTF-8 text"},
		{"a: 1\rb: 2\n", "f.yaml:1: an unusual line end; end lines with a newline"},
		{"a: 1\nb: 2\xC2\x85", "f.yaml:2: an unusual line end; end lines with a newline"},
		{"a: 1\nb: 2\n\xE2\x80\xA8", "f.yaml:3: an unusual line end; end lines with a newline"},
		{"a: \"b\nc: 1\nd: 2\n", "f.yaml:1: found unexpected end of stream; close the quotation mark"},
		{"a: [b\nc: 1\n",
	         "f.yaml:1: did not find expected ',' or ']'; close the list with ']' and part its items with "
	         "','"},
		{"a: {b: c\nd: 1\n",
	         "f.yaml:1: did not find expected ',' or '}'; close the mapping with '}' and part its "
	         "keys with ','"},
		{"a: 1\nb: c: d\n",
	         "f.yaml:2: mapping values are not allowed in this context; write one 'key: value' per "
	         "line, quote a value with ': ' in it"},
		{"a: 1\nb\nc: 1\n", "f.yaml:3: could not find expected ':'; write 'key: value'"},
		{"a: - b\n",
	         "f.yaml:1: block sequence entries are not allowed in this context; begin the list on a line of "
	         "its own"},
		{"a: %x\n",
	         "f.yaml:1: found character that cannot start any token; put quotation marks around the value"},
		{"a: \"\\q\"\n",
	         "f.yaml:1: found unknown escape character; use single quotation marks, or two backslashes"},
		{"a: 1\n b: 2\n",
	         "f.yaml:2: mapping values are not allowed in this context; write one 'key: value' per "
	         "line, quote a value with ': ' in it"},
		{"a:\n  b: 1\n c: 2\n",
	         "f.yaml:3: did not find expected key; check the indentation and the quotation marks"},
		{"[a]\nb\n", "f.yaml:2: did not find expected <document start>; a file is one mapping of keys"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(parse(rows[i].text), -1);
		assert_string_equal(e.text, rows[i].want);
	}
}

static void refuses_nul_bytes(void **state)
{
	(void)state;
	assert_int_equal(parse_n("a: 1\n\0\n", 7), -1);
	assert_non_null(strstr(e.text, "f.yaml:2: control characters"));
}

static void nesting_is_bounded(void **state)
{
	(void)state;
	assert_int_equal(parse("a: [[[[[[[x]]]]]]]\n"), 0); /* the mapping and 7 lists */
	assert_int_equal(parse("\na: [[[[[[[[x]]]]]]]]\n"), -1);
	assert_string_equal(e.text, "f.yaml:2: nested too deep; write it flatter");
}

static size_t fill(char *text, const char *head, const char *item, size_t n)
{
	size_t len = strlen(head);

	memcpy(text, head, len);
	for (size_t i = 0; i < n; i++, len += strlen(item))
		memcpy(text + len, item, strlen(item));
	return len;
}

static void nodes_are_bounded(void **state)
{
	static char text[LIMIT_FILE];

	(void)state;
	/* The top mapping and the list are two. */
	assert_int_equal(parse_n(text, fill(text, "a:\n", "- b\n", LIMIT_YAML_NODES - 2)), 0);
	assert_int_equal(parse_n(text, fill(text, "a:\n", "- b\n", LIMIT_YAML_NODES - 1)), -1);
	assert_string_equal(e.text, "f.yaml:2048: too many values; shorten the file");
}

static void bytes_are_bounded(void **state)
{
	static char text[LIMIT_FILE + 1];

	(void)state;
	memset(text, '\n', sizeof(text));
	assert_int_equal(parse_n(text, LIMIT_FILE), 0);
	assert_int_equal(parse_n(text, LIMIT_FILE + 1), -1);
	assert_string_equal(e.text, "f.yaml:1: larger than 65536 bytes; shorten the file");
	/* Two bytes of escape become three of text: more than the file had. */
	size_t len = fill(text, "a: \"", "\\L", 32000);
	text[len++] = '"';
	assert_int_equal(parse_n(text, len), -1);
	assert_string_equal(e.text, "f.yaml:1: too much text; shorten the file");
}

static void a_long_file_name_is_refused(void **state)
{
	char name[LIMIT_PATH + 1];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[LIMIT_PATH] = '\0';
	assert_int_equal(yaml_parse(&y, name, "", 0, &root, &e), -1);
	name[LIMIT_PATH - 1] = '\0';
	assert_int_equal(yaml_parse(&y, name, "", 0, &root, &e), 0);
}

static void can_be_used_again(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(parse("a: [1, 2]\nb: {c: d}\n"), 0);
		assert_int_equal(y.nodes, 6);
		assert_int_equal(parse("a: [1, 2"), -1);
	}
}

struct seen {
	char log[64];
};

static int set_any(const struct yaml *yy, const struct yaml_node *v, void *into, struct err *err)
{
	struct seen *s = into;
	size_t n = strlen(s->log);

	if (str_eq(v->text, "bad"))
		return yaml_error(yy, v, err, "%s: bad value; use a good one", v->key);
	return str_format(s->log + n, sizeof(s->log) - n, "%s=%s;", v->key, v->text);
}

static const struct yaml_key keys[] = {
	{"name", set_any, true}, {"command", set_any, false}, {"tty", set_any, false}, {NULL, NULL, false}};

static int walk(const char *text, struct seen *s)
{
	memset(s, 0, sizeof(*s));
	assert_int_equal(parse(text), 0);
	return yaml_walk(&y, root, keys, s, &e);
}

static void walk_sets_in_file_order(void **state)
{
	struct seen s;

	(void)state;
	assert_int_equal(walk("command: x\nname: y\n", &s), 0);
	assert_string_equal(s.log, "command=x;name=y;");
}

static void walk_refuses(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"name: a\ncomand: x\n", "f.yaml:2: unknown key 'comand'; did you mean 'command'?"},
		{"name: a\nnaem: x\n", "f.yaml:2: unknown key 'naem'; did you mean 'name'?"},
		{"colour: x\n", "f.yaml:1: unknown key 'colour'; known are name, command, tty"},
		{"x: x\n", "f.yaml:1: unknown key 'x'; known are name, command, tty"},
		{"command: x\n", "f.yaml:1: key 'name' is missing; add it"},
		{"", "f.yaml:1: key 'name' is missing; add it"},
		{"\nname: bad\n", "f.yaml:2: name: bad value; use a good one"},
	};
	struct seen s;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(walk(rows[i].text, &s), -1);
		assert_string_equal(e.text, rows[i].want);
	}
	assert_int_equal(parse("a: [1]\n"), 0);
	assert_int_equal(yaml_walk(&y, root->first, keys, &s, &e), -1);
	assert_string_equal(e.text, "f.yaml:1: not a mapping; write 'key: value' lines");
}

static void a_long_message_keeps_its_place(void **state)
{
	static char text[1000];

	(void)state;
	memset(text, 'k', sizeof(text));
	memcpy(text + sizeof(text) - 3, ": 1", 3);
	assert_int_equal(parse_n(text, sizeof(text)), 0);
	struct seen s = {""};
	assert_int_equal(yaml_walk(&y, root, keys, &s, &e), -1);
	assert_non_null(strstr(e.text, "f.yaml:1: unknown key 'kkk"));
	assert_non_null(strstr(e.text, "known are name, command, tty"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds_a_tree),
		cmocka_unit_test(an_empty_file_is_an_empty_mapping),
		cmocka_unit_test(null_is_an_empty_text),
		cmocka_unit_test(accepts_windows_files),
		cmocka_unit_test(refuses_with_file_and_line),
		cmocka_unit_test(refuses_nul_bytes),
		cmocka_unit_test(nesting_is_bounded),
		cmocka_unit_test(nodes_are_bounded),
		cmocka_unit_test(bytes_are_bounded),
		cmocka_unit_test(a_long_file_name_is_refused),
		cmocka_unit_test(can_be_used_again),
		cmocka_unit_test(walk_sets_in_file_order),
		cmocka_unit_test(walk_refuses),
		cmocka_unit_test(a_long_message_keeps_its_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
