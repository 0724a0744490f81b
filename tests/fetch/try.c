/* The real reader, with the real libraries, against the servers of this folder: prints a line per case and what failed.
 * try FOLDER HTTP HTTPS HTTP2: where ca.pem is, and the servers' addresses. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "update/fetch.h"

#define SIZE  100000
#define LARGE (8 << 20)
#define MANY  200

static struct fetch fetch;
static struct fetch_config config;
static char folder[LIMIT_PATH], ca_file[LIMIT_PATH], ca_pem[8192];
static const char *http, *https, *http2;
static unsigned failures;
static const char *running;

#define CHECK(holds)                                                                                                   \
	do {                                                                                                           \
		if (!(holds)) {                                                                                        \
			printf("%s:%d: %s: does not hold: %s\n", __FILE__, __LINE__, running, #holds);                 \
			failures++;                                                                                    \
		}                                                                                                      \
	} while (0)

/* One read: what is asked, and what came. */
static struct seen {
	struct fetch_file file;
	struct fetch_range range[MANY];
	unsigned ranges, asked;
	uint64_t bytes;      /* all pieces together */
	uint64_t next[MANY]; /* by tag: where the next piece must begin */
	uint64_t refuse_at;  /* the caller's function fails behind that many bytes */
	int stop_pipe;       /* > 0: written to with the first piece */
	unsigned tick_ends;  /* at this one; 0: never */
	unsigned ticks, waits, goes;
	uint64_t took_ms;
	char why[ERR_TEXT];
	int code;
	struct fetch_count count; /* of this read alone */
} seen;

static bool on_next(struct fetch_range *r, void *arg)
{
	(void)arg;
	if (seen.asked == seen.ranges)
		return false;
	*r = seen.range[seen.asked];
	r->tag = seen.asked++;
	seen.next[r->tag] = r->offset;
	return true;
}

static int on_data(const struct fetch_range *r, uint64_t at, const void *data, size_t len, void *arg, struct err *e)
{
	const unsigned char *p = data;
	bool right = true;

	(void)arg;
	for (size_t i = 0; i < len; i++)
		right = right && p[i] == (unsigned char)((at + i) * 7 + (at + i) / 256);
	CHECK(right);
	CHECK(at == seen.next[r->tag] && len > 0 && len <= FETCH_PIECE);
	CHECK(len == FETCH_PIECE || r->length == 0 || at + len == r->offset + r->length);
	seen.next[r->tag] = at + len;
	seen.bytes += len;
	if (seen.stop_pipe > 0)
		CHECK(write(seen.stop_pipe, "x", 1) == 1);
	if (seen.refuse_at && seen.bytes >= seen.refuse_at)
		return err_set(e, EPERM, "the disk is full");
	return 0;
}

static bool on_tick(void *arg)
{
	(void)arg;
	seen.ticks++;
	return seen.ticks != seen.tick_ends;
}

static void on_wait(const struct fetch_wait *w, void *arg)
{
	(void)arg;
	if (!w->waiting) {
		seen.goes++;
		return;
	}
	CHECK(w->why[0] && w->since_ms <= clock_ms() && w->next_ms >= w->since_ms && w->tries > 0);
	seen.waits++;
}

static void again(void)
{
	struct err e = {0};

	fetch_close(&fetch);
	if (fetch_open(&fetch, &config, &e) < 0) {
		printf("%s\n", e.text);
		exit(2);
	}
}

static void settings(void)
{
	config = (struct fetch_config){
		.ca_file = ca_file,
		.stop_fd = -1,
		.tick = on_tick,
		.on_wait = on_wait,
		.stall_ms = 5000, /* a busy machine is none that stalls */
		.stall_bytes = 500,
		.connect_ms = 2000,
		.base_ms = 40,
		.cap_ms = 100,
	};
}

/* A read of its own: nothing asked yet. */
static void fresh(const char *fmt, ...)
{
	va_list ap;

	memset(&seen, 0, sizeof(seen));
	va_start(ap, fmt);
	(void)vsnprintf(seen.file.url, sizeof(seen.file.url), fmt, ap);
	va_end(ap);
}

static void want(uint64_t offset, uint64_t length)
{
	seen.range[seen.ranges++] = (struct fetch_range){.offset = offset, .length = length};
}

static void note(int rc, const struct err *e, uint64_t began, const struct fetch_count *before)
{
	seen.took_ms = clock_ms() - began;
	seen.code = rc < 0 ? e->code : 0;
	(void)snprintf(seen.why, sizeof(seen.why), "%s", rc < 0 ? e->text : "");
	seen.count = (struct fetch_count){
		.body = fetch.count.body - before->body,
		.headers = fetch.count.headers - before->headers,
		.sent = fetch.count.sent - before->sent,
		.requests = fetch.count.requests - before->requests,
		.connections = fetch.count.connections - before->connections,
		.redirects = fetch.count.redirects - before->redirects,
		.retries = fetch.count.retries - before->retries,
	};
	if (rc < 0)
		printf("  %s: %s (%d, %llu ms)\n", running, e->text, e->code, (unsigned long long)seen.took_ms);
}

static void ranges(void)
{
	struct fetch_job j = {&seen.file, on_next, on_data, NULL};
	struct fetch_count before = fetch.count;
	uint64_t began = clock_ms();
	struct err e = {0};

	note(fetch_ranges(&fetch, &j, &e), &e, began, &before);
}

static void whole(uint64_t offset)
{
	struct fetch_job j = {&seen.file, NULL, on_data, NULL};
	struct fetch_count before = fetch.count;
	uint64_t began = clock_ms();
	struct err e = {0};

	seen.next[0] = offset;
	note(fetch_whole(&fetch, &j, offset, &e), &e, began, &before);
}

static const char *get(size_t room, const char *fmt, ...)
{
	static char text[SIZE + 1];
	struct fetch_count before = fetch.count;
	uint64_t began = clock_ms();
	char url[URL_MAX];
	struct err e = {0};
	struct buf b;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(url, sizeof(url), fmt, ap);
	va_end(ap);
	buf_init(&b, text, room + 1);
	note(fetch_get(&fetch, url, &b, &e), &e, began, &before);
	CHECK(seen.code == 0 || b.len == 0);
	seen.bytes = b.len;
	return text;
}

/* What the server was asked under this id. */
static const char *asked(const char *id)
{
	struct seen was = seen;
	const char *text = get(SIZE, "%s/log?id=%s", http, id);

	seen = was;
	return text;
}

static void all(void)
{
	want(0, SIZE);
	ranges();
	CHECK(seen.code == 0 && seen.bytes == SIZE);
}

static void case_document(void)
{
	const char *text = get(5000, "%s/file?size=5000&id=doc", http);

	CHECK(seen.code == 0 && seen.bytes == 5000 && text[1] == 7 && seen.count.requests == 1);
	CHECK(str_eq(asked("doc") + 2, "- -\n") || strstr(asked("doc"), " - -\n"));
	(void)get(4999, "%s/file?size=5000", http);
	CHECK(seen.code == EFBIG && seen.count.body < 5000);
	(void)get(4999, "%s/file?size=5000&chunked=1", http);
	CHECK(seen.code == EFBIG);
	(void)get(5000, "%s/file?size=5000&chunked=1", http);
	CHECK(seen.code == 0 && seen.bytes == 5000);
	(void)get(100, "%s/file?size=0", http);
	CHECK(seen.code == 0 && seen.bytes == 0);
	(void)get(5000, "%s/file?size=5000&cut=3000&id=doccut", http);
	CHECK(seen.code == 0 && seen.bytes == 5000 && seen.count.requests == 2 && seen.count.body == 8000);
	(void)get(5000, "%s/file?size=5000&encoding=gzip", http);
	CHECK(seen.code == EBADMSG);
}

static void case_ranges(void)
{
	fresh("%s/file?id=ranges", http);
	want(70000, 1);
	want(0, 70000);
	want(SIZE - 5, 5);
	want(4096, 4096);
	want(3, 65536);
	ranges();
	CHECK(seen.code == 0 && seen.bytes == 1 + 70000 + 5 + 4096 + 65536);
	CHECK(seen.file.size == SIZE && str_eq(seen.file.etag, "\"one\"") && seen.waits == 0);
	CHECK(seen.count.requests == 5 && seen.count.body == seen.bytes && seen.count.headers > 400);
	CHECK(seen.count.sent > 500 && seen.count.connections <= FETCH_CONNECTIONS);
	const char *log = asked("ranges");
	CHECK(strstr(log, " bytes=70000-70000 -\n") && strstr(log, " bytes=0-69999 \"one\"\n"));
	CHECK(strstr(log, " bytes=99995-99999 \"one\"\n"));
}

static void case_many(void)
{
	again();
	fresh("%s/file?id=many", http);
	for (unsigned i = 0; i < MANY; i++)
		want(i * 400, 400);
	ranges();
	CHECK(seen.code == 0 && seen.bytes == MANY * 400 && seen.count.requests == MANY);
	printf("  %u ranges over %llu connections\n", MANY, (unsigned long long)seen.count.connections);
	CHECK(seen.count.connections >= 2 && seen.count.connections <= FETCH_CONNECTIONS);
	uint64_t before = fetch.count.connections;
	fresh("%s/file?id=many2", http); /* they are kept */
	all();
	CHECK(fetch.count.connections == before);
}

static void case_cut(void)
{
	fresh("%s/file?id=cut&cut=30001&times=2", http);
	all();
	const char *log = asked("cut");
	CHECK(strstr(log, " bytes=0-99999 -\n") && strstr(log, " bytes=30001-99999 \"one\"\n"));
	CHECK(strstr(log, " bytes=60002-99999 \"one\"\n") && seen.count.requests == 3 && seen.count.retries == 2);
	CHECK(seen.waits == 2 && seen.goes == 2 && seen.count.body == SIZE);
	fresh("%s/file?id=drop&drop=1&times=3", http);
	all();
	CHECK(seen.waits > 0 && seen.goes == 1);
	fresh("%s/file?id=cutmany&cut=100&times=9", http);
	for (unsigned i = 0; i < 20; i++)
		want(i * 5000, 5000);
	ranges();
	CHECK(seen.code == 0 && seen.bytes == SIZE && seen.count.body == SIZE);
}

static void case_silence(void)
{
	config.stall_ms = 300;
	again();
	fresh("%s/file?id=stall&stall=1000", http);
	all();
	CHECK(strstr(asked("stall"), " bytes=1000-99999 \"one\"\n") && seen.took_ms >= 300 && seen.took_ms < 3000);
	fresh("%s/file?id=mute&mute=1", http);
	all();
	CHECK(seen.took_ms >= 300 && seen.took_ms < 3000 && seen.waits >= 1 && seen.goes == 1);
	fresh("%s/file?id=drip&drip=20", http);
	all();
	CHECK(seen.took_ms < 3000 && seen.count.requests >= 2 && seen.count.body == SIZE);
	/* Slow, but within what is allowed. */
	config.stall_ms = 5000;
	config.stall_bytes = 50;
	again();
	fresh("%s/file?id=slow&drip=1&size=700", http);
	want(0, 700);
	ranges();
	CHECK(seen.code == 0 && seen.bytes == 700 && seen.count.requests == 1);
}

static void case_lies(void)
{
	static const char *const spans[] = {"first", "last", "star", "junk", "none", "twice"};

	for (size_t i = 0; i < COUNT_OF(spans); i++) {
		fresh("%s/file?span=%s", http, spans[i]);
		want(100, 1000);
		ranges();
		CHECK(seen.code == EBADMSG && seen.bytes == 0 && seen.count.requests == 1);
	}
	fresh("%s/file?span=total", http);
	seen.file.size = SIZE;
	want(100, 1000);
	ranges();
	CHECK(seen.code == ESTALE && seen.bytes == 0);
	for (int wrong = -1; wrong <= 1; wrong += 2) {
		fresh("%s/file?length=%d", http, wrong);
		want(100, 1000);
		ranges();
		CHECK(seen.code == EBADMSG && seen.bytes == 0);
		fresh("%s/file?body=%d", http, wrong * 5);
		want(100, 70000);
		ranges();
		CHECK(seen.code == EBADMSG && seen.bytes <= 70000);
	}
	fresh("%s/file?encoding=gzip", http);
	want(0, 100);
	ranges();
	CHECK(seen.code == EBADMSG);
	fresh("%s/file?x", http); /* more than there is */
	want(SIZE - 10, 20);
	ranges();
	CHECK(seen.code == EBADMSG);
	fresh("%s/file?x", http);
	want(SIZE, 20);
	ranges();
	CHECK(seen.code == EBADMSG);
}

static void case_no_ranges(void)
{
	fresh("%s/file?norange=1", http);
	want(0, 1000);
	ranges();
	CHECK(seen.code == EOPNOTSUPP && seen.bytes == 0 && seen.count.body < SIZE);
	whole(0);
	CHECK(seen.code == 0 && seen.bytes == SIZE && seen.file.size == SIZE);
	fresh("%s/file?norange=1&id=skip&cut=90000&times=1", http);
	whole(5000);
	CHECK(seen.code == 0 && seen.bytes == SIZE - 5000 && seen.count.body == SIZE + 90000);
}

static void case_whole(void)
{
	fresh("%s/file?id=whole", http);
	whole(0);
	CHECK(seen.code == 0 && seen.bytes == SIZE && seen.file.size == SIZE && seen.count.requests == 1);
	CHECK(strstr(asked("whole"), " - -\n"));
	fresh("%s/file?id=rest&cut=20000&times=2", http);
	whole(10000);
	CHECK(seen.code == 0 && seen.bytes == SIZE - 10000 && seen.count.body == seen.bytes);
	CHECK(strstr(asked("rest"), " bytes=10000- -\n") && strstr(asked("rest"), " bytes=50000- \"one\"\n"));
	fresh("%s/file?chunked=1", http); /* nobody knows how long it is */
	whole(0);
	CHECK(seen.code == 0 && seen.bytes == SIZE && seen.file.size == SIZE);
	fresh("%s/file?chunked=1&cut=70000", http);
	whole(0);
	CHECK(seen.code == 0 && seen.bytes == SIZE);
	fresh("%s/file?nolength=1", http);
	whole(0);
	CHECK(seen.code == EBADMSG && seen.bytes == 0);
	fresh("%s/file?size=200", http);
	seen.file.size = 100;
	whole(0);
	CHECK(seen.code == ESTALE && seen.bytes == 0);
}

static void case_changed(void)
{
	fresh("%s/file?id=changed&change=3", http);
	for (unsigned i = 0; i < 10; i++)
		want(i * 10000, 10000);
	ranges();
	CHECK(seen.code == ESTALE && seen.bytes <= 70000);
	fresh("%s/file?id=mixed&change=3&lose=1", http); /* 206, but of another file */
	for (unsigned i = 0; i < 10; i++)
		want(i * 10000, 10000);
	ranges();
	CHECK(seen.code == ESTALE);
	fresh("%s/file?id=half&change=2&cut=30000", http);
	whole(0);
	CHECK(seen.code == ESTALE);
	fresh("%s/file?x", http); /* what an earlier run has seen */
	(void)snprintf(seen.file.etag, sizeof(seen.file.etag), "\"old\"");
	seen.file.size = SIZE;
	want(0, 1000);
	ranges();
	CHECK(seen.code == ESTALE && seen.bytes == 0);
	fresh("%s/file?id=weak&etag=W/%%22one%%22&modified=Wed,%%2025%%20Nov%%202026%%2000:00:00%%20GMT&cut=500", http);
	all();
	CHECK(strstr(asked("weak"), " bytes=500-99999 Wed, 25 Nov 2026 00:00:00 GMT\n"));
	fresh("%s/file?id=nothing&etag=none&cut=500", http);
	all();
	CHECK(strstr(asked("nothing"), " bytes=500-99999 -\n"));
}

static void case_statuses(void)
{
	static const struct {
		int status, code;
	} rows[] = {{404, ENOENT}, {410, ENOENT},  {401, EACCES}, {403, EACCES},
	            {400, EINVAL}, {204, EBADMSG}, {300, EBADMSG}};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		fresh("%s/file?status=%d&times=999", http, rows[i].status);
		want(0, 1000);
		ranges();
		CHECK(seen.code == rows[i].code && seen.count.requests == 1 &&
		      str_starts(seen.why, "http://127.0.0.1:"));
	}
	fresh("%s/file?id=503&status=503&after=1", http);
	all();
	CHECK(seen.took_ms >= 1000 && seen.took_ms < 5000 && seen.waits == 1 && seen.goes == 1);
	fresh("%s/file?id=429&status=429&times=3", http);
	all();
	CHECK(seen.count.requests == 4 && seen.count.retries == 3 && seen.goes == 1);
	uint64_t before = fetch.count.connections;
	fresh("%s/file?id=500&status=500&times=2", http); /* an answer in order keeps its connection */
	all();
	CHECK(fetch.count.connections == before);
}

static void case_redirects(void)
{
	fresh("%s/to?302&/to?301&/file?id=moved", http);
	want(0, 1000);
	want(1000, 1000);
	want(2000, 1000);
	ranges();
	CHECK(seen.code == 0 && seen.bytes == 3000 && seen.count.redirects == 2 && seen.count.requests == 5);
	fresh("%s/loop", http);
	want(0, 1000);
	ranges();
	CHECK(seen.code == EBADMSG && seen.count.requests == 6);
	fresh("%s/to?302&file:///etc/passwd", http);
	want(0, 10);
	ranges();
	CHECK(seen.code == EBADMSG);
	fresh("%s/to?302&ftp://127.0.0.1/x", http);
	want(0, 10);
	ranges();
	CHECK(seen.code == EBADMSG);
	fresh("%s/to?307&%s/file?id=up", http, https);
	want(0, 1000);
	ranges();
	CHECK(seen.code == 0 && seen.bytes == 1000);
	fresh("%s/to?307&%s/file?id=down", https, http);
	want(0, 1000);
	ranges();
	CHECK(seen.code == EBADMSG && str_eq(asked("down"), ""));
	(void)get(1000, "%s/to?308&/file?size=1000", http);
	CHECK(seen.code == 0 && seen.bytes == 1000);
	/* The place is good for two answers; then the first address is asked again. */
	fresh("%s/stale?id=stale", http);
	for (unsigned i = 0; i < 4; i++)
		want(i * 1000, 1000);
	ranges();
	CHECK(seen.code == 0 && seen.bytes == 4000 && seen.count.redirects >= 2);
}

static void case_stopped(void)
{
	int fds[2];

	CHECK(pipe(fds) == 0);
	config.stop_fd = fds[0];
	config.stall_ms = 20000;
	again();
	fresh("%s/file?stall=70000&id=stop", http);
	seen.stop_pipe = fds[1];
	want(0, SIZE);
	ranges();
	CHECK(seen.code == ECANCELED && seen.bytes == FETCH_PIECE && seen.took_ms < 1000);
	fresh("%s/file?x", http); /* still readable */
	want(0, SIZE);
	ranges();
	CHECK(seen.code == ECANCELED && seen.bytes == 0);
	config.stop_fd = -1;
	again();
	fresh("%s/file?mute=1&id=tick", http);
	seen.tick_ends = 2;
	want(0, SIZE);
	ranges();
	CHECK(seen.code == ECANCELED && seen.took_ms < 2500);
	CHECK(close(fds[0]) == 0 && close(fds[1]) == 0);
	fresh("%s/file?x", http);
	seen.refuse_at = 1;
	want(0, SIZE);
	ranges();
	CHECK(seen.code == EPERM && str_eq(seen.why, "the disk is full") && seen.bytes == FETCH_PIECE);
}

/* Nobody listens on port 1. */
static void case_nobody(void)
{
	config.give_up_ms = 700;
	again();
	fresh("http://127.0.0.1:1/x");
	want(0, SIZE);
	ranges();
	CHECK(seen.code == ETIMEDOUT && seen.took_ms >= 700 && seen.took_ms < 3000);
	/* Tries do not come faster than they should: 100 ms at most after the first ones, some of them shorter. */
	printf("  %llu tries in %llu ms\n", (unsigned long long)seen.count.requests, (unsigned long long)seen.took_ms);
	CHECK(seen.count.requests - seen.waits <= 1 && seen.waits >= 3 && seen.waits <= 40 && seen.goes == 0);
	(void)get(100, "http://127.0.0.1:1/x");
	CHECK(seen.code == ETIMEDOUT);
	(void)get(100, "%s/file?mute=1&times=100&id=patience", http);
	CHECK(seen.code == ETIMEDOUT && seen.took_ms < 3000);
	(void)get(100, "ftp://127.0.0.1/x");
	CHECK(seen.code == EPROTONOSUPPORT);
}

static void case_tls(void)
{
	(void)get(1000, "%s/file?size=1000", https);
	CHECK(seen.code == 0 && seen.bytes == 1000);
	config.ca_file = NULL;
	config.ca_pem = ca_pem;
	again();
	(void)get(1000, "%s/file?size=1000", https);
	CHECK(seen.code == 0 && seen.bytes == 1000);
	fresh("%s/file?cut=50000&id=tlscut", https);
	all();
	config.ca_pem = NULL;
	again();
	(void)get(1000, "%s/file?size=1000", https);
	CHECK(seen.code == EINVAL && seen.count.requests == 0);
	/* Another authority: it may be the clock, or a hotel's network, so it is waited out, and the reason told. */
	char stranger[2 * LIMIT_PATH];
	(void)snprintf(stranger, sizeof(stranger), "%s/stranger.pem", folder);
	config.ca_file = stranger;
	config.give_up_ms = 300;
	again();
	(void)get(1000, "%s/file?size=1000", https);
	CHECK(seen.code == ETIMEDOUT && seen.waits > 0);
	(void)snprintf(stranger, sizeof(stranger), "%s/not-there.pem", folder);
	again();
	(void)get(1000, "%s/file?size=1000", https);
	CHECK(seen.code == EINVAL);
}

static void case_proxy(void)
{
	static const char *const names[] = {"http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"};

	for (size_t i = 0; i < COUNT_OF(names); i++)
		CHECK(setenv(names[i], "http://127.0.0.1:1", 1) == 0);
	again();
	(void)get(1000, "%s/file?size=1000", http);
	CHECK(seen.code == 0);
	(void)get(1000, "%s/file?size=1000", https);
	CHECK(seen.code == 0);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		CHECK(unsetenv(names[i]) == 0);
}

/* All places are in the air at the same time, or none is answered; and over one connection. */
static void case_http2(void)
{
	fresh("%s/gather?n=%d", http2, FETCH_FLIGHTS);
	want(0, 1);
	for (unsigned i = 0; i < FETCH_FLIGHTS; i++)
		want(1000 * i, 70000);
	ranges();
	CHECK(seen.code == 0 && seen.bytes == 1 + 70000 * FETCH_FLIGHTS && seen.waits == 0);
	CHECK(str_starts(get(100, "%s/stats", http2), "HTTP/2.0 1 "));
	fresh("%s/file", http2);
	for (unsigned i = 0; i < MANY; i++)
		want(i * 40000, 40000);
	ranges();
	CHECK(seen.code == 0 && seen.bytes == MANY * 40000);
	CHECK(str_starts(get(100, "%s/stats", http2), "HTTP/2.0 1 "));
	fresh("%s/reset?n=3", http2);
	want(0, LARGE);
	ranges();
	CHECK(seen.code == 0 && seen.bytes == LARGE && seen.count.retries == 3);
	/* One that says nothing any more does not hold what comes after it: another connection. */
	config.give_up_ms = 1800;
	config.stall_ms = 300;
	again();
	fresh("%s/silent", http2);
	whole(0);
	CHECK(seen.code == ETIMEDOUT && seen.bytes >= LARGE / 4 && seen.count.connections >= 2);
	settings();
	again();
	(void)get(100, "%s/stats", http2);
	CHECK(seen.code == 0);
}

/* Kilobytes of this process in memory. */
static unsigned long resident(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f && fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	if (f)
		(void)fclose(f);
	return pages * 4;
}

static void case_memory(void)
{
	for (unsigned round = 0; round < 4; round++) {
		fresh("%s/file?size=50000000", http);
		whole(0);
		CHECK(seen.code == 0 && seen.bytes == 50000000);
		fresh("%s/file", http2);
		for (unsigned i = 0; i < MANY; i++)
			want(i * 40000, 40000);
		ranges();
		CHECK(seen.code == 0);
	}
	printf("  %lu KiB resident\n", resident());
	CHECK(resident() < 8192);
}

static const struct test {
	const char *name;
	void (*run)(void);
} tests[] = {
	{"document", case_document},   {"ranges", case_ranges},
	{"many", case_many},           {"cut", case_cut},
	{"silence", case_silence},     {"lies", case_lies},
	{"no ranges", case_no_ranges}, {"whole", case_whole},
	{"changed", case_changed},     {"statuses", case_statuses},
	{"redirects", case_redirects}, {"stopped", case_stopped},
	{"nobody", case_nobody},       {"tls", case_tls},
	{"proxy", case_proxy},         {"http2", case_http2},
	{"memory", case_memory},
};

int main(int argc, char **argv)
{
	struct err e = {0};
	struct buf b;

	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	buf_init(&b, ca_pem, sizeof(ca_pem));
	if (argc != 5 || str_copy(folder, sizeof(folder), argv[1]) < 0 ||
	    str_format(ca_file, sizeof(ca_file), "%s/ca.pem", folder) < 0 || file_read(ca_file, &b, &e) < 0) {
		printf("try: %s\n", e.text);
		return 2;
	}
	http = argv[2];
	https = argv[3];
	http2 = argv[4];
	for (size_t i = 0; i < COUNT_OF(tests); i++) {
		unsigned before = failures;
		uint64_t began = clock_ms();
		running = tests[i].name;
		settings();
		again();
		tests[i].run();
		printf("%s\t%s\t%.1f\n", failures == before ? "pass" : "fail", running,
		       (double)(clock_ms() - began) / 1000);
	}
	fetch_close(&fetch);
	return failures > 0;
}
