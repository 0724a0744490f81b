/* console/line: what the editor holds and what a terminal shows of it. A tiny terminal of one row (CR, BS, printable
 * characters, nothing else) interprets the bytes, so a test sees what a person would see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "console/line.h"

#define COLUMNS 40

static struct {
	char row[COLUMNS + 1];
	unsigned at;
	unsigned breaks; /* line breaks seen */
	unsigned bytes;  /* of the last output */
} screen;
static struct line line;
static struct keys keys;

static void terminal(const struct buf *b)
{
	assert_true(buf_ok(b));
	screen.bytes = (unsigned)b->len;
	for (size_t i = 0; i < b->len; i++) {
		char c = b->data[i];
		if (c == '\r') {
			screen.at = 0;
		} else if (c == '\b') {
			assert_true(screen.at > 0);
			screen.at--;
		} else if (c == '\n') {
			screen.breaks++;
			screen.at = 0;
			memset(screen.row, ' ', COLUMNS);
		} else {
			assert_true(c >= 0x20 && c < 0x7f);
			assert_true(screen.at < COLUMNS);
			screen.row[screen.at++] = c;
		}
	}
}

static enum line_result type(const char *bytes)
{
	char data[LINE_OUTPUT];
	enum line_result r = LINE_EDITED;
	for (; *bytes; bytes++) {
		struct buf out;
		buf_init(&out, data, sizeof(data));
		enum key key = keys_feed(&keys, (unsigned char)*bytes);
		r = line_key(&line, key, keys.text, &out);
		terminal(&out);
		if (r == LINE_DONE || r == LINE_INTERRUPT)
			return r;
	}
	return r;
}

static void show(void)
{
	char data[LINE_OUTPUT];
	struct buf out;
	buf_init(&out, data, sizeof(data));
	line_show(&line, &out);
	terminal(&out);
}

/* The row without blanks at its end, and where the cursor stands on it. */
static void assert_screen(const char *row, unsigned at)
{
	char seen[COLUMNS + 1];
	memcpy(seen, screen.row, sizeof(seen));
	for (int i = COLUMNS - 1; i >= 0 && seen[i] == ' '; i--)
		seen[i] = '\0';
	assert_string_equal(seen, row);
	assert_int_equal(screen.at, at);
}

static int setup(void **state)
{
	(void)state;
	memset(&screen, 0, sizeof(screen));
	memset(screen.row, ' ', COLUMNS);
	keys_init(&keys);
	line_init(&line, COLUMNS - 1);
	show();
	return 0;
}

static void typing(void **state)
{
	(void)state;
	type("hello");
	assert_string_equal(line.text, "hello");
	assert_screen("> hello", 7);
	assert_int_equal(screen.bytes, 1); /* the last key cost one byte */
	type("\033[D\033[D");
	assert_screen("> hello", 5);
	type("XY");
	assert_screen("> helXYlo", 7);
	type("\177");
	assert_screen("> helXlo", 6);
	type("\033[3~");
	assert_screen("> helXo", 6);
	type("\001\004");
	assert_screen("> elXo", 2);
	type("\005!");
	assert_screen("> elXo!", 7);
	assert_int_equal(type("\r"), LINE_DONE);
	assert_string_equal(line.text, "elXo!");
	assert_int_equal(screen.breaks, 1);
}

static void killing(void **state)
{
	(void)state;
	type("one two three\027");
	assert_screen("> one two", 10);
	type("\033b\013");
	assert_screen("> one", 6);
	type("two\033[1;5D\033[1;5D\033[1;5C");
	assert_screen("> one two", 5);
	type("\025");
	assert_screen(">  two", 2);
	type("\025\027\177");
	assert_screen(">  two", 2);
	type("\013\013\033[3~");
	assert_screen(">", 2);
}

static void special_results(void **state)
{
	(void)state;
	assert_int_equal(type("\004"), LINE_EOF);
	assert_int_equal(type("ab\t"), LINE_TAB);
	assert_int_equal(type("\014"), LINE_CLEAR);
	assert_int_equal(type("\003"), LINE_INTERRUPT);
	assert_int_equal(screen.breaks, 1);
	assert_false(line.shown);
}

static void submit(const char *text)
{
	line_reset(&line);
	show();
	type(text);
	assert_int_equal(type("\r"), LINE_DONE);
	line_reset(&line);
	show();
}

static void history(void **state)
{
	(void)state;
	submit("first");
	submit("second");
	submit("second"); /* once */
	submit("");       /* not at all */
	type("typ\033[A");
	assert_screen("> second", 8);
	type("\033[A\033[A");
	assert_screen("> first", 7);
	type("\033[B\033[B\033[B");
	assert_screen("> typ", 5);
	type("\033[A!\r");
	assert_string_equal(line.text, "second!");
	line_reset(&line);
	for (int i = 0; i < 2 * LINE_HISTORY; i++) {
		char text[16];
		assert_return_code(str_format(text, sizeof(text), "line %d", i), 0);
		submit(text);
	}
	for (int i = 0; i < 2 * LINE_HISTORY; i++)
		type("\033[A");
	assert_string_equal(line.text, "line 32");
}

static void answers_are_not_remembered(void **state)
{
	(void)state;
	line_prompt(&line, "Sure? ", false);
	submit("y");
	type("\033[A");
	assert_string_equal(line.text, "");
	line_prompt(&line, "> ", true);
	type("\033[A");
	assert_string_equal(line.text, "");
}

/* A line longer than the row scrolls; the cursor and the character before it are always visible. */
static void long_lines(void **state)
{
	(void)state;
	for (int i = 0; i < 300; i++) {
		char c[2] = {(char)('a' + i % 26), 0};
		type(c);
		assert_true(screen.at < COLUMNS - 1);
		if (i < LINE_TEXT - 1)
			assert_int_equal(screen.row[screen.at - 1], c[0]);
	}
	assert_int_equal(line.length, LINE_TEXT - 1);
	assert_int_equal(screen.row[2], '<');
	type("\001");
	assert_int_equal(screen.at, 2);
	assert_int_equal(screen.row[2], 'a');
	assert_int_equal(screen.row[COLUMNS - 3], '>');
	for (unsigned i = 0; i < line.length; i++) {
		type("\033[C");
		assert_int_equal(line.cursor, i + 1);
		assert_int_equal(screen.row[screen.at - 1], line.text[i]);
	}
	type("\025");
	assert_screen(">", 2);
}

static void hide_and_show(void **state)
{
	char data[LINE_OUTPUT];
	struct buf out;
	(void)state;
	type("half a line\033[D\033[D");
	buf_init(&out, data, sizeof(data));
	line_hide(&line, &out);
	terminal(&out);
	assert_screen("", 0);
	buf_reset(&out);
	line_insert(&line, "##", &out); /* hidden: nothing is drawn */
	assert_int_equal(out.len, 0);
	show();
	assert_screen("> half a li##ne", 13);
}

/* Whatever is typed, the terminal shows what the editor holds. */
static void random_keys(void **state)
{
	static const char *const input[] = {"a",     "b ",      "cde",    "\033[D", "\033[C", "\033b",
	                                    "\033f", "\001",    "\005",   "\177",   "\013",   "\027",
	                                    "\004",  "\033[3~", "\033[A", "\033[B", "\025",   "xyz xyz xyz xyz xyz "};
	(void)state;
	srand(1);
	for (int i = 0; i < 20000; i++) {
		type(input[(unsigned)rand() % COUNT_OF(input)]);
		if (rand() % 50 == 0)
			submit("old line");
		assert_int_equal(strlen(line.text), line.length);
		assert_true(line.cursor <= line.length);
		assert_int_equal(screen.at, 2 + line.cursor - line.scroll);
		for (unsigned c = 0; c + line.scroll < line.length && c + 2 < COLUMNS - 2; c++) {
			char s = screen.row[c + 2];
			assert_true(s == line.text[c + line.scroll] || (c == 0 && s == '<') ||
			            (c + 2 == COLUMNS - 3 && s == '>'));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(typing, setup),
		cmocka_unit_test_setup(killing, setup),
		cmocka_unit_test_setup(special_results, setup),
		cmocka_unit_test_setup(history, setup),
		cmocka_unit_test_setup(answers_are_not_remembered, setup),
		cmocka_unit_test_setup(long_lines, setup),
		cmocka_unit_test_setup(hide_and_show, setup),
		cmocka_unit_test_setup(random_keys, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
