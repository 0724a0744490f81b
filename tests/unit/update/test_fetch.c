/* init/update/fetch.c, over tests/fake/curl and a clock by hand. The real libraries: tests/fetch. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/curl.h"
#include "fake/sys.h"
#include "update/fetch.h"

#define MANY 64

static struct fetch fetch;
static struct fetch_config config;
static struct err e;
static char body[FETCH_PIECE];

/* What the caller asks and sees. */
static struct {
	struct fetch_file file;
	unsigned ranges, asked, ticks;
	uint64_t bytes;
	unsigned waits, goes;
	struct fetch_wait last;
	char why[128];
	int64_t data_takes_ms;
	unsigned stop_at; /* tick */
} seen;

/* The world: called instead of waiting. */
static void (*world)(void);
static unsigned polls;
static int64_t waited[MANY]; /* lengths of the waits while nothing flew */
static unsigned waits;
static unsigned most; /* flights at a time */

static bool on_next(struct fetch_range *r, void *arg)
{
	(void)arg;
	if (seen.asked == seen.ranges)
		return false;
	*r = (struct fetch_range){.offset = seen.asked * 1000, .length = 1000, .tag = seen.asked};
	seen.asked++;
	return true;
}

static int on_data(const struct fetch_range *r, uint64_t at, const void *data, size_t len, void *arg, struct err *why)
{
	(void)data, (void)arg, (void)why;
	assert_true(at >= r->offset && at + len <= r->offset + 1000 && r->offset == r->tag * 1000);
	seen.bytes += len;
	fake_clock_ms += seen.data_takes_ms;
	return 0;
}

static bool on_tick(void *arg)
{
	(void)arg;
	return ++seen.ticks != seen.stop_at;
}

static void on_wait(const struct fetch_wait *w, void *arg)
{
	(void)arg;
	seen.waits += w->waiting;
	seen.goes += !w->waiting;
	seen.last = *w;
	(void)snprintf(seen.why, sizeof(seen.why), "%s", w->why);
}

/* A wait may not be longer than a second, whatever comes. */
static void on_poll(int ms)
{
	unsigned flying = fake_curl_count_text("");

	assert_in_range(ms, 0, 1000);
	assert_true(++polls < 100000);
	most = flying > most ? flying : most;
	if (flying == 0 && waits < MANY)
		waited[waits] += ms;
	fake_clock_ms += ms;
	world();
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_clock_ms = 1000;
	memset(&seen, 0, sizeof(seen));
	memset(waited, 0, sizeof(waited));
	polls = waits = most = 0;
	fake_curl_on_poll = on_poll;
	fake_curl_made = 0;
	(void)!str_copy(seen.file.url, sizeof(seen.file.url), "http://h/f");
	config = (struct fetch_config){.stop_fd = -1, .on_wait = on_wait, .tick = on_tick};
	err_clear(&e);
	return fetch_open(&fetch, &config, &e);
}

static int teardown(void **state)
{
	(void)state;
	fetch_close(&fetch);
	fetch_close(&fetch); /* once more does no harm */
	fake_curl_fail_at(0);
	return (int)(fake_curl_handles + fake_curl_lists + fake_curl_multis + fake_curl_globals);
}

static void reopen(void)
{
	fetch_close(&fetch);
	assert_int_equal(fetch_open(&fetch, &config, &e), 0);
}

static int ranges(unsigned n)
{
	struct fetch_job j = {&seen.file, on_next, on_data, NULL};

	seen.ranges = n;
	seen.asked = 0;
	return fetch_ranges(&fetch, &j, &e);
}

/* The answer to what is asked, or a part of its body. */
static void answer(struct fake_curl *f, size_t len, CURLcode code)
{
	unsigned long long first, last;
	char head[160];

	assert_int_equal(sscanf(f->headers, "Range: bytes=%llu-%llu", &first, &last), 2);
	assert_int_equal(str_format(head, sizeof(head),
	                            "HTTP/1.1 206 P\r\nContent-Range: bytes %llu-%llu/900000\r\nETag: \"x\"\r\n\r\n",
	                            first, last),
	                 0);
	fake_curl_head(f, 206, head);
	fake_curl_body(f, body, len < last - first + 1 ? len : (size_t)(last - first + 1));
	fake_curl_end(f, code, NULL);
}

static void refuse(struct fake_curl *f, int status, const char *after)
{
	char head[160];

	assert_int_equal(str_format(head, sizeof(head), "HTTP/1.1 %d No\r\n%s\r\n", status, after), 0);
	fake_curl_head(f, status, head);
	fake_curl_end(f, CURLE_OK, NULL);
}

static void all_well(void)
{
	for (struct fake_curl *f; (f = fake_curl_find_text(""));) {
		f->http_version = CURL_HTTP_VERSION_1_1;
		answer(f, 1000, CURLE_OK);
	}
}

static void nothing_comes(void)
{
}

static void all_fall(void)
{
	if (!fake_curl_find_text(""))
		return;
	waits += polls > 1;
	for (struct fake_curl *f; (f = fake_curl_find_text(""));)
		fake_curl_end(f, CURLE_COULDNT_CONNECT, "nobody there");
}

static void four_connections_of_http_1(void **state)
{
	(void)state;
	world = all_well;
	assert_int_equal(ranges(30), 0);
	assert_int_equal(seen.bytes, 30000);
	assert_int_equal(seen.file.size, 900000);
	assert_string_equal(seen.file.etag, "\"x\"");
	assert_int_equal(fetch.count.requests, 30);
	assert_int_equal(seen.waits + seen.goes, 0);
}

/* How wide it is, is known when bytes of the first answer are here, not when it has ended. */
static void half_first(void)
{
	static const char head[] = "HTTP/1.1 206 P\r\nContent-Range: bytes 0-999/900000\r\n\r\n";
	struct fake_curl *f = fake_curl_find_text("bytes=0-999");

	for (struct fake_curl *other; polls > 2 && (other = fake_curl_find_text("bytes=")) && other != f;)
		answer(other, 1000, CURLE_OK);
	if (polls > 20 && f)
		fake_curl_end(f, CURLE_OK, NULL);
	if (polls == 20)
		fake_curl_body(f, body, 500);
	if (polls != 1)
		return;
	f->http_version = CURL_HTTP_VERSION_2_0;
	fake_curl_head(f, 206, head);
	fake_curl_body(f, body, 500);
}

static void many_over_http_2(void **state)
{
	(void)state;
	world = half_first;
	assert_int_equal(ranges(40), 0);
	assert_int_equal(seen.bytes, 40000);
	assert_int_equal(most, FETCH_FLIGHTS);
}

static unsigned failures_left;

static void some_fall(void)
{
	if (!fake_curl_find_text(""))
		return;
	if (failures_left == 0) {
		all_well();
		return;
	}
	failures_left--;
	all_fall();
}

/* The waits grow, to a minute; no two tries follow each other at once. */
static void waits_grow(void **state)
{
	int64_t longest = 0;

	(void)state;
	world = some_fall;
	failures_left = 40;
	assert_int_equal(ranges(3), 0);
	assert_int_equal(seen.bytes, 3000);
	assert_int_equal(fetch.count.requests, 43);
	assert_int_equal(fetch.count.retries, 40);
	for (unsigned i = 0; i < 40; i++) {
		int64_t cap = i < 7 ? FETCH_BASE_MS << i : FETCH_CAP_MS;
		if (waited[i] == 0 && i == 39)
			break;
		assert_in_range(waited[i], FETCH_FLOOR_MS, cap);
		longest = waited[i] > longest ? waited[i] : longest;
	}
	assert_true(longest > 20000); /* 30 of them up to a minute: one in 10^15 is not */
	assert_int_equal(seen.waits, 40);
	assert_int_equal(seen.goes, 1);
	assert_false(seen.last.waiting);
}

static void what_is_told(void **state)
{
	(void)state;
	world = some_fall;
	failures_left = 3;
	seen.stop_at = UINT32_MAX;
	assert_int_equal(ranges(1), 0);
	assert_int_equal(seen.waits, 3);
	failures_left = 1000;
	seen.ticks = 0;
	seen.stop_at = 30;
	assert_int_equal(ranges(1), -1);
	assert_int_equal(e.code, ECANCELED);
	assert_true(seen.last.waiting && seen.last.tries > 1 && seen.last.next_ms > seen.last.since_ms);
	assert_string_equal(seen.why, "http://h: nobody there");
}

/* All that flew have fallen: one of them tries, and the others wait for it, until it brings bytes. */
static unsigned tried;
static struct fake_curl *half;

static void fall_all(void)
{
	for (struct fake_curl *f; (f = fake_curl_find_text(""));)
		fake_curl_end(f, CURLE_RECV_ERROR, "gone");
}

static void begin_half(struct fake_curl *f)
{
	unsigned long long first;
	char head[128];

	assert_int_equal(sscanf(f->headers, "Range: bytes=%llu-", &first), 1);
	assert_int_equal(str_format(head, sizeof(head),
	                            "HTTP/1.1 206 P\r\nContent-Range: bytes %llu-%llu/900000\r\n\r\n", first,
	                            first + 999),
	                 0);
	fake_curl_head(f, 206, head);
	fake_curl_body(f, body, 500);
	half = f;
}

static void one_tries_for_all(void)
{
	unsigned flying = fake_curl_count_text("");

	if (half && flying > 1) { /* it has opened the way */
		fake_curl_body(half, body, 500);
		fake_curl_end(half, CURLE_OK, NULL);
		half = NULL;
		tried = 99;
	}
	if (polls <= 1 || tried == 99)
		all_well();
	else if (tried == 0 && flying == FETCH_CONNECTIONS)
		fall_all();
	else if (flying > 0 && !half)
		assert_int_equal(flying, 1);
	if (polls <= 1 || tried == 99 || flying == 0)
		return;
	if (++tried == 4) /* it has been in the air for some turns */
		fall_all();
	else if (tried == 8)
		begin_half(fake_curl_find_text(""));
	assert_true(tried < 20);
}

static void they_fall_together(void **state)
{
	(void)state;
	world = one_tries_for_all;
	tried = 0;
	half = NULL;
	assert_int_equal(ranges(10), 0);
	assert_int_equal(seen.bytes, 10000);
	assert_int_equal(most, FETCH_CONNECTIONS);
	assert_int_equal(seen.waits, 2);
	assert_int_equal(seen.goes, 1);
	assert_int_equal(fetch.count.retries, 1 + FETCH_CONNECTIONS);
}

static void asks_for_time(void)
{
	struct fake_curl *f = fake_curl_find_text("");

	if (!f)
		return;
	waits++;
	if (failures_left-- > 0)
		refuse(f, 503, "Retry-After: 120\r\n");
	else
		all_well();
}

static void retry_after(void **state)
{
	(void)state;
	world = asks_for_time;
	failures_left = 2;
	assert_int_equal(ranges(1), 0);
	assert_in_range(waited[1], 120000, 121000);
	assert_in_range(waited[2], 120000, 121000);
}

/* Nothing comes any more: after half a minute it is lost, and its connection with it. */
static void silent_at_first(void)
{
	if (fake_clock_ms < 1000 + FETCH_STALL_MS)
		return;
	if (fake_curl_made > 1)
		all_well();
}

static void silence(void **state)
{
	(void)state;
	world = silent_at_first;
	assert_int_equal(ranges(2), 0);
	assert_int_equal(seen.bytes, 2000);
	assert_int_equal(fake_curl_made, 2);
	assert_int_equal(fetch.count.retries, 1);
	assert_string_equal(seen.last.waiting ? "waiting" : "going", "going");
	assert_true(fake_clock_ms < 1000 + FETCH_STALL_MS + 3000);
}

/* One of them stands still while others bring bytes: the connections stay. */
static void one_is_silent(void)
{
	struct fake_curl *still = fetch.count.retries == 0 ? fake_curl_find_text("bytes=1000-1999") : NULL;

	for (struct fake_curl *f; (f = fake_curl_find_text("bytes="));) {
		if (f == still)
			f->ending = true; /* not found any more for a moment */
		else
			answer(f, 1000, CURLE_OK);
	}
	if (still)
		still->ending = false;
}

static void one_stands_still(void **state)
{
	(void)state;
	world = one_is_silent;
	assert_int_equal(ranges(200), 0);
	assert_int_equal(seen.bytes, 200000);
	assert_int_equal(fetch.count.retries, 1);
	assert_int_equal(fake_curl_made, 1);
}

/* A stick that takes a minute for a piece is no fault of the server. */
static void slow_caller(void **state)
{
	(void)state;
	world = all_well;
	seen.data_takes_ms = 3 * FETCH_STALL_MS;
	assert_int_equal(ranges(12), 0);
	assert_int_equal(fetch.count.retries, 0);
	assert_int_equal(seen.bytes, 12000);
}

static void patience(void **state)
{
	(void)state;
	config.give_up_ms = 5000;
	reopen();
	world = nothing_comes;
	assert_int_equal(ranges(1), -1);
	assert_int_equal(e.code, ETIMEDOUT);
	assert_string_equal(e.text, "http://h: no answer in time");
	assert_in_range(fake_clock_ms, 6000, 6100);
	world = all_fall;
	assert_int_equal(ranges(1), -1);
	assert_int_equal(e.code, ETIMEDOUT);
	assert_string_equal(e.text, "http://h: nobody there");
}

static void stopped(void **state)
{
	int fds[2];

	(void)state;
	world = nothing_comes;
	seen.stop_at = 3;
	assert_int_equal(ranges(1), -1);
	assert_int_equal(e.code, ECANCELED);
	assert_in_range(fake_clock_ms, 1000, 4000);
	assert_int_equal(pipe(fds), 0);
	config.stop_fd = fds[0];
	reopen();
	assert_int_equal(close(fds[1]), 0); /* hung up: whoever could stop us is gone */
	assert_int_equal(ranges(1), -1);
	assert_int_equal(e.code, ECANCELED);
	assert_int_equal(close(fds[0]), 0);
}

static void not_there(void)
{
	refuse(fake_curl_find_text(""), 404, "");
}

static void final_errors(void **state)
{
	struct fetch_job j = {&seen.file, NULL, on_data, NULL};
	char text[8];
	struct buf b;

	(void)state;
	world = not_there;
	assert_int_equal(ranges(1), -1);
	assert_int_equal(e.code, ENOENT);
	assert_string_equal(e.text, "http://h: answer 404: the file is not there");
	buf_init(&b, text, sizeof(text));
	assert_int_equal(fetch_get(&fetch, "ftp://h/x", &b, &e), -1);
	assert_int_equal(e.code, EPROTONOSUPPORT);
	assert_int_equal(fetch_get(&fetch, "https://h/x", &b, &e), -1);
	assert_int_equal(e.code, EINVAL);
	assert_string_equal(e.text, "https://h: no authorities for https are known here");
	buf_init(&b, text, 0);
	assert_int_equal(fetch_get(&fetch, "http://h/x", &b, &e), -1);
	assert_int_equal(e.code, EFBIG);
	seen.file.size = 100;
	assert_int_equal(fetch_whole(&fetch, &j, 100, &e), 0); /* nothing is left to read */
	assert_int_equal(ranges(0), 0);
	fetch_close(&fetch);
	assert_int_equal(ranges(1), -1);
}

static bool endless(struct fetch_range *r, void *arg)
{
	*r = *(const struct fetch_range *)arg;
	return true;
}

static void strange_ranges(void **state)
{
	static struct fetch_range bad[] = {{0, 0, 0}, {UINT64_MAX, 1, 0}, {1, INT64_MAX, 0}, {0, UINT64_MAX, 0}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct fetch_job j = {&seen.file, endless, on_data, &bad[i]};
		assert_int_equal(fetch_ranges(&fetch, &j, &e), -1);
		assert_int_equal(e.code, EINVAL);
	}
}

static void document(void)
{
	struct fake_curl *f = fake_curl_find_text("");

	if (!f)
		return;
	if (failures_left > 0) {
		failures_left--;
		fake_curl_head(f, 200, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
		fake_curl_body(f, "ha", 2);
		fake_curl_end(f, CURLE_PARTIAL_FILE, "cut");
		return;
	}
	fake_curl_head(f, 200, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
	fake_curl_body(f, "text", 4);
	fake_curl_end(f, CURLE_OK, NULL);
}

static void documents(void **state)
{
	char text[16];
	struct buf b;

	(void)state;
	world = document;
	failures_left = 2;
	buf_init(&b, text, sizeof(text));
	buf_add(&b, "a ");
	assert_int_equal(fetch_get(&fetch, "http://h/x", &b, &e), 0);
	assert_string_equal(text, "a text");
	assert_int_equal(fetch.count.body, 8);
	buf_init(&b, text, 6);
	buf_add(&b, "a ");
	assert_int_equal(fetch_get(&fetch, "http://h/x", &b, &e), -1);
	assert_int_equal(e.code, EFBIG);
	assert_string_equal(text, "a ");
}

/* Every call of libcurl that can fail does so once: an error and nothing left behind, or it does not matter. */
static void torture(void **state)
{
	unsigned n = 1;

	(void)state;
	for (;; n++) {
		fetch_close(&fetch);
		assert_int_equal(fake_curl_handles + fake_curl_lists + fake_curl_multis + fake_curl_globals, 0);
		world = some_fall;
		failures_left = 1;
		seen.bytes = 0;
		seen.file.size = 0;
		err_clear(&e);
		fake_curl_fail_at(n);
		int rc = fetch_open(&fetch, &config, &e) < 0 ? -1 : ranges(6);
		if (rc < 0)
			assert_int_equal(e.code, ENOMEM);
		else
			assert_int_equal(seen.bytes, 6000);
		if (!fake_curl_fired())
			break;
	}
	assert_true(n > 50);
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		ROW(four_connections_of_http_1),
		ROW(many_over_http_2),
		ROW(waits_grow),
		ROW(what_is_told),
		ROW(they_fall_together),
		ROW(retry_after),
		ROW(silence),
		ROW(one_stands_still),
		ROW(slow_caller),
		ROW(patience),
		ROW(stopped),
		ROW(final_errors),
		ROW(strange_ranges),
		ROW(documents),
		ROW(torture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
