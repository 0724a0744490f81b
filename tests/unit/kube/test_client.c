/* kube/client, over tests/fake/curl. The real libraries: tests/kube. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/curl.h"
#include "fake/sys.h"
#include "kube/client.h"

static struct loop loop;
static struct kclient client;
static struct credentials credentials;
static struct err e;

/* What the callbacks of one call have seen. */
struct seen {
	unsigned done;
	enum kclient_fault fault;
	int status;
	unsigned after;
	size_t len;
	char body[256];
	char etag[KCLIENT_ETAG];
	char why[KCLIENT_WHY];
	char lines[256]; /* "first|second|" */
	uint32_t id;
	void (*then)(struct seen *s); /* called at the end of each callback */
};

static void on_done(const struct kclient_reply *r, void *arg)
{
	struct seen *s = arg;

	assert_memory_equal(r->body + r->len, "\0\0\0\0", KCLIENT_PAD);
	s->done++;
	s->fault = r->fault;
	s->status = r->status;
	s->after = r->retry_after_s;
	s->len = r->len;
	assert_int_equal(str_copy(s->body, sizeof(s->body), r->len < sizeof(s->body) ? r->body : "large"), 0);
	assert_int_equal(str_copy(s->etag, sizeof(s->etag), r->etag), 0);
	assert_int_equal(str_copy(s->why, sizeof(s->why), r->why), 0);
	if (s->then)
		s->then(s);
}

static void on_line(char *line, size_t len, void *arg)
{
	struct seen *s = arg;
	struct buf b = {s->lines, strlen(s->lines), sizeof(s->lines), false};

	assert_true(len > 0);
	assert_memory_equal(line + len, "\0\0\0\0", KCLIENT_PAD);
	buf_addf(&b, "%s|", line);
	memset(line, '#', len); /* a reader in place may do so */
	if (s->then)
		s->then(s);
}

static void nothing(struct loop *l, void *arg)
{
	(void)l, (void)arg;
}

/* Everything that is due by now, in some rounds. */
static void settle(void)
{
	for (unsigned i = 0; i < 6; i++) {
		struct loop_timer t = {0};
		loop_after(&loop, &t, 0, nothing, NULL);
		assert_int_equal(loop_step(&loop, &e), 0);
		loop_cancel(&loop, &t);
	}
}

static void pass_ms(int64_t ms)
{
	fake_clock_ms += ms;
	settle();
}

static int setup(void **state)
{
	(void)state;
	e = (struct err){0};
	fake_clock_ms = 1000;
	credentials = (struct credentials){
		.server = "https://127.0.0.1:6443", .ca = {2, "ca"}, .cert = {4, "cert"}, .key = {3, "key"}};
	fake_curl_made = 0;
	client = (struct kclient){0};
	return loop_init(&loop, &e) < 0 || kclient_open(&client, &loop, &credentials, &e) < 0;
}

/* Whatever a test did, nothing may be left. */
static int teardown(void **state)
{
	(void)state;
	kclient_close(&client);
	loop_fini(&loop);
	fake_curl_fail_at(0);
	return (int)(fake_curl_handles + fake_curl_lists + fake_curl_multis + fake_curl_globals);
}

static struct fake_curl *start(struct seen *s, struct kclient_request q)
{
	q.method = q.method ? q.method : "GET";
	q.done = on_done;
	q.arg = s;
	s->id = kclient_call(&client, &q, &e);
	assert_true(s->id > 0);
	settle();
	assert_int_equal(s->done, 0);
	struct fake_curl *f = fake_curl_find(q.path);
	assert_non_null(f);
	return f;
}

static struct fake_curl *get(struct seen *s, const char *path)
{
	*s = (struct seen){0};
	return start(s, (struct kclient_request){.path = path});
}

static struct fake_curl *watch(struct seen *s, const char *path)
{
	return start(s, (struct kclient_request){.path = path, .on_line = on_line, .max = 64, .timeout_ms = 9000});
}

static void send_text(struct fake_curl *f, const char *text)
{
	fake_curl_body(f, text, strlen(text));
	settle();
}

static struct seen second;

static void start_second(struct seen *s)
{
	struct kclient_request q = {.method = "GET", .path = "/second", .done = on_done, .arg = &second};

	s->then = NULL;
	second = (struct seen){0};
	second.id = kclient_call(&client, &q, &e);
}

static void the_request_is_what_was_asked_for(void **state)
{
	struct seen s = {0};
	char body[] = "{}";
	struct kclient_request q = {.method = "PATCH",
	                            .path = "/api/v1/x?force=true",
	                            .type = "application/a",
	                            .etag = "\"7\"",
	                            .body = body,
	                            .body_len = 2};

	(void)state;
	struct fake_curl *f = start(&s, q);
	assert_string_equal(f->url, "https://127.0.0.1:6443/api/v1/x?force=true");
	assert_string_equal(f->method, "PATCH");
	assert_string_equal(f->headers,
	                    "Accept: application/json\nContent-Type: application/a\nIf-None-Match: \"7\"\nExpect: \n");
	assert_ptr_equal(f->body, body);
	assert_int_equal(f->body_len, 2);
	assert_int_equal(f->ca.len, 2);
	assert_int_equal(f->cert.len, 4);
	assert_int_equal(f->key.len, 4); /* mbedTLS wants the terminator */
	assert_int_equal(f->key.flags, CURL_BLOB_NOCOPY);
	assert_int_equal(fake_curl_number(f, CURLOPT_HTTP_VERSION), CURL_HTTP_VERSION_2TLS);
	assert_int_equal(fake_curl_number(f, CURLOPT_PIPEWAIT), 1);
	assert_int_equal(fake_curl_number(f, CURLOPT_SSL_VERIFYPEER), -1); /* left at what it is: on */
}

static void an_answer_is_handed_over_once(void **state)
{
	struct seen s;

	(void)state;
	struct fake_curl *f = get(&s, "/a");
	fake_curl_status(f, 429, "HTTP/2 429\r\n", "ETag:  \"x\" \r\n", "Retry-After: 7\r\n", NULL);
	fake_curl_body(f, "bo", 2);
	settle();
	assert_int_equal(s.done, 0);
	send_text(f, "dy");
	fake_curl_end(f, CURLE_OK, NULL);
	settle();
	assert_int_equal(s.done, 1);
	assert_int_equal(s.fault, KCLIENT_OK);
	assert_int_equal(s.status, 429);
	assert_int_equal(s.after, 7);
	assert_string_equal(s.body, "body");
	assert_string_equal(s.etag, "\"x\"");
	assert_string_equal(s.why, "");
	assert_int_equal(fake_curl_handles, 0);
	assert_int_equal(kclient_free(&client), KCLIENT_CALLS);
}

static void headers_that_make_no_sense_are_ignored(void **state)
{
	char large[400];
	struct seen s;

	(void)state;
	(void)snprintf(large, sizeof(large), "etag: %0300d\r\n", 1);
	struct fake_curl *f = get(&s, "/a");
	fake_curl_status(f, 200, large, "retry-after: Wed, 21 Oct 2026 07:28:00 GMT\r\n", "etag\r\n", "etags: y\r\n",
	                 "et", "", "\r\n", NULL);
	fake_curl_end(f, CURLE_OK, NULL);
	settle();
	assert_int_equal(s.done, 1);
	assert_string_equal(s.etag, "");
	assert_int_equal(s.after, 0);
	assert_int_equal(s.len, 0);
}

static void every_way_to_fail_has_its_name(void **state)
{
	static const struct {
		CURLcode code;
		long status;
		enum kclient_fault want;
	} rows[] = {
		{CURLE_OK, 200, KCLIENT_OK},
		{CURLE_COULDNT_CONNECT, 0, KCLIENT_REFUSED},
		{CURLE_COULDNT_RESOLVE_HOST, 0, KCLIENT_REFUSED},
		{CURLE_SSL_CONNECT_ERROR, 0, KCLIENT_TLS},
		{CURLE_PEER_FAILED_VERIFICATION, 0, KCLIENT_TLS},
		{CURLE_SSL_CERTPROBLEM, 0, KCLIENT_TLS},
		{CURLE_RECV_ERROR, 0, KCLIENT_RESET},
		{CURLE_RECV_ERROR, 200, KCLIENT_CUT},
		{CURLE_HTTP2_STREAM, 0, KCLIENT_RESET},
		{CURLE_HTTP2_STREAM, 200, KCLIENT_CUT},
		{CURLE_SEND_ERROR, 0, KCLIENT_RESET},
		{CURLE_GOT_NOTHING, 0, KCLIENT_RESET},
		{CURLE_PARTIAL_FILE, 200, KCLIENT_CUT},
		{CURLE_OPERATION_TIMEDOUT, 0, KCLIENT_TIMEOUT},
		{CURLE_OUT_OF_MEMORY, 0, KCLIENT_MEMORY},
		{CURLE_WEIRD_SERVER_REPLY, 0, KCLIENT_BROKEN},
	};
	struct seen s;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct fake_curl *f = get(&s, "/a");
		fake_curl_status(f, rows[i].status, NULL);
		fake_curl_end(f, rows[i].code, i % 2 ? "told by curl\n" : NULL);
		settle();
		assert_int_equal(s.done, 1);
		assert_int_equal(s.fault, rows[i].want);
		assert_int_equal(s.status, rows[i].status);
		assert_int_equal(s.why[0] == '\0', s.fault == KCLIENT_OK);
	}
	assert_string_equal(s.why, "told by curl");
}

static void a_body_has_its_bound(void **state)
{
	struct seen s = {0};

	(void)state;
	struct fake_curl *f = start(&s, (struct kclient_request){.path = "/a", .max = 4});
	fake_curl_answer(f, 200, "1234");
	settle();
	assert_int_equal(s.fault, KCLIENT_OK);
	s = (struct seen){0};
	f = start(&s, (struct kclient_request){.path = "/a", .max = 4});
	send_text(f, "12");
	send_text(f, "345");
	assert_int_equal(s.done, 1);
	assert_int_equal(s.fault, KCLIENT_TOO_LARGE);
	assert_string_equal(s.why, "the answer is too large");
}

static void a_stream_gives_lines(void **state)
{
	struct seen s = {0};

	(void)state;
	struct fake_curl *f = watch(&s, "/w?watch=true");
	fake_curl_status(f, 200, NULL);
	send_text(f, "one\n\ntwo\nthr");
	assert_string_equal(s.lines, "one|two|");
	send_text(f, "ee\n");
	assert_string_equal(s.lines, "one|two|three|");
	send_text(f, "last");
	fake_curl_end(f, CURLE_OK, NULL);
	settle();
	assert_string_equal(s.lines, "one|two|three|last|");
	assert_int_equal(s.done, 1);
	assert_int_equal(s.fault, KCLIENT_OK);
	assert_int_equal(s.len, 0);
}

static void half_a_line_of_a_broken_stream_is_nothing(void **state)
{
	struct seen s = {0};

	(void)state;
	struct fake_curl *f = watch(&s, "/w");
	fake_curl_status(f, 200, NULL);
	send_text(f, "one\n{\"half");
	fake_curl_end(f, CURLE_RECV_ERROR, "reset");
	settle();
	assert_string_equal(s.lines, "one|");
	assert_int_equal(s.fault, KCLIENT_CUT);
	assert_int_equal(s.len, 0);
}

static void a_refused_stream_gives_a_body(void **state)
{
	struct seen s = {0};

	(void)state;
	struct fake_curl *f = watch(&s, "/w");
	fake_curl_answer(f, 410, "too\nold\n");
	settle();
	assert_string_equal(s.lines, "");
	assert_string_equal(s.body, "too\nold\n");
	assert_int_equal(s.status, 410);
}

static void a_line_has_its_bound(void **state)
{
	char text[66];
	struct seen s = {0};

	(void)state;
	memset(text, 'x', sizeof(text));
	text[64] = '\n';
	struct fake_curl *f = watch(&s, "/w");
	fake_curl_status(f, 200, NULL);
	fake_curl_body(f, text, 65);
	settle();
	assert_int_equal(strlen(s.lines), 65);
	fake_curl_body(f, text, 64);
	settle();
	assert_int_equal(s.done, 0);
	send_text(f, "x");
	assert_int_equal(s.done, 1);
	assert_int_equal(s.fault, KCLIENT_TOO_LARGE);
}

static void a_call_times_out(void **state)
{
	struct seen s = {0};

	(void)state;
	(void)start(&s, (struct kclient_request){.path = "/a", .timeout_ms = 500});
	pass_ms(499);
	assert_int_equal(s.done, 0);
	pass_ms(1);
	assert_int_equal(s.done, 1);
	assert_int_equal(s.fault, KCLIENT_TIMEOUT);
	assert_string_equal(s.why, "no answer in time");
}

static void a_stream_times_out_by_silence(void **state)
{
	struct seen s = {0};

	(void)state;
	struct fake_curl *f = watch(&s, "/w");
	fake_curl_status(f, 200, NULL);
	for (unsigned i = 0; i < 3; i++) {
		pass_ms(8999);
		send_text(f, "x\n");
	}
	assert_int_equal(s.done, 0);
	pass_ms(9000);
	assert_int_equal(fake_curl_made, 2); /* it was the only one to hear anything: the connection goes as well */
	assert_int_equal(s.fault, KCLIENT_TIMEOUT);
	assert_string_equal(s.why, "the answer stopped coming");
}

/* A body that trickles in does not put off its call's end. */
static void a_call_times_out_as_a_whole(void **state)
{
	struct seen s = {0};

	(void)state;
	struct fake_curl *f = start(&s, (struct kclient_request){.path = "/a", .timeout_ms = 500});
	fake_curl_status(f, 200, NULL);
	pass_ms(400);
	send_text(f, "x");
	pass_ms(100);
	assert_int_equal(s.fault, KCLIENT_TIMEOUT);
	assert_string_equal(s.body, "x");
}

static void a_silent_connection_is_given_up(void **state)
{
	struct seen s = {0}, other, late = {0};

	(void)state;
	struct fake_curl *w = get(&other, "/w");
	fake_curl_status(w, 200, NULL);
	send_text(w, "x");
	pass_ms(1);
	(void)start(&s, (struct kclient_request){.path = "/a", .timeout_ms = 500});
	other.then = start_second; /* goes over the new connection already */
	pass_ms(500);
	assert_int_equal(s.fault, KCLIENT_TIMEOUT);
	assert_int_equal(other.fault, KCLIENT_CUT);
	assert_string_equal(other.why, "nothing came on its connection any more");
	assert_int_equal(fake_curl_made, 2);
	assert_int_equal(fake_curl_multis, 1);
	assert_int_equal(second.done, 0);
	fake_curl_answer(fake_curl_find("/second"), 200, "");
	fake_curl_answer(get(&late, "/b"), 200, "");
	settle();
	assert_int_equal(late.done, 1);
}

static void a_connection_that_speaks_is_kept(void **state)
{
	struct seen s = {0}, other;

	(void)state;
	struct fake_curl *w = get(&other, "/w");
	fake_curl_status(w, 200, NULL);
	(void)start(&s, (struct kclient_request){.path = "/a", .timeout_ms = 500});
	pass_ms(100);
	send_text(w, "x");
	pass_ms(400);
	assert_int_equal(s.fault, KCLIENT_TIMEOUT);
	assert_int_equal(other.done, 0);
	assert_int_equal(fake_curl_made, 1);
}

static void cancel_self(struct seen *s)
{
	kclient_cancel(&client, s->id);
}

static void cancelled_calls_are_silent(void **state)
{
	struct seen s = {.then = cancel_self}, early = {0};
	struct kclient_request q = {.method = "GET", .path = "/e", .done = on_done, .arg = &early};

	(void)state;
	struct fake_curl *f = watch(&s, "/w");
	fake_curl_status(f, 200, NULL);
	send_text(f, "one\ntwo\n"); /* it cancels itself at the first line */
	assert_string_equal(s.lines, "one|");
	kclient_cancel(&client, kclient_call(&client, &q, &e)); /* before it has begun */
	settle();
	kclient_cancel(&client, s.id); /* has ended */
	kclient_cancel(&client, 0);
	kclient_cancel(&client, 4711);
	assert_int_equal(s.done + early.done, 0);
	assert_int_equal(fake_curl_handles, 0);
	assert_int_equal(kclient_free(&client), KCLIENT_CALLS);
}

static struct seen others[2];

static void cancel_others(struct seen *s)
{
	(void)s;
	kclient_cancel(&client, others[0].id);
	kclient_cancel(&client, others[1].id);
}

/* From inside curl, where nothing can be taken from it: one that has lines waiting, and one at rest. */
static void others_are_cancelled_from_a_line(void **state)
{
	struct seen s = {.then = cancel_others};
	struct fake_curl *f[2];

	(void)state;
	memset(others, 0, sizeof(others));
	for (size_t i = 0; i < 2; i++) {
		f[i] = watch(&others[i], i ? "/y" : "/x");
		fake_curl_status(f[i], 200, NULL);
	}
	struct fake_curl *mine = watch(&s, "/mine"); /* the newest one is served first */
	fake_curl_status(mine, 200, NULL);
	fake_curl_body(mine, "go\n", 3);
	fake_curl_body(f[0], "late\n", 5);
	settle();
	assert_string_equal(s.lines, "go|");
	assert_string_equal(others[0].lines, "");
	assert_int_equal(others[0].done + others[1].done, 0);
	assert_int_equal(kclient_free(&client), KCLIENT_CALLS - 1);
}

static void the_last_line_may_cancel_too(void **state)
{
	struct seen s = {.then = cancel_self};

	(void)state;
	struct fake_curl *f = watch(&s, "/w");
	fake_curl_status(f, 200, NULL);
	fake_curl_body(f, "rest", 4);
	fake_curl_end(f, CURLE_OK, NULL);
	settle();
	assert_string_equal(s.lines, "rest|");
	assert_int_equal(s.done, 0);
	assert_int_equal(kclient_free(&client), KCLIENT_CALLS);
}

static void callbacks_start_calls(void **state)
{
	struct seen s = {.then = start_second};

	(void)state;
	struct fake_curl *f = watch(&s, "/w");
	fake_curl_status(f, 200, NULL);
	send_text(f, "one\n"); /* inside curl, which would refuse it */
	fake_curl_answer(fake_curl_find("/second"), 200, "ok");
	settle();
	assert_int_equal(second.done, 1);
	s.then = start_second;
	fake_curl_end(f, CURLE_OK, NULL); /* from done: the place of the call is free already */
	settle();
	assert_int_equal(s.done, 1);
	fake_curl_answer(fake_curl_find("/second"), 200, "ok");
	settle();
	assert_int_equal(second.done, 1);
}

static void reopen(struct seen *s)
{
	(void)s;
	kclient_close(&client);
	assert_int_equal(kclient_open(&client, &loop, &credentials, &e), 0);
}

static void close_it(struct seen *s)
{
	(void)s;
	kclient_close(&client);
}

static void callbacks_close_and_open(void **state)
{
	static void (*const what[])(struct seen *) = {reopen, close_it};
	struct seen s[2], late;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(what); i++) {
		struct fake_curl *a = get(&s[0], "/a"), *b = get(&s[1], "/b");
		s[0].then = s[1].then = what[i];
		fake_curl_answer(a, 401, "");
		fake_curl_answer(b, 401, "");
		settle();
		assert_int_equal(s[0].done + s[1].done, 1); /* the other one has ended with the client */
		assert_int_equal(fake_curl_handles, 0);
		if (i == 0)
			fake_curl_answer(get(&late, "/c"), 200, "");
		settle();
	}
}

/* The same when it is a time-out that calls back, and when the connection is given up. */
static void time_outs_close_and_open(void **state)
{
	static void (*const what[])(struct seen *) = {reopen, close_it};
	struct seen s[3];

	(void)state;
	for (size_t i = 0; i < 2 * COUNT_OF(what); i++) {
		for (size_t k = 0; k < COUNT_OF(s); k++) {
			s[k] = (struct seen){0};
			(void)start(&s[k], (struct kclient_request){.path = "/a", .timeout_ms = 500 + (uint32_t)k});
		}
		s[i / 2].then = what[i % 2]; /* the one that times out, or the next */
		pass_ms(500);
		assert_int_equal(s[0].done + s[1].done + s[2].done, 1 + i / 2);
		assert_int_equal(fake_curl_handles, 0);
		assert_int_equal(kclient_free(&client), KCLIENT_CALLS);
		if (!client.multi)
			assert_int_equal(kclient_open(&client, &loop, &credentials, &e), 0);
	}
}

static void closing_ends_everything_in_silence(void **state)
{
	struct seen s[3];

	(void)state;
	(void)get(&s[0], "/a");
	fake_curl_body(get(&s[1], "/b"), "x", 1);
	struct kclient_request q = {.method = "GET", .path = "/c", .done = on_done, .arg = &s[2]};
	assert_true(kclient_call(&client, &q, &e) > 0);
	kclient_close(&client);
	kclient_close(&client);
	pass_ms(60000);
	assert_int_equal(s[0].done + s[1].done, 0);
	assert_int_equal(fake_curl_handles + fake_curl_multis + fake_curl_globals, 0);
	assert_int_equal(kclient_call(&client, &q, &e), 0);
	assert_string_equal(e.text, "API call: the client is closed");
}

static void places_are_bounded(void **state)
{
	static struct seen s[KCLIENT_CALLS];
	struct kclient_request q = {.method = "GET", .path = "/more", .done = on_done};

	(void)state;
	for (size_t i = 0; i < KCLIENT_CALLS; i++) {
		assert_int_equal(kclient_free(&client), KCLIENT_CALLS - i);
		(void)get(&s[i], "/a");
	}
	q.body = strdup("given");
	q.give_body = true;
	assert_int_equal(kclient_call(&client, &q, &e), 0);
	assert_int_equal(e.code, ENOSPC);
	kclient_cancel(&client, s[3].id);
	q.body = NULL;
	assert_true(kclient_call(&client, &q, &e) > 0);
	s[7].then = start_second; /* its own place is free again when done is called */
	fake_curl_answer(client.slot[7].easy, 200, "");
	settle();
	assert_int_equal(s[7].done, 1);
	assert_true(second.id > 0);
}

static void paths_are_checked(void **state)
{
	static char large[KCLIENT_PATH + 1] = "/";
	static const char *const paths[] = {"", "api", "/a b", "/a\r\nX: y", large};

	(void)state;
	memset(large + 1, 'x', sizeof(large) - 2);
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		struct kclient_request q = {.method = "GET", .path = paths[i], .done = on_done};
		assert_int_equal(kclient_call(&client, &q, &e), 0);
		assert_int_equal(e.code, EINVAL);
	}
	large[KCLIENT_PATH - 1] = '\0';
	struct seen s;
	struct fake_curl *f = get(&s, large);
	assert_int_equal(strlen(f->url), strlen(credentials.server) + KCLIENT_PATH - 1);
}

static void a_given_body_is_freed(void **state)
{
	struct seen s[2] = {{0}};

	(void)state;
	struct kclient_request q = {.method = "PUT", .path = "/a", .type = "a/b", .give_body = true, .body_len = 5};
	q.body = strdup("first");
	struct fake_curl *f = start(&s[0], q);
	assert_memory_equal(f->body, "first", 5);
	fake_curl_answer(f, 200, "");
	settle();
	q.body = strdup("other");
	(void)start(&s[1], q);
	kclient_cancel(&client, s[1].id); /* the sanitizer tells if either is left */
}

static void sockets_are_watched(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fake_curl_watch(fds[0], CURL_POLL_OUT), 0);
	assert_int_equal(fake_curl_watch(fds[0], CURL_POLL_IN), 0); /* the same one, other events */
	assert_int_equal(write(fds[1], "x", 1), 1);
	fake_curl_fd = -1;
	settle();
	assert_int_equal(fake_curl_fd, fds[0]);
	assert_int_equal(fake_curl_what, CURL_CSELECT_IN);
	(void)close(fds[1]);
	settle();
	assert_int_equal(fake_curl_what, CURL_CSELECT_IN | CURL_CSELECT_ERR);
	assert_int_equal(fake_curl_watch(fds[0], CURL_POLL_REMOVE), 0);
	fake_curl_fd = -1;
	settle();
	assert_int_equal(fake_curl_fd, -1);
	(void)close(fds[0]);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fake_curl_watch(fds[1], CURL_POLL_INOUT), 0);
	settle();
	assert_int_equal(fake_curl_what, CURL_CSELECT_OUT);
	assert_int_equal(fake_curl_watch(fds[1], CURL_POLL_REMOVE), 0);
	(void)close(fds[0]);
	(void)close(fds[1]);
	assert_int_equal(fake_curl_watch(-1, CURL_POLL_IN), -1); /* curl hears of what the loop cannot do */
}

static void curls_timer_is_kept(void **state)
{
	(void)state;
	fake_curl_fd = 99;
	fake_curl_timer(50);
	pass_ms(49);
	assert_int_equal(fake_curl_fd, 99);
	pass_ms(1);
	assert_int_equal(fake_curl_fd, CURL_SOCKET_TIMEOUT);
	fake_curl_fd = 99;
	fake_curl_timer(50);
	fake_curl_timer(-1);
	pass_ms(100);
	assert_int_equal(fake_curl_fd, 99);
}

/* One complete call with the n-th chance of failure used: either it says so at once, or done does. */
static bool torture(unsigned n)
{
	struct seen s = {0};
	struct kclient_request q = {.method = "PUT",
	                            .path = "/a",
	                            .type = "a/b",
	                            .etag = "x",
	                            .give_body = true,
	                            .body_len = 4,
	                            .done = on_done,
	                            .arg = &s};

	kclient_close(&client);
	e = (struct err){0};
	fake_curl_fail_at(n);
	if (kclient_open(&client, &loop, &credentials, &e) == 0) {
		q.body = strdup("body");
		s.id = kclient_call(&client, &q, &e);
		settle();
		struct fake_curl *f = fake_curl_find("/a");
		if (f)
			fake_curl_answer(f, 200, "ok");
		settle();
		assert_int_equal(s.done, s.id > 0);
		assert_int_equal(s.id > 0 && s.fault == KCLIENT_OK, !fake_curl_fired());
		assert_int_equal(kclient_free(&client), KCLIENT_CALLS);
	}
	assert_int_equal(fake_curl_fired(), e.code != 0 || s.fault == KCLIENT_MEMORY);
	return fake_curl_fired();
}

static void every_failure_is_survived(void **state)
{
	unsigned n = 1;

	(void)state;
	while (torture(n))
		n++;
	assert_true(n > 30);
}

static void giving_up_survives_failure(void **state)
{
	struct seen s = {0}, late;

	(void)state;
	(void)start(&s, (struct kclient_request){.path = "/a", .timeout_ms = 500});
	fake_curl_fail_at(1);
	pass_ms(500);
	assert_true(fake_curl_fired());
	assert_int_equal(s.fault, KCLIENT_TIMEOUT);
	assert_int_equal(fake_curl_made, 1);
	fake_curl_answer(get(&late, "/b"), 200, "");
	settle();
	assert_int_equal(late.done, 1);
}

static void opening_twice_is_refused(void **state)
{
	(void)state;
	assert_int_equal(kclient_open(&client, &loop, &credentials, &e), -1);
	assert_int_equal(e.code, EBUSY);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_request_is_what_was_asked_for),
		T(an_answer_is_handed_over_once),
		T(headers_that_make_no_sense_are_ignored),
		T(every_way_to_fail_has_its_name),
		T(a_body_has_its_bound),
		T(a_stream_gives_lines),
		T(half_a_line_of_a_broken_stream_is_nothing),
		T(a_refused_stream_gives_a_body),
		T(a_line_has_its_bound),
		T(a_call_times_out),
		T(a_stream_times_out_by_silence),
		T(a_call_times_out_as_a_whole),
		T(a_silent_connection_is_given_up),
		T(a_connection_that_speaks_is_kept),
		T(cancelled_calls_are_silent),
		T(others_are_cancelled_from_a_line),
		T(the_last_line_may_cancel_too),
		T(callbacks_start_calls),
		T(callbacks_close_and_open),
		T(time_outs_close_and_open),
		T(closing_ends_everything_in_silence),
		T(places_are_bounded),
		T(paths_are_checked),
		T(a_given_body_is_freed),
		T(sockets_are_watched),
		T(curls_timer_is_kept),
		T(every_failure_is_survived),
		T(giving_up_survives_failure),
		T(opening_twice_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
