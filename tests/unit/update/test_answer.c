/* init/update/answer.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/str.h"
#include "update/answer.h"

static struct answer a;
static struct fetch_file file;
static struct err e;

static int setup(void **state)
{
	(void)state;
	memset(&a, 0, sizeof(a));
	memset(&file, 0, sizeof(file));
	err_clear(&e);
	return 0;
}

/* Lines with '\n' between them, as libcurl gives them one by one. */
static void head(const char *text)
{
	char line[512];

	while (*text) {
		size_t n = strcspn(text, "\n");
		assert_int_equal(str_format(line, sizeof(line), "%.*s\r\n", (int)n, text), 0);
		answer_line(&a, line, strlen(line));
		text += n + (text[n] == '\n');
	}
}

static void content_ranges(void **state)
{
	static const struct {
		const char *text;
		struct answer_span want;
	} good[] = {
		{"bytes 0-0/1", {0, 0, 1, false}},
		{"bytes 0-99/1234", {0, 99, 1234, false}},
		{"Bytes 5-9/10", {5, 9, 10, false}},
		{"bytes 5-9/*", {5, 9, 0, false}},
		{"bytes */10", {0, 0, 10, true}},
		{"bytes 0-9223372036854775806/9223372036854775807", {0, INT64_MAX - 1, INT64_MAX, false}},
	};
	static const char *const bad[] = {
		"",
		"bytes",
		"bytes ",
		"bytes 1",
		"bytes 1-",
		"bytes 1-2",
		"bytes 1-2/",
		"5-9/10",
		"bytes=5-9/10",
		"bytes 5-9/9",
		"bytes 9-5/10",
		"bytes 5-9/10 ",
		"bytes 5-9/10,",
		"bytes -9/10",
		"bytes 5-/10",
		"bytes */*",
		"bytes */",
		"bytes * /10",
		"items 5-9/10",
		"bytes  5-9/10",
		"bytes 5 - 9 / 10",
		"bytes +5-9/10",
		"bytes 0x5-9/10",
		"bytes 5-9/**",
		"bytes 0-9223372036854775807/9223372036854775808",
		"bytes 99999999999999999999-9/10",
	};
	struct answer_span got;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		assert_int_equal(answer_content_range(good[i].text, &got), 0);
		assert_int_equal(got.first, good[i].want.first);
		assert_int_equal(got.last, good[i].want.last);
		assert_int_equal(got.total, good[i].want.total);
		assert_int_equal(got.empty, good[i].want.empty);
	}
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (answer_content_range(bad[i], &got) == 0)
			fail_msg("taken: %s", bad[i]);
	}
}

static void heads(void **state)
{
	(void)state;
	head("HTTP/1.1 206 Partial Content\ncontent-length: 100\nContent-Range:bytes 0-99/200\nETAG: \"x\"\n"
	     "Last-Modified: \t yesterday \nRetry-After: 7\nContent-Encoding: identity\nTransfer-Encoding: Chunked\nX: "
	     "y\n\n");
	assert_int_equal(a.status, 206);
	assert_true(a.has_length && a.length == 100 && a.has_span && a.span.last == 99 && a.span.total == 200);
	assert_string_equal(a.etag, "\"x\"");
	assert_string_equal(a.modified, "yesterday");
	assert_int_equal(a.retry_after_s, 7);
	assert_true(a.chunked && !a.encoded && !a.broken[0]);
	/* The answer to a redirect, or a "100 Continue", is not the next one's. */
	head("HTTP/2 200 \n");
	assert_int_equal(a.status, 200);
	assert_true(!a.has_length && !a.has_span && !a.etag[0] && !a.chunked && !a.retry_after_s);
}

static void odd_lines(void **state)
{
	static const char *const etags[] = {"", "\"", "x", "W/\"x\"", "\"x", "x\"", "\"x\ry\"", "\"\xc3\xa4\""};
	char longer[400] = "ETag: \"";

	(void)state;
	head("HTTP/1.1 200 OK\nContent-Length\n: 5\nContent-Length : 5\nETag:\nRetry-After: Wed, 25 Nov 2026 00:00:00 "
	     "GMT\n");
	assert_true(!a.has_length && !a.etag[0] && !a.retry_after_s && !a.broken[0]);
	for (size_t i = 0; i < COUNT_OF(etags); i++) {
		char line[32];
		assert_int_equal(str_format(line, sizeof(line), "ETag: %s\r\n", etags[i]), 0);
		answer_line(&a, line, strlen(line));
		assert_string_equal(a.etag, "");
	}
	head("Last-Modified: now\rHost: evil");
	assert_string_equal(a.modified, "");
	memset(longer + 7, 'x', 300);
	memcpy(longer + 307, "\"\r\n", 4);
	answer_line(&a, longer, strlen(longer));
	assert_string_equal(a.etag, "");
	head("Retry-After: 4000000000");
	assert_int_equal(a.retry_after_s, 86400);
	answer_line(&a, "ETag: \"a\0b\"\r\n", 13);
	assert_string_equal(a.etag, "");
	answer_line(&a, "HTTP/1.1", 8);
	assert_int_equal(a.status, 0);
	head("HTTP/1.1 2");
	assert_int_equal(a.status, 2);
	head("HTTP/1.1 20x");
	assert_int_equal(a.status, 20);
}

static void headers_that_contradict(void **state)
{
	static const char *const texts[] = {
		"Content-Length: -1",
		"Content-Length: 5x",
		"Content-Length: 9223372036854775808",
		"Content-Length: 5\nContent-Length: 6",
		"Content-Range: bytes",
		"Content-Range: bytes 0-4/5\nContent-Range: bytes 0-4/5",
	};
	struct answer_want want = {ANSWER_RANGE, 0, 4};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		head("HTTP/1.1 206 P\nContent-Range: bytes 0-4/5");
		a.has_span = strstr(texts[i], "Range") == NULL;
		head(texts[i]);
		assert_int_equal(answer_judge(&a, &want, &file, &e), ANSWER_WRONG);
		assert_int_equal(e.code, EBADMSG);
		assert_non_null(strstr(e.text, "makes no sense"));
	}
	head("HTTP/1.1 206 P\nContent-Range: bytes 0-4/5\nContent-Length: 5\nContent-Length: 5");
	assert_int_equal(answer_judge(&a, &want, &file, &e), ANSWER_TAKE);
}

/* What the answer to this request is. */
static void expect(enum answer_what what, uint64_t first, uint64_t last, const char *text, enum answer_verdict verdict,
                   int code)
{
	struct answer_want want = {what, first, last};

	err_clear(&e);
	head(text);
	enum answer_verdict got = answer_judge(&a, &want, &file, &e);
	if (got != verdict || (verdict == ANSWER_WRONG && e.code != code))
		fail_msg("%s: verdict %d, %d: %s", text, got, e.code, e.text);
	if (verdict == ANSWER_WRONG || verdict == ANSWER_LATER)
		assert_true(e.text[0] != '\0');
}

#define PART "HTTP/1.1 206 P\n"
#define OK   "HTTP/1.1 200 OK\n"

static void ranges(void **state)
{
	(void)state;
	expect(ANSWER_RANGE, 10, 19, PART "Content-Range: bytes 10-19/100\nContent-Length: 10", ANSWER_TAKE, 0);
	assert_int_equal(file.size, 100);
	expect(ANSWER_RANGE, 10, 19, PART "Content-Range: bytes 10-19/100", ANSWER_TAKE, 0);
	expect(ANSWER_RANGE, 10, 19, PART "Content-Range: bytes 10-19/101", ANSWER_WRONG, ESTALE);
	expect(ANSWER_RANGE, 10, 19, PART "Content-Range: bytes 10-18/100", ANSWER_WRONG, EBADMSG);
	expect(ANSWER_RANGE, 10, 19, PART "Content-Range: bytes 11-19/100", ANSWER_WRONG, EBADMSG);
	expect(ANSWER_RANGE, 10, 19, PART "Content-Range: bytes 10-20/100", ANSWER_WRONG, EBADMSG);
	expect(ANSWER_RANGE, 10, 19, PART "Content-Range: bytes 10-19/*", ANSWER_WRONG, EBADMSG);
	expect(ANSWER_RANGE, 10, 19, PART "Content-Range: bytes */100", ANSWER_WRONG, EBADMSG);
	expect(ANSWER_RANGE, 10, 19, PART "Content-Type: multipart/byteranges; boundary=x", ANSWER_WRONG, EBADMSG);
	expect(ANSWER_RANGE, 10, 19, PART "Content-Range: bytes 10-19/100\nContent-Length: 9", ANSWER_WRONG, EBADMSG);
	expect(ANSWER_RANGE, 10, 19, PART "Content-Range: bytes 10-19/100\nContent-Encoding: br", ANSWER_WRONG,
	       EBADMSG);
	expect(ANSWER_RANGE, 10, 19, OK "Content-Length: 100", ANSWER_WRONG, EOPNOTSUPP);
	expect(ANSWER_RANGE, 10, 19, OK "Content-Length: 99", ANSWER_WRONG, ESTALE);
	expect(ANSWER_RANGE, 10, 19, "HTTP/1.1 416 N\nContent-Range: bytes */15", ANSWER_WRONG, ESTALE);
	file.size = 0;
	expect(ANSWER_RANGE, 10, 19, "HTTP/1.1 416 N\nContent-Range: bytes */15", ANSWER_WRONG, EBADMSG);
	expect(ANSWER_RANGE, 10, 19, OK, ANSWER_WRONG, EOPNOTSUPP);
	assert_int_equal(file.size, 0);
}

/* With a tag: a date counts only without one. */
static void which_file_it_is(void **state)
{
	const char *first = PART "Content-Range: bytes 0-9/100\nETag: \"a\"\nLast-Modified: then";

	(void)state;
	expect(ANSWER_RANGE, 0, 9, first, ANSWER_TAKE, 0);
	assert_string_equal(file.etag, "\"a\"");
	assert_string_equal(file.modified, "then");
	expect(ANSWER_RANGE, 0, 9, PART "Content-Range: bytes 0-9/100\nETag: \"b\"\nLast-Modified: then", ANSWER_WRONG,
	       ESTALE);
	expect(ANSWER_RANGE, 0, 9, PART "Content-Range: bytes 0-9/100\nETag: \"a\"\nLast-Modified: now", ANSWER_TAKE,
	       0);
	expect(ANSWER_RANGE, 0, 9, PART "Content-Range: bytes 0-9/100\nLast-Modified: now", ANSWER_WRONG, ESTALE);
	expect(ANSWER_RANGE, 0, 9, PART "Content-Range: bytes 0-9/100", ANSWER_TAKE, 0);
	expect(ANSWER_RANGE, 0, 9, OK "Content-Length: 100\nETag: \"b\"", ANSWER_WRONG, ESTALE);
	expect(ANSWER_RANGE, 0, 9, OK "Content-Length: 100\nETag: \"a\"", ANSWER_WRONG, EOPNOTSUPP);
	assert_string_equal(file.etag, "\"a\"");
	/* A size that the caller knows, and nothing else: the tag is learned. */
	memset(&file, 0, sizeof(file));
	file.size = 100;
	expect(ANSWER_RANGE, 0, 9, first, ANSWER_TAKE, 0);
	assert_string_equal(file.etag, "\"a\"");
}

static void the_rest(void **state)
{
	(void)state;
	expect(ANSWER_REST, 0, 0, OK "Content-Length: 100\nETag: \"a\"", ANSWER_TAKE, 0);
	assert_int_equal(file.size, 100);
	assert_string_equal(file.etag, "\"a\"");
	expect(ANSWER_REST, 40, 0, PART "Content-Range: bytes 40-99/100", ANSWER_TAKE, 0);
	expect(ANSWER_REST, 40, 0, PART "Content-Range: bytes 40-98/100", ANSWER_WRONG, EBADMSG);
	expect(ANSWER_REST, 40, 0, PART "Content-Range: bytes 0-99/100", ANSWER_WRONG, EBADMSG);
	expect(ANSWER_REST, 40, 0, OK "Content-Length: 100\nETag: \"a\"", ANSWER_SKIP, 0);
	expect(ANSWER_REST, 40, 0, OK "Content-Length: 100\nETag: \"b\"", ANSWER_WRONG, ESTALE);
	expect(ANSWER_REST, 40, 0, OK "Content-Length: 101", ANSWER_WRONG, ESTALE);
	expect(ANSWER_REST, 40, 0, OK "Transfer-Encoding: chunked", ANSWER_SKIP, 0);
	expect(ANSWER_REST, 40, 0, OK, ANSWER_WRONG, EBADMSG);
	expect(ANSWER_REST, 0, 0, PART "Content-Range: bytes 0-99/100", ANSWER_WRONG, EBADMSG); /* not asked for */
	memset(&file, 0, sizeof(file));
	expect(ANSWER_REST, 0, 0, OK "Content-Length: 0", ANSWER_WRONG, EBADMSG);
	expect(ANSWER_REST, 40, 0, OK "Content-Length: 40", ANSWER_WRONG, ESTALE);
	expect(ANSWER_REST, 0, 0, OK "Transfer-Encoding: chunked\nContent-Length: 7", ANSWER_TAKE, 0);
	assert_int_equal(file.size, 0); /* a length beside chunks says nothing */
}

static void documents(void **state)
{
	(void)state;
	expect(ANSWER_DOCUMENT, 0, 100, OK "Content-Length: 100", ANSWER_TAKE, 0);
	expect(ANSWER_DOCUMENT, 0, 100, OK "Content-Length: 101", ANSWER_WRONG, EFBIG);
	expect(ANSWER_DOCUMENT, 0, 100, OK, ANSWER_TAKE, 0);
	expect(ANSWER_DOCUMENT, 0, 100, OK "Content-Encoding: gzip", ANSWER_WRONG, EBADMSG);
	expect(ANSWER_DOCUMENT, 0, 100, PART "Content-Range: bytes 0-9/10", ANSWER_WRONG, EBADMSG);
	expect(ANSWER_DOCUMENT, 0, 100, "HTTP/1.1 416 N", ANSWER_WRONG, EINVAL);
}

/* Whatever comes: a verdict, and a sentence unless it is taken. Later only what may pass by itself. */
static void every_status_has_a_verdict(void **state)
{
	static const int later[] = {408, 425, 429};
	static const int moved[] = {301, 302, 303, 307, 308};
	struct answer_want want = {ANSWER_DOCUMENT, 0, 10};

	(void)state;
	for (int status = 0; status <= 999; status++) {
		enum answer_verdict expected = status >= 500 && status <= 599 ? ANSWER_LATER : ANSWER_WRONG;
		for (size_t i = 0; i < COUNT_OF(later); i++)
			expected = status == later[i] ? ANSWER_LATER : expected;
		for (size_t i = 0; i < COUNT_OF(moved); i++)
			expected = status == moved[i] ? ANSWER_REDIRECT : expected;
		a = (struct answer){.status = status};
		if (status == 200)
			expected = ANSWER_TAKE;
		assert_int_equal(answer_judge(&a, &want, &file, &e), expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(content_ranges, setup),
		cmocka_unit_test_setup(heads, setup),
		cmocka_unit_test_setup(odd_lines, setup),
		cmocka_unit_test_setup(headers_that_contradict, setup),
		cmocka_unit_test_setup(ranges, setup),
		cmocka_unit_test_setup(which_file_it_is, setup),
		cmocka_unit_test_setup(the_rest, setup),
		cmocka_unit_test_setup(documents, setup),
		cmocka_unit_test_setup(every_status_has_a_verdict, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
