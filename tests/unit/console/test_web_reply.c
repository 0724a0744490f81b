/* init/console/web_reply.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "console/web_asset.h"
#include "console/web_reply.h"
#include "console/web_route.h"

static struct web_reply r;
static struct err e;

static int teardown(void **state)
{
	(void)state;
	web_reply_drop(&r);
	return 0;
}

static void start(int status, bool keep, bool endless)
{
	const struct web_top top = {.status = status, .type = WEB_TEXT, .len = 5, .keep = keep, .endless = endless};
	assert_int_equal(web_reply_start(&r, &top, &e), 0);
	assert_true(r.head_len > 4 && memcmp(r.head + r.head_len - 4, "\r\n\r\n", 4) == 0);
}

static bool has(const char *line)
{
	return strstr(r.head, line) != NULL;
}

static void heads_say_it_all(void **state)
{
	static const char *const always[] = {
		"\r\nCache-Control: no-store\r\n",   "\r\nX-Content-Type-Options: nosniff\r\n",
		"\r\nX-Frame-Options: DENY\r\n",     "\r\nReferrer-Policy: no-referrer\r\n",
		"default-src 'none'; script-src '",  "\r\nContent-Type: " WEB_TEXT "\r\n",
		"script-src " WEB_ASSET_SCRIPT_HASH, "style-src " WEB_ASSET_STYLE_HASH,
	};
	static const struct {
		int status;
		const char *line, *more;
	} want[] = {
		{200, "HTTP/1.1 200 OK\r\n", ""},
		{400, "HTTP/1.1 400 Bad Request\r\n", ""},
		{404, "HTTP/1.1 404 Not Found\r\n", ""},
		{401, "HTTP/1.1 401 Unauthorized\r\n", ""},
		{403, "HTTP/1.1 403 Forbidden\r\n", ""},
		{405, "HTTP/1.1 405 Method Not Allowed\r\n", ""},
		{409, "HTTP/1.1 409 Conflict\r\n", ""},
		{411, "HTTP/1.1 411 Length Required\r\n", ""},
		{415, "HTTP/1.1 415 Unsupported Media Type\r\n", ""},
		{429, "HTTP/1.1 429 Too Many Requests\r\n", ""},
		{413, "HTTP/1.1 413 Content Too Large\r\n", ""},
		{503, "HTTP/1.1 503 Service Unavailable\r\n", "\r\nRetry-After: 2\r\n"},
		{777, "HTTP/1.1 500 Internal Server Error\r\n", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(want); i++) {
		start(want[i].status, true, false);
		assert_true(str_starts(r.head, want[i].line));
		assert_true(has(want[i].more));
		assert_true(has("\r\nContent-Length: 5\r\n") && has("\r\nConnection: keep-alive\r\n"));
		for (size_t k = 0; k < COUNT_OF(always); k++)
			assert_true(has(always[k]));
	}
	start(200, false, false);
	assert_true(has("\r\nConnection: close\r\n"));
	start(200, true, true); /* the end of the connection is the end of the body */
	assert_true(has("\r\nConnection: close\r\n") && !has("Content-Length"));
}

static void taken_piece_by_piece(void **state)
{
	static const char body[] = "hello";
	unsigned char all[WEB_HEAD_MAX + sizeof(body)], out[WEB_HEAD_MAX + sizeof(body)];

	(void)state;
	start(200, true, false);
	const size_t total = r.head_len + strlen(body);
	memcpy(all, r.head, r.head_len);
	memcpy(all + r.head_len, body, strlen(body));
	for (size_t step = 1; step <= total + 1; step++) {
		start(200, true, false);
		web_reply_borrow(&r, body, strlen(body));
		size_t n, got = 0;
		while ((n = web_reply_take(&r, out + got, step)) > 0) {
			assert_true(n <= step);
			got += n;
		}
		assert_true(web_reply_done(&r));
		assert_int_equal(got, total);
		assert_memory_equal(out, all, total);
	}
}

static void owns_its_copy(void **state)
{
	char text[] = "first";
	unsigned char out[16];

	(void)state;
	assert_int_equal(web_reply_copy(&r, text, 5, &e), 0);
	text[0] = 'X';
	assert_int_equal(web_reply_take(&r, out, sizeof(out)), 5);
	assert_memory_equal(out, "first", 5);
	start(200, true, false); /* a new answer lets go of the old body */
	assert_null(r.owned);
	assert_int_equal(web_reply_copy(&r, "", 0, &e), 0);
	assert_int_equal(r.body_len, 0);
}

static void an_empty_answer_is_done(void **state)
{
	unsigned char out[4];

	(void)state;
	web_reply_drop(&r);
	assert_true(web_reply_done(&r));
	assert_int_equal(web_reply_take(&r, out, sizeof(out)), 0);
}

static void refuses_a_head_that_does_not_fit(void **state)
{
	static char type[WEB_HEAD_MAX];
	const struct web_top top = {.status = 200, .type = type};

	(void)state;
	memset(type, 'x', sizeof(type) - 1);
	assert_int_equal(web_reply_start(&r, &top, &e), -1);
	assert_int_equal(r.head_len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(heads_say_it_all, teardown),
		cmocka_unit_test_teardown(taken_piece_by_piece, teardown),
		cmocka_unit_test_teardown(owns_its_copy, teardown),
		cmocka_unit_test_teardown(an_empty_answer_is_done, teardown),
		cmocka_unit_test_teardown(refuses_a_head_that_does_not_fit, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
