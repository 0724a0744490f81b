/* init/update/flight.c, over tests/fake/curl. The real libraries: tests/fetch. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/curl.h"
#include "fake/sys.h"
#include "update/flight.h"

#define SIZE 200000

static struct fetch_config config;
static struct fetch_count counted;
static struct fetch_file file;
static struct flight_plan plan;
static struct flight flight;
static char document[256], body[SIZE];
static struct buf doc;
static struct err e;
static uint64_t expected, pieces; /* where the next piece must begin */
static bool refuse;

static int on_data(const struct fetch_range *r, uint64_t at, const void *data, size_t len, void *arg, struct err *why)
{
	assert_ptr_equal(arg, &plan);
	assert_int_equal(r->tag, 7);
	assert_int_equal(at, expected);
	assert_memory_equal(data, body + at, len);
	expected += len;
	pieces++;
	return refuse ? err_set(why, ENOSPC, "no room") : 0;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_clock_ms = 1000;
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (char)(i * 7 + i / 256);
	config = (struct fetch_config){.connect_ms = 3000};
	counted = (struct fetch_count){0};
	memset(&file, 0, sizeof(file));
	memset(&flight, 0, sizeof(flight));
	buf_init(&doc, document, sizeof(document));
	plan = (struct flight_plan){
		.config = &config, .count = &counted, .file = &file, .data = on_data, .arg = &plan, .document = &doc};
	assert_int_equal(str_copy(file.url, sizeof(file.url), "http://h/f"), 0);
	assert_int_equal(str_copy(plan.url, sizeof(plan.url), "http://h/f"), 0);
	expected = pieces = 0;
	refuse = false;
	err_clear(&e);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	flight_drop(&flight);
	fake_curl_fail_at(0);
	return (int)(fake_curl_handles + fake_curl_lists);
}

static void take(enum answer_what what, uint64_t first, uint64_t last)
{
	struct answer_want want = {what, first, last};
	struct fetch_range r = {first, last - first + 1, 7};

	flight_take(&flight, &plan, &want, &r);
	expected = first;
}

static struct fake_curl *start(void)
{
	assert_int_equal(flight_start(&flight, 1000, &e), 0);
	assert_int_equal(flight.state, FLIGHT_FLYING);
	return flight.easy;
}

static size_t give(struct fake_curl *f, uint64_t from, size_t len)
{
	return f->write(body + from, 1, len, f->write_arg);
}

static void what_is_sent(void **state)
{
	(void)state;
	take(ANSWER_RANGE, 10, 99);
	struct fake_curl *f = start();
	assert_string_equal(f->url, "http://h/f");
	assert_string_equal(f->headers, "Range: bytes=10-99\n");
	assert_int_equal(fake_curl_number(f, CURLOPT_NOSIGNAL), 1);
	assert_int_equal(fake_curl_number(f, CURLOPT_PATH_AS_IS), 1);
	assert_int_equal(fake_curl_number(f, CURLOPT_CONNECTTIMEOUT_MS), 3000);
	assert_int_equal(fake_curl_number(f, CURLOPT_HTTP_VERSION), CURL_HTTP_VERSION_2TLS);
	assert_int_equal(fake_curl_number(f, CURLOPT_FOLLOWLOCATION), -1); /* we do that ourselves */
	flight_drop(&flight);
	assert_int_equal(str_copy(file.modified, sizeof(file.modified), "then"), 0);
	assert_string_equal(start()->headers, "Range: bytes=10-99\nIf-Range: then\n");
	flight_drop(&flight);
	assert_int_equal(str_copy(file.etag, sizeof(file.etag), "\"x\""), 0);
	assert_string_equal(start()->headers, "Range: bytes=10-99\nIf-Range: \"x\"\n");
	flight_drop(&flight);
	take(ANSWER_REST, 0, 0);
	assert_string_equal(start()->headers, "");
	flight_drop(&flight);
	take(ANSWER_REST, 5, 0);
	assert_string_equal(start()->headers, "Range: bytes=5-\nIf-Range: \"x\"\n");
	flight_drop(&flight);
	take(ANSWER_DOCUMENT, 0, 99);
	assert_string_equal(start()->headers, "");
	assert_int_equal(counted.requests, 6);
	assert_int_equal(counted.sent, 500);
}

static void https_wants_authorities(void **state)
{
	(void)state;
	assert_int_equal(str_copy(plan.url, sizeof(plan.url), "https://h/f"), 0);
	take(ANSWER_DOCUMENT, 0, 99);
	assert_int_equal(flight_start(&flight, 1000, &e), -1);
	assert_int_equal(e.code, EINVAL);
	config.ca_pem = "pinned";
	struct fake_curl *f = start();
	assert_int_equal(f->ca.len, 6);
}

#define HEAD "HTTP/1.1 206 P\r\nContent-Range: bytes 0-149999/200000\r\nETag: \"x\"\r\n\r\n"

/* Pieces are whole also when the range was lost in the middle of one. */
static void pieces_across_a_lost_connection(void **state)
{
	(void)state;
	take(ANSWER_RANGE, 0, 149999);
	struct fake_curl *f = start();
	fake_curl_head(f, 206, HEAD);
	assert_int_equal(file.size, 200000);
	assert_int_equal(give(f, 0, 60000), 60000);
	assert_int_equal(pieces, 0);
	assert_int_equal(give(f, 60000, 10000), 10000);
	assert_int_equal(expected, FETCH_PIECE);
	assert_int_equal(flight_ended(&flight, CURLE_RECV_ERROR, &e), FLIGHT_AGAIN);
	assert_string_equal(e.text, "error 56 of libcurl");
	assert_int_equal(flight.at, 70000);
	flight.again = true;
	f = start();
	assert_string_equal(f->headers, "Range: bytes=70000-149999\nIf-Range: \"x\"\n");
	fake_curl_head(f, 206, "HTTP/1.1 206 P\r\nContent-Range: bytes 70000-149999/200000\r\n\r\n");
	assert_int_equal(give(f, 70000, 80000), 80000);
	assert_int_equal(flight_ended(&flight, CURLE_OK, &e), FLIGHT_DONE);
	assert_int_equal(expected, 150000);
	assert_int_equal(pieces, 3);
	assert_int_equal(counted.body, 150000);
	assert_int_equal(counted.retries, 1);
}

/* Some servers end their lines with a newline alone. */
static void lines_that_end_with_a_newline(void **state)
{
	(void)state;
	take(ANSWER_RANGE, 0, 99);
	struct fake_curl *f = start();
	fake_curl_head(f, 206, "HTTP/1.1 206 P\nContent-Range: bytes 0-99/200\nContent-Length: 100\n\n");
	assert_int_equal(file.size, 200);
	assert_int_equal(give(f, 0, 100), 100);
	assert_int_equal(flight_ended(&flight, CURLE_OK, &e), FLIGHT_DONE);
}

static void bodies_that_do_not_fit(void **state)
{
	(void)state;
	take(ANSWER_RANGE, 0, 149999);
	struct fake_curl *f = start();
	fake_curl_head(f, 206, HEAD);
	assert_int_equal(give(f, 0, 150000), 150000);
	assert_int_equal(give(f, 150000, 1), CURL_WRITEFUNC_ERROR);
	assert_int_equal(flight_ended(&flight, CURLE_WRITE_ERROR, &e), FLIGHT_FAILED);
	assert_int_equal(e.code, EBADMSG);
	/* In order, but too short: a lie if it had said how long it is, else a lost connection looks the same. */
	take(ANSWER_RANGE, 0, 149999);
	f = start();
	fake_curl_head(f, 206,
	               "HTTP/1.1 206 P\r\nContent-Length: 150000\r\nContent-Range: bytes 0-149999/200000\r\n\r\n");
	assert_int_equal(give(f, 0, 10), 10);
	assert_int_equal(flight_ended(&flight, CURLE_OK, &e), FLIGHT_FAILED);
	assert_int_equal(e.code, EBADMSG);
	take(ANSWER_RANGE, 0, 149999);
	f = start();
	fake_curl_head(f, 206, HEAD);
	assert_int_equal(give(f, 0, 10), 10);
	assert_int_equal(flight_ended(&flight, CURLE_OK, &e), FLIGHT_AGAIN);
}

static void a_head_that_is_wrong_ends_it(void **state)
{
	(void)state;
	take(ANSWER_RANGE, 5, 9);
	struct fake_curl *f = start();
	fake_curl_head(f, 206, HEAD);
	assert_true(f->ending);
	assert_int_equal(flight_ended(&flight, CURLE_WRITE_ERROR, &e), FLIGHT_FAILED);
	assert_int_equal(e.code, EBADMSG);
	assert_non_null(strstr(e.text, "another part"));
}

/* "100 Continue" is no answer yet, and what stands behind the body is none any more. */
static void more_heads_than_one(void **state)
{
	(void)state;
	take(ANSWER_RANGE, 0, 149999);
	struct fake_curl *f = start();
	fake_curl_head(f, 100, "HTTP/1.1 100 Continue\r\n\r\n");
	assert_false(flight.judged);
	fake_curl_head(f, 206, HEAD);
	assert_int_equal(give(f, 0, 150000), 150000);
	fake_curl_head(f, 206, "Content-Range: bytes 7-8/9\r\n\r\n");
	assert_int_equal(flight_ended(&flight, CURLE_OK, &e), FLIGHT_DONE);
}

static void the_whole_file_where_the_rest_was_wanted(void **state)
{
	(void)state;
	take(ANSWER_REST, 1000, 0);
	struct fake_curl *f = start();
	fake_curl_head(f, 200, "HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n");
	assert_int_equal(give(f, 0, 999), 999);
	assert_int_equal(flight.at, 1000);
	assert_true(plan.heard_ms == 1000 && plan.wanted_ms == 0 && !flight.got); /* those were there already */
	assert_int_equal(give(f, 999, 199001), 199001);
	assert_true(plan.wanted_ms == 1000 && flight.got);
	assert_int_equal(flight_ended(&flight, CURLE_OK, &e), FLIGHT_DONE);
	assert_int_equal(expected, 200000);
}

static void a_document_begins_again(void **state)
{
	(void)state;
	buf_add(&doc, "before ");
	take(ANSWER_DOCUMENT, 0, 10);
	struct fake_curl *f = start();
	fake_curl_head(f, 200, "HTTP/1.1 200 OK\r\n\r\n");
	assert_int_equal(f->write((char *)(uintptr_t) "half", 1, 4, f->write_arg), 4);
	assert_int_equal(flight_ended(&flight, CURLE_PARTIAL_FILE, &e), FLIGHT_AGAIN);
	f = start();
	fake_curl_head(f, 200, "HTTP/1.1 200 OK\r\n\r\n");
	assert_int_equal(f->write((char *)(uintptr_t) "0123456789", 1, 10, f->write_arg), 10);
	assert_string_equal(document, "before 0123456789");
	assert_int_equal(f->write((char *)(uintptr_t) "x", 1, 1, f->write_arg), CURL_WRITEFUNC_ERROR);
	assert_int_equal(flight_ended(&flight, CURLE_WRITE_ERROR, &e), FLIGHT_FAILED);
	assert_int_equal(e.code, EFBIG);
}

static void how_libcurl_ends_it(void **state)
{
	static const struct {
		CURLcode code;
		enum flight_end end;
		int error;
	} rows[] = {
		{CURLE_OK, FLIGHT_AGAIN, EAGAIN}, /* nothing at all came */
		{CURLE_COULDNT_RESOLVE_HOST, FLIGHT_AGAIN, EAGAIN},
		{CURLE_COULDNT_CONNECT, FLIGHT_AGAIN, EAGAIN},
		{CURLE_OPERATION_TIMEDOUT, FLIGHT_AGAIN, EAGAIN},
		{CURLE_PEER_FAILED_VERIFICATION, FLIGHT_AGAIN, EAGAIN},
		{CURLE_HTTP2_STREAM, FLIGHT_AGAIN, EAGAIN},
		{CURLE_OUT_OF_MEMORY, FLIGHT_FAILED, ENOMEM},
		{CURLE_WEIRD_SERVER_REPLY, FLIGHT_FAILED, EBADMSG},
		{CURLE_UNSUPPORTED_PROTOCOL, FLIGHT_FAILED, EBADMSG},
		{CURLE_SSL_CACERT_BADFILE, FLIGHT_FAILED, EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		take(ANSWER_RANGE, 0, 9);
		struct fake_curl *f = start();
		assert_int_equal(str_copy(f->error_buffer, CURL_ERROR_SIZE, rows[i].code ? "so\nit is" : ""), 0);
		assert_int_equal(flight_ended(&flight, rows[i].code, &e), rows[i].end);
		assert_int_equal(e.code, rows[i].error);
		assert_true(e.text[0] && !strchr(e.text, '\n'));
	}
}

static enum flight_end redirect(const char *to, long status)
{
	char line[64];
	struct fake_curl *f = start();

	f->location = to;
	assert_int_equal(str_format(line, sizeof(line), "HTTP/1.1 %ld There\r\n\r\n", status), 0);
	fake_curl_head(f, status, line);
	return flight_ended(&flight, CURLE_OK, &e);
}

static void redirects(void **state)
{
	(void)state;
	config.ca_pem = "pinned";
	take(ANSWER_RANGE, 0, 9);
	assert_int_equal(redirect("https://i/g", 302), FLIGHT_MOVED);
	assert_string_equal(plan.url, "https://i/g");
	assert_int_equal(redirect("http://i/g", 302), FLIGHT_FAILED);
	assert_int_equal(e.code, EBADMSG);
	take(ANSWER_RANGE, 0, 9);
	assert_int_equal(redirect("file:///etc/passwd", 301), FLIGHT_FAILED);
	assert_int_equal(e.code, EBADMSG);
	take(ANSWER_RANGE, 0, 9);
	assert_int_equal(redirect(NULL, 301), FLIGHT_FAILED);
	assert_int_equal(e.code, EBADMSG);
	take(ANSWER_RANGE, 0, 9);
	for (unsigned i = 0; i < FETCH_REDIRECTS; i++)
		assert_int_equal(redirect("https://i/g", 307), FLIGHT_MOVED);
	assert_int_equal(redirect("https://i/g", 307), FLIGHT_FAILED);
	assert_non_null(strstr(e.text, "more than 5"));
	assert_int_equal(counted.redirects, FETCH_REDIRECTS + 1);
}

/* The place that a redirect led to does not last: the first one is asked again, once. */
static void a_place_that_was_good_for_a_while(void **state)
{
	(void)state;
	take(ANSWER_RANGE, 0, 9);
	assert_int_equal(redirect("http://i/g", 302), FLIGHT_MOVED);
	assert_int_equal(redirect(NULL, 403), FLIGHT_MOVED);
	assert_string_equal(plan.url, "http://h/f");
	assert_int_equal(redirect("http://i/g2", 302), FLIGHT_MOVED);
	assert_int_equal(redirect(NULL, 403), FLIGHT_FAILED);
	assert_int_equal(e.code, EACCES);
	take(ANSWER_RANGE, 0, 9);
	assert_int_equal(str_copy(plan.url, sizeof(plan.url), "http://h/f"), 0);
	assert_int_equal(redirect(NULL, 404), FLIGHT_FAILED);
	assert_int_equal(e.code, ENOENT);
}

static void what_the_caller_says_counts(void **state)
{
	(void)state;
	take(ANSWER_RANGE, 0, 149999);
	struct fake_curl *f = start();
	fake_curl_head(f, 206, HEAD);
	refuse = true;
	assert_int_equal(give(f, 0, 70000), CURL_WRITEFUNC_ERROR);
	assert_int_equal(flight_ended(&flight, CURLE_WRITE_ERROR, &e), FLIGHT_FAILED);
	assert_int_equal(e.code, ENOSPC);
	assert_true(plan.refused);
	/* With the last piece, too. */
	plan.refused = false;
	take(ANSWER_RANGE, 0, 9);
	f = start();
	fake_curl_head(f, 206, "HTTP/1.1 206 P\r\nContent-Range: bytes 0-9/200000\r\n\r\n");
	assert_int_equal(give(f, 0, 10), 10);
	assert_int_equal(flight_ended(&flight, CURLE_OK, &e), FLIGHT_FAILED);
	assert_int_equal(e.code, ENOSPC);
}

/* The body of an answer that is none is read for the sake of the connection, but not for ever. */
static void junk(void **state)
{
	(void)state;
	take(ANSWER_RANGE, 0, 9);
	struct fake_curl *f = start();
	fake_curl_head(f, 503, "HTTP/1.1 503 No\r\nRetry-After: 9\r\n\r\n");
	assert_int_equal(give(f, 0, 65536), 65536);
	assert_int_equal(give(f, 0, 1), CURL_WRITEFUNC_ERROR);
	assert_int_equal(flight_ended(&flight, CURLE_WRITE_ERROR, &e), FLIGHT_AGAIN);
	assert_string_equal(e.text, "answer 503: the server has trouble");
	assert_int_equal(flight.answer.retry_after_s, 9);
	assert_int_equal(pieces, 0);
}

static void out_of_memory(void **state)
{
	(void)state;
	assert_int_equal(str_copy(file.etag, sizeof(file.etag), "\"x\""), 0);
	for (unsigned n = 1;; n++) {
		take(ANSWER_RANGE, 0, 9);
		fake_curl_fail_at(n);
		int rc = flight_start(&flight, 1000, &e);
		if (!fake_curl_fired())
			break;
		if (rc < 0)
			assert_int_equal(e.code, ENOMEM);
		flight_drop(&flight);
		assert_int_equal(fake_curl_handles + fake_curl_lists, 0);
	}
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		ROW(what_is_sent),
		ROW(https_wants_authorities),
		ROW(pieces_across_a_lost_connection),
		ROW(lines_that_end_with_a_newline),
		ROW(bodies_that_do_not_fit),
		ROW(a_head_that_is_wrong_ends_it),
		ROW(more_heads_than_one),
		ROW(the_whole_file_where_the_rest_was_wanted),
		ROW(a_document_begins_again),
		ROW(how_libcurl_ends_it),
		ROW(redirects),
		ROW(a_place_that_was_good_for_a_while),
		ROW(what_the_caller_says_counts),
		ROW(junk),
		ROW(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
