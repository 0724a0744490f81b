/* console/keys: control characters, escape sequences of several terminals, broken ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "console/keys.h"

/* Feeds all; the keys that are not KEY_NONE, as letters of an alphabet: text as itself, keys as '@' + number. */
static const char *feed(struct keys *k, const char *bytes)
{
	static char out[256];
	size_t n = 0;
	for (const char *p = bytes; *p && n + 1 < sizeof(out); p++) {
		enum key key = keys_feed(k, (unsigned char)*p);
		if (key == KEY_TEXT)
			out[n++] = k->text;
		else if (key != KEY_NONE)
			out[n++] = (char)(0x80 + (int)key);
	}
	out[n] = '\0';
	return out;
}

static void assert_keys(const char *bytes, const char *expected)
{
	struct keys k;
	keys_init(&k);
	assert_string_equal(feed(&k, bytes), expected);
}

static void assert_one(const char *bytes, enum key key)
{
	char expected[3] = {(char)(0x80 + (int)key), 'x', 0};
	char input[40];
	assert_return_code(str_format(input, sizeof(input), "%sx", bytes), 0);
	assert_keys(input, expected);
}

static void sequences(void **state)
{
	static const struct {
		const char *bytes;
		enum key key;
	} row[] = {
		{"\033[A", KEY_UP},
		{"\033OA", KEY_UP},
		{"\033[B", KEY_DOWN},
		{"\033[C", KEY_RIGHT},
		{"\033[D", KEY_LEFT},
		{"\033OD", KEY_LEFT},
		{"\033[1;5C", KEY_WORD_RIGHT},
		{"\033[1;5D", KEY_WORD_LEFT},
		{"\033[1;3D", KEY_WORD_LEFT},
		{"\033[1;2D", KEY_LEFT},
		{"\033[H", KEY_HOME},
		{"\033[1~", KEY_HOME},
		{"\033[7~", KEY_HOME},
		{"\033OH", KEY_HOME},
		{"\033[F", KEY_END},
		{"\033[4~", KEY_END},
		{"\033[8~", KEY_END},
		{"\033[3~", KEY_DELETE},
		{"\033OM", KEY_ENTER},
		{"\033b", KEY_WORD_LEFT},
		{"\033f", KEY_WORD_RIGHT},
		{"\033\177", KEY_KILL_WORD},
		{"\001", KEY_HOME},
		{"\005", KEY_END},
		{"\013", KEY_KILL_END},
		{"\025", KEY_KILL_START},
		{"\027", KEY_KILL_WORD},
		{"\014", KEY_CLEAR},
		{"\003", KEY_INTERRUPT},
		{"\004", KEY_EOF},
		{"\010", KEY_BACKSPACE},
		{"\177", KEY_BACKSPACE},
		{"\t", KEY_TAB},
		{"\r", KEY_ENTER},
		{"\n", KEY_ENTER},
		{"\r\n", KEY_ENTER},
		{"\020", KEY_UP},
		{"\016", KEY_DOWN},
		{"\002", KEY_LEFT},
		{"\006", KEY_RIGHT},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(row); i++)
		assert_one(row[i].bytes, row[i].key);
}

static void swallowed(void **state)
{
	(void)state;
	assert_keys("a\033[5~\033[24~\033[[A\033OP\033[200~b\033[201~c\033[12;40Rd", "abcd");
	assert_keys("a\302\265\377\200b", "ab"); /* not ASCII */
	assert_keys("\0331x", "1x");             /* Escape pressed, then typed on */
	assert_keys("\033\033[Ax", "\x8ax");     /* Escape, then an arrow */
}

static void broken_sequences_end(void **state)
{
	struct keys k;
	(void)state;
	keys_init(&k);
	/* Ctrl-C within a sequence is a Ctrl-C. */
	assert_int_equal(feed(&k, "\033[12\003")[0], (char)(0x80 + KEY_INTERRUPT));
	assert_string_equal(feed(&k, "x"), "x");
	/* An endless one ends. */
	feed(&k, "\033[");
	for (int i = 0; i < 100; i++)
		(void)keys_feed(&k, ';');
	assert_string_equal(feed(&k, "abc"), "abc");
}

static void line_ends(void **state)
{
	static const char two[] = {(char)(0x80 + KEY_ENTER), (char)(0x80 + KEY_ENTER), 0};
	(void)state;
	assert_keys("\r\r", two);
	assert_keys("\n\n", two);
	assert_keys("\r\n\r\n", two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(sequences), cmocka_unit_test(swallowed),
	                                   cmocka_unit_test(broken_sequences_end), cmocka_unit_test(line_ends)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
