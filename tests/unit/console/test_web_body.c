/* init/console/web_body.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "console/web_body.h"

#define T16   "0123456789abcdef"
#define TOKEN T16 T16 T16 T16

static struct err e;

static int login(const char *body, struct web_login *l)
{
	return web_body_login(body, strlen(body), l, &e);
}

static void logins(void **state)
{
	static const char *const bad[] = {"",
	                                  "[]",
	                                  "{",
	                                  "{}",
	                                  "\"x\"",
	                                  "{\"password\":1}",
	                                  "{\"password\":null}",
	                                  "{\"password\":\"a\\u0000b\"}",
	                                  "{\"password\":\"x\",\"code\":1}",
	                                  "{\"password\":\"x\",\"code\":\"123456789012345678901234567890123\"}",
	                                  "{\"code\":\"x\"}",
	                                  "{\"password\":\"x\"} x"};
	struct web_login l;

	(void)state;
	assert_int_equal(login("{\"password\":\"a \\\"b\\\" \\u00e4\"}", &l), 0);
	assert_string_equal(l.password, "a \"b\" \xc3\xa4");
	assert_int_equal(l.len, 8);
	assert_string_equal(l.code, "");
	assert_int_equal(login("{\"code\":\"K7Q2-0XD1\",\"password\":\"x\",\"more\":[1]}", &l), 0);
	assert_string_equal(l.code, "K7Q2-0XD1");
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(login(bad[i], &l), -1);
}

static int words(const char *body, struct web_words *w)
{
	return web_body_words(body, strlen(body), w, &e);
}

static void commands(void **state)
{
	static const char *const bad[] = {"{}",
	                                  "{\"words\":[]}",
	                                  "{\"words\":\"reboot\"}",
	                                  "{\"words\":[\"\"]}",
	                                  "{\"words\":[1]}",
	                                  "{\"words\":[\"a\\u0000b\"]}",
	                                  "{\"words\":[\"a\\nb\"]}",
	                                  "{\"words\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\"]}",
	                                  "x"};
	struct web_words w;
	char body[WEB_BODY], word[WEB_WORD_TEXT];

	(void)state;
	assert_int_equal(words("{\"words\":[\"update\",\"install\",\"https://h/x\",\"\"]}", &w), 0);
	assert_int_equal(w.argc, 4);
	assert_string_equal(w.argv[0], "update");
	assert_string_equal(w.argv[2], "https://h/x");
	assert_string_equal(w.argv[3], "");
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_int_equal(words(bad[i], &w), -1);
	memset(word, 'x', sizeof(word));
	word[sizeof(word) - 1] = '\0';
	assert_int_equal(str_format(body, sizeof(body), "{\"words\":[\"%s\"]}", word), 0);
	assert_int_equal(words(body, &w), -1); /* a buf keeps its own end as well */
	word[sizeof(word) - 2] = '\0';
	assert_int_equal(str_format(body, sizeof(body), "{\"words\":[\"%s\"]}", word), 0);
	assert_int_equal(words(body, &w), 0);
}

static void what_the_owner_role_says(void **state)
{
	static const char full[] = "{\"owner\":true,\"session\":true,\"csrf\":\"" TOKEN "\",\"token\":\"" TOKEN "\"}";
	static const char odd[] = "{\"owner\":true,\"csrf\":\"a\\r\\nX: y\",\"token\":\"a\\r\\nX: y\"}";
	char token[WEB_TOKEN + 1], text[256];
	struct buf b;

	(void)state;
	buf_init(&b, text, sizeof(text));
	assert_int_equal(web_body_session(full, sizeof(full) - 1, token, &b, &e), 0);
	assert_string_equal(token, TOKEN);
	assert_string_equal(text, "{\"owner\":true,\"session\":true,\"csrf\":\"" TOKEN "\"}");
	buf_init(&b, text, sizeof(text));
	assert_int_equal(web_body_session(odd, sizeof(odd) - 1, token, &b, &e), 0);
	assert_string_equal(token, "");
	assert_string_equal(text, "{\"owner\":true,\"session\":false}");
	assert_int_equal(web_body_session("x", 1, token, &b, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logins),
		cmocka_unit_test(commands),
		cmocka_unit_test(what_the_owner_role_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
