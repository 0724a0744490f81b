/* Requests over libcurl's easy handles. Part of update/fetch. Callbacks of libcurl only note what they find; what comes
 * of it is decided when libcurl is through. */
#include "update/flight.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

#define BUFFER       65536 /* what libcurl reads at a time */
#define JUNK         65536 /* bytes of an unwanted body that are read, to keep the connection */
#define KEEP_ALIVE_S 30    /* a connection without traffic is asked for life */

static bool is_taken(const struct flight *f)
{
	return f->judged && (f->verdict == ANSWER_TAKE || f->verdict == ANSWER_SKIP);
}

/* Behind the last byte that is wanted; UINT64_MAX: not known. */
static uint64_t end_of(const struct flight *f)
{
	if (f->want.what == ANSWER_RANGE)
		return f->want.last + 1;
	if (f->want.what == ANSWER_REST && f->plan->file->size)
		return f->plan->file->size;
	return UINT64_MAX;
}

static size_t on_header(const char *p, size_t size, size_t n, void *arg)
{
	struct flight *f = arg;
	size_t len = size * n;

	f->plan->count->headers += len;
	f->bytes += len;
	if (f->judged) /* a trailer behind the body */
		return len;
	answer_line(&f->answer, p, len);
	/* Some end their lines with a newline alone, which is allowed to be understood (RFC 9112 2.2). */
	bool blank = (len == 1 && p[0] == '\n') || (len == 2 && p[0] == '\r' && p[1] == '\n');
	if (!blank || f->answer.status < 200)
		return len;
	f->verdict = answer_judge(&f->answer, &f->want, f->plan->file, &f->error);
	f->judged = true;
	if (f->verdict == ANSWER_SKIP)
		f->skip = f->at;
	if (is_taken(f))
		err_clear(&f->error);
	return f->verdict == ANSWER_WRONG ? 0 : len;
}

static int lie(struct flight *f, int code, const char *text)
{
	f->lies = true;
	return err_set(&f->error, code, "%s", text);
}

/* What is held goes to the caller. */
static int give(struct flight *f)
{
	struct flight_plan *p = f->plan;
	uint64_t before = clock_ms();

	if (f->held == 0)
		return 0;
	size_t len = f->held;
	f->held = 0;
	if (p->data(&f->range, f->at - len, f->piece, len, p->arg, &f->error) < 0) {
		f->lies = p->refused = true;
		return -1;
	}
	p->busy_ms += clock_ms() - before;
	return 0;
}

static int take_bytes(struct flight *f, const char *p, size_t n)
{
	while (n > 0) {
		size_t room = sizeof(f->piece) - f->held;
		size_t len = n < room ? n : room;
		memcpy(f->piece + f->held, p, len);
		f->held += len;
		f->at += len;
		p += len;
		n -= len;
		if (f->held == sizeof(f->piece) && give(f) < 0)
			return -1;
	}
	return 0;
}

static int take_document(struct flight *f, const char *p, size_t n)
{
	struct buf *b = f->plan->document;

	if (n > f->want.last - f->at)
		return lie(f, EFBIG, "the document is larger than expected");
	buf_add_n(b, p, n);
	f->at += n;
	return 0;
}

static int take_body(struct flight *f, const char *p, size_t n)
{
	size_t skip = n < f->skip ? n : (size_t)f->skip;

	f->skip -= skip;
	p += skip;
	n -= skip;
	if (n == 0)
		return 0;
	f->got = true;
	f->plan->wanted_ms = f->plan->heard_ms;
	f->redirects = 0;
	f->original = false;
	if (f->want.what == ANSWER_DOCUMENT)
		return take_document(f, p, n);
	if (n > end_of(f) - f->at)
		return lie(f, EBADMSG, "the answer is longer than announced");
	return take_bytes(f, p, n);
}

static size_t on_body(const char *p, size_t size, size_t n, void *arg)
{
	struct flight *f = arg;
	size_t len = size * n;

	f->plan->count->body += len;
	f->bytes += len;
	f->plan->heard_ms = clock_ms() - f->plan->busy_ms;
	if (is_taken(f))
		return take_body(f, p, len) < 0 ? CURL_WRITEFUNC_ERROR : len;
	f->junk += len;
	return f->junk > JUNK ? CURL_WRITEFUNC_ERROR : len;
}

void flight_take(struct flight *f, struct flight_plan *plan, const struct answer_want *want,
                 const struct fetch_range *range)
{
	f->state = FLIGHT_FREE;
	f->plan = plan;
	f->want = *want;
	f->range = *range;
	f->at = want->what == ANSWER_DOCUMENT ? 0 : want->first;
	f->held = 0;
	f->redirects = 0;
	f->original = false;
	f->again = false;
}

static bool add_header(struct flight *f, const char *text)
{
	struct curl_slist *more = curl_slist_append(f->headers, text);

	if (more)
		f->headers = more;
	return more != NULL;
}

/* Range, and If-Range with what the file was known by. */
static bool set_headers(struct flight *f)
{
	const struct fetch_file *file = f->plan->file;
	const char *known = file->etag[0] ? file->etag : file->modified;
	char line[FETCH_VALIDATOR + 32];
	int fits = 0;

	if (f->want.what == ANSWER_DOCUMENT || (f->want.what == ANSWER_REST && f->at == 0))
		return true;
	if (f->want.what == ANSWER_RANGE)
		fits = str_format(line, sizeof(line), "Range: bytes=%" PRIu64 "-%" PRIu64, f->at, f->want.last);
	else
		fits = str_format(line, sizeof(line), "Range: bytes=%" PRIu64 "-", f->at);
	if (fits < 0 || !add_header(f, line))
		return false;
	if (known[0] && (str_format(line, sizeof(line), "If-Range: %s", known) < 0 || !add_header(f, line)))
		return false;
	return !curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, f->headers);
}

static bool set_numbers(const struct flight *f)
{
	const struct fetch_config *c = f->plan->config;
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{CURLOPT_NOSIGNAL, 1},
		{CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS},
		{CURLOPT_PIPEWAIT, 1},
		{CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
		{CURLOPT_BUFFERSIZE, BUFFER},
		{CURLOPT_PATH_AS_IS, 1},
		{CURLOPT_CONNECTTIMEOUT_MS, (long)c->connect_ms},
		{CURLOPT_TCP_KEEPALIVE, 1},
		{CURLOPT_TCP_KEEPIDLE, KEEP_ALIVE_S},
		{CURLOPT_TCP_KEEPINTVL, KEEP_ALIVE_S / 3},
		{CURLOPT_QUICK_EXIT, 1}, /* does not wait for a name that is being looked up */
	};

	for (size_t i = 0; i < COUNT_OF(numbers); i++) {
		if (curl_easy_setopt(f->easy, numbers[i].option, numbers[i].value))
			return false;
	}
	return true;
}

static bool set_authorities(const struct flight *f)
{
	const struct fetch_config *c = f->plan->config;
	struct curl_blob blob = {.flags = CURL_BLOB_NOCOPY};

	if (c->ca_file)
		return !curl_easy_setopt(f->easy, CURLOPT_CAINFO, c->ca_file);
	if (!c->ca_pem)
		return true; /* http */
	blob.data = (void *)(uintptr_t)c->ca_pem;
	blob.len = strlen(c->ca_pem);
	return !curl_easy_setopt(f->easy, CURLOPT_CAINFO_BLOB, &blob);
}

static bool set_callbacks(struct flight *f)
{
	CURL *h = f->easy;

	return !curl_easy_setopt(h, CURLOPT_PRIVATE, f) && !curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body) &&
	       !curl_easy_setopt(h, CURLOPT_WRITEDATA, f) && !curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header) &&
	       !curl_easy_setopt(h, CURLOPT_HEADERDATA, f) && !curl_easy_setopt(h, CURLOPT_ERRORBUFFER, f->why);
}

static bool set_request(struct flight *f)
{
	/* Refused by a libcurl that was built without proxies, as ours is. */
	(void)curl_easy_setopt(f->easy, CURLOPT_PROXY, "");
	return !curl_easy_setopt(f->easy, CURLOPT_URL, f->plan->url) &&
	       !curl_easy_setopt(f->easy, CURLOPT_PROTOCOLS_STR, "http,https") &&
	       !curl_easy_setopt(f->easy, CURLOPT_USERAGENT, "hearth") && set_headers(f);
}

/* A document is read from its beginning each time. */
static void begin(struct flight *f, uint64_t now_ms)
{
	if (f->want.what == ANSWER_DOCUMENT) {
		f->plan->document->len -= (size_t)f->at;
		f->at = 0;
	}
	f->want.first = f->at;
	f->answer = (struct answer){0};
	f->judged = f->lies = f->got = false;
	err_clear(&f->error);
	f->skip = f->junk = 0;
	f->why[0] = '\0';
	f->from_ms = now_ms;
	f->from_bytes = f->bytes;
}

int flight_start(struct flight *f, uint64_t now_ms, struct err *e)
{
	f->https = url_is_https(f->plan->url);
	f->elsewhere = !str_eq(f->plan->url, f->plan->file->url);
	if (f->https && !f->plan->config->ca_file && !f->plan->config->ca_pem)
		return err_set(e, EINVAL, "no authorities for https are known here");
	begin(f, now_ms);
	f->easy = curl_easy_init();
	if (!f->easy || !set_numbers(f) || !set_authorities(f) || !set_callbacks(f) || !set_request(f)) {
		flight_drop(f);
		return err_set(e, ENOMEM, "out of memory");
	}
	f->plan->count->requests++;
	f->plan->count->retries += f->again;
	f->state = FLIGHT_FLYING;
	return 0;
}

static void count(struct flight *f)
{
	long sent = 0, connections = 0;

	(void)curl_easy_getinfo(f->easy, CURLINFO_REQUEST_SIZE, &sent);
	(void)curl_easy_getinfo(f->easy, CURLINFO_NUM_CONNECTS, &connections);
	f->plan->count->sent += (uint64_t)sent;
	f->plan->count->connections += (uint64_t)connections;
}

void flight_drop(struct flight *f)
{
	if (f->easy)
		count(f);
	curl_easy_cleanup(f->easy);
	curl_slist_free_all(f->headers);
	f->easy = NULL;
	f->headers = NULL;
	f->state = FLIGHT_FREE;
}

/* The new place must be one of ours, and no less secret. */
static enum flight_end follow(struct flight *f, struct err *e)
{
	struct flight_plan *p = f->plan;
	char *to = NULL;

	(void)curl_easy_getinfo(f->easy, CURLINFO_REDIRECT_URL, &to);
	if (!to) {
		err_put(e, EBADMSG, "answer %d leads nowhere", f->answer.status);
		return FLIGHT_FAILED;
	}
	if (++f->redirects > FETCH_REDIRECTS) {
		err_put(e, EBADMSG, "more than %d redirects", FETCH_REDIRECTS);
		return FLIGHT_FAILED;
	}
	if (url_check(to, e) < 0) {
		err_put_prefix(e, "redirect");
		e->code = EBADMSG;
		return FLIGHT_FAILED;
	}
	if (f->https && !url_is_https(to)) {
		err_put(e, EBADMSG, "a redirect from https to http");
		return FLIGHT_FAILED;
	}
	p->count->redirects++;
	return str_copy(p->url, sizeof(p->url), to) < 0 ? FLIGHT_FAILED : FLIGHT_MOVED; /* fits: url_check */
}

/* libcurl ended it, without an answer or in the middle of one. */
static enum flight_end broken(const struct flight *f, CURLcode code, struct err *e)
{
	char number[32];

	/* Our libcurl has no words for its codes. */
	(void)!str_format(number, sizeof(number), "error %d of libcurl", (int)code);
	const char *why = f->why[0] ? f->why : number;
	int len = (int)strcspn(why, "\r\n"); /* what mbedTLS says ends with one */
	switch (code) {
	case CURLE_OUT_OF_MEMORY:
		err_put(e, ENOMEM, "out of memory");
		return FLIGHT_FAILED;
	case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9: anything else that listens there */
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_TOO_LARGE:
		err_put(e, EBADMSG, "the server does not speak HTTP as it should: %.*s", len, why);
		return FLIGHT_FAILED;
	case CURLE_URL_MALFORMAT:
	case CURLE_SSL_CACERT_BADFILE:
		err_put(e, EINVAL, "%.*s", len, why);
		return FLIGHT_FAILED;
	default:
		err_put(e, EAGAIN, "%.*s", len, why);
		return FLIGHT_AGAIN;
	}
}

/* The answer was taken and has ended: was it all? */
static enum flight_end finish(struct flight *f, CURLcode code, struct err *e)
{
	uint64_t end = end_of(f);
	bool whole = f->at == end;

	if (code && !whole)
		return broken(f, code, e);
	if (end == UINT64_MAX) { /* nobody knew how long it is: until its end in order */
		if (f->want.what == ANSWER_REST)
			f->plan->file->size = f->at;
		whole = f->skip == 0;
	}
	if (whole && give(f) == 0)
		return FLIGHT_DONE;
	if (whole) {
		*e = f->error;
		return FLIGHT_FAILED;
	}
	/* Without a length, and not in chunks, a lost connection looks like this too. */
	bool lost = !f->answer.has_length && !f->answer.chunked;
	err_put(e, lost ? EAGAIN : EBADMSG, "the answer is shorter than announced");
	return lost ? FLIGHT_AGAIN : FLIGHT_FAILED;
}

/* 401 to 410 from where a redirect led to: its address may have been good for a while only. */
static bool is_stale_place(const struct flight *f)
{
	return f->elsewhere && !f->original && (f->error.code == EACCES || f->error.code == ENOENT);
}

static enum flight_end judge_end(struct flight *f, CURLcode code, struct err *e)
{
	if (f->lies) {
		*e = f->error;
		return FLIGHT_FAILED;
	}
	if (!f->judged && code == CURLE_OK)
		return broken(f, CURLE_GOT_NOTHING, e);
	if (!f->judged)
		return broken(f, code, e);
	if (is_taken(f))
		return finish(f, code, e);
	if (f->verdict == ANSWER_REDIRECT)
		return follow(f, e);
	*e = f->error;
	if (f->verdict == ANSWER_LATER)
		return FLIGHT_AGAIN;
	if (!is_stale_place(f))
		return FLIGHT_FAILED;
	f->original = true;
	f->redirects = 0;
	memcpy(f->plan->url, f->plan->file->url, sizeof(f->plan->url));
	return FLIGHT_MOVED;
}

enum flight_end flight_ended(struct flight *f, CURLcode code, struct err *e)
{
	enum flight_end end = judge_end(f, code, e);

	flight_drop(f);
	return end;
}
