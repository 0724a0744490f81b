/* libcurl's multi interface on the loop of the kube role. Never waits, never calls back from inside a call of its own,
 * keeps nothing of a call that has ended. */
#include "kube/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/str.h"
#include "format/header.h"
#include "kube/easy.h"

_Static_assert(KCLIENT_WHY >= CURL_ERROR_SIZE, "curl writes that much");
_Static_assert(KCLIENT_PAD <= INCOMING_PAD, "promised to the callbacks");

static bool is_stream(const struct kclient_slot *s)
{
	return s->on_line && s->status >= 200 && s->status < 300;
}

static void on_timeout(struct loop *l, void *arg);

/* The time-out runs from now on. */
static void watch_time(struct kclient_slot *s)
{
	s->since = clock_ms();
	loop_after(s->client->loop, &s->timeout, s->timeout_ms, on_timeout, s);
}

static bool on_incoming_line(char *line, size_t len, void *arg)
{
	struct kclient_slot *s = arg;

	s->on_line(line, len, s->arg);
	return !s->dropped;
}

static const enum kclient_fault incoming_faults[] = {
	[INCOMING_OK] = KCLIENT_OK,
	[INCOMING_TOO_LARGE] = KCLIENT_TOO_LARGE,
	[INCOMING_MEMORY] = KCLIENT_MEMORY,
	[INCOMING_STOPPED] = KCLIENT_OK, /* cancelled: nobody will hear of it */
};

static size_t on_body(const char *p, size_t size, size_t n, void *arg)
{
	struct kclient_slot *s = arg;
	enum incoming_result result;
	long status = 0;

	(void)curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
	s->status = (int)status;
	if (s->dropped)
		return CURL_WRITEFUNC_ERROR;
	s->client->heard = clock_ms();
	if (is_stream(s)) {
		watch_time(s);
		result = incoming_lines(&s->in, p, size * n, on_incoming_line, s);
	} else {
		result = incoming_body(&s->in, p, size * n);
	}
	s->fault = incoming_faults[result];
	return result == INCOMING_OK ? size * n : CURL_WRITEFUNC_ERROR;
}

/* curl's own reading of Retry-After needs its parser of dates. */
static size_t on_header(const char *p, size_t size, size_t n, void *arg)
{
	struct kclient_slot *s = arg;
	char value[KCLIENT_ETAG];
	uint64_t seconds;

	s->client->heard = clock_ms();
	if (header_is(p, size * n, "etag", value, sizeof(value)))
		memcpy(s->etag, value, sizeof(value));
	if (header_is(p, size * n, "retry-after", value, sizeof(value)) && str_u64(value, UINT32_MAX, &seconds) == 0)
		s->retry_after_s = (unsigned)seconds;
	return size * n;
}

static const struct code_row {
	CURLcode code;
	enum kclient_fault fault;
} codes[] = {
	{CURLE_OK, KCLIENT_OK},
	{CURLE_COULDNT_RESOLVE_HOST, KCLIENT_REFUSED},
	{CURLE_COULDNT_CONNECT, KCLIENT_REFUSED},
	{CURLE_SSL_CONNECT_ERROR, KCLIENT_TLS},
	{CURLE_PEER_FAILED_VERIFICATION, KCLIENT_TLS},
	{CURLE_SSL_CERTPROBLEM, KCLIENT_TLS},
	{CURLE_SSL_CACERT_BADFILE, KCLIENT_TLS},
	{CURLE_SSL_CIPHER, KCLIENT_TLS},
	{CURLE_OPERATION_TIMEDOUT, KCLIENT_TIMEOUT},
	{CURLE_OUT_OF_MEMORY, KCLIENT_MEMORY},
	{CURLE_GOT_NOTHING, KCLIENT_RESET},
	{CURLE_SEND_ERROR, KCLIENT_RESET},
	{CURLE_RECV_ERROR, KCLIENT_RESET},
	{CURLE_HTTP2, KCLIENT_RESET},
	{CURLE_HTTP2_STREAM, KCLIENT_RESET},
	{CURLE_PARTIAL_FILE, KCLIENT_CUT},
};

static enum kclient_fault fault_of(CURLcode code, int status)
{
	for (size_t i = 0; i < COUNT_OF(codes); i++) {
		if (codes[i].code == code)
			return codes[i].fault == KCLIENT_RESET && status > 0 ? KCLIENT_CUT : codes[i].fault;
	}
	return KCLIENT_BROKEN;
}

/* Everything of a call but its result. */
static void release(struct kclient_slot *s)
{
	struct kclient *c = s->client;

	loop_cancel(c->loop, &s->timeout);
	if (s->added)
		(void)curl_multi_remove_handle(c->multi, s->easy);
	curl_easy_cleanup(s->easy);
	curl_slist_free_all(s->headers);
	free(s->body);
	s->easy = NULL;
	s->headers = NULL;
	s->body = NULL;
	s->added = false;
}

static void drop(struct kclient_slot *s)
{
	release(s);
	incoming_free(&s->in);
	*s = (struct kclient_slot){0};
}

static const char *why_of(struct kclient_slot *s, CURLcode code)
{
	s->why[strcspn(s->why, "\r\n")] = '\0'; /* what mbedTLS says ends with one */
	if (s->fault == KCLIENT_OK)
		return "";
	if (s->fault == KCLIENT_TOO_LARGE)
		return "the answer is too large";
	if (s->fault == KCLIENT_TIMEOUT)
		return s->status ? "the answer stopped coming" : "no answer in time";
	return s->why[0] ? s->why : curl_easy_strerror(code);
}

/* A line without a newline before an end in order: the last one of a log. */
static void give_rest(struct kclient_slot *s)
{
	if (!is_stream(s) || s->fault)
		return;
	s->client->busy = true; /* so that cancelling itself only marks it */
	incoming_rest(&s->in, on_incoming_line, s);
	s->client->busy = false;
}

/* The call is over: its place is free before done is called, which may take it again. */
static void end(struct kclient_slot *s, CURLcode code)
{
	char none[KCLIENT_PAD + 1] = {0};
	long status = 0;

	(void)curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
	s->status = (int)status;
	if (!s->fault)
		s->fault = fault_of(code, s->status);
	if (!s->dropped)
		give_rest(s);
	if (s->dropped) {
		drop(s);
		return;
	}
	release(s);
	struct kclient_slot was = *s;
	bool whole = !is_stream(&was); /* what is left of a line is nobody's business */
	struct kclient_reply r = {
		.fault = was.fault,
		.status = was.status,
		.retry_after_s = was.retry_after_s,
		.etag = was.etag,
		.body = whole && was.in.data ? was.in.data : none,
		.len = whole ? was.in.len : 0,
		.why = why_of(&was, code),
	};
	*s = (struct kclient_slot){0};
	was.done(&r, was.arg);
	incoming_free(&was.in);
}

/* Callbacks of done may close the client, and open it again: then the rest of the messages is gone. */
static void reap(struct kclient *c)
{
	CURLMsg *m;
	int left;

	while (c->multi && (m = curl_multi_info_read(c->multi, &left))) {
		char *arg = NULL;
		if (m->msg != CURLMSG_DONE)
			continue;
		CURLcode code = m->data.result; /* m does not outlive the handle */
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &arg);
		end((struct kclient_slot *)(void *)arg, code);
	}
}

/* curl_multi_socket_action fails only when all is lost or out of memory; the calls' own deadlines end them then. */
static void drive(struct kclient *c, curl_socket_t fd, int what)
{
	int running;

	c->busy = true;
	(void)curl_multi_socket_action(c->multi, fd, what, &running);
	c->busy = false;
	reap(c);
}

static void on_fd(struct loop *l, int fd, uint32_t events, void *arg)
{
	int what = 0;

	(void)l;
	if (events & EPOLLIN)
		what |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		what |= CURL_CSELECT_OUT;
	if (events & (EPOLLERR | EPOLLHUP))
		what |= CURL_CSELECT_ERR;
	drive(arg, fd, what);
}

static void on_timer(struct loop *l, void *arg)
{
	(void)l;
	drive(arg, CURL_SOCKET_TIMEOUT, 0);
}

/* curl wants to know of fd; known is not NULL for one that it has told us before. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
	struct kclient *c = arg;
	struct err e = {0};

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		loop_del(c->loop, fd);
		return 0;
	}
	if (known)
		return loop_mod(c->loop, fd, events, &e);
	if (loop_add(c->loop, fd, events, on_fd, c, &e) < 0)
		return -1;
	(void)curl_multi_assign(c->multi, fd, c);
	return 0;
}

static int on_deadline(CURLM *multi, long ms, void *arg)
{
	struct kclient *c = arg;

	(void)multi;
	if (ms < 0)
		loop_cancel(c->loop, &c->timer);
	else
		loop_after(c->loop, &c->timer, (uint64_t)ms, on_timer, c);
	return 0;
}

/* What could not be done from inside curl: calls that were cancelled there, calls to start. */
static void on_work(struct loop *l, void *arg)
{
	struct kclient *c = arg;

	(void)l;
	for (size_t i = 0; i < KCLIENT_CALLS; i++) {
		struct kclient_slot *s = &c->slot[i];
		if (s->dropped)
			drop(s);
		if (!s->easy || s->added)
			continue;
		s->added = curl_multi_add_handle(c->multi, s->easy) == CURLM_OK;
		if (!s->added)
			end(s, CURLE_OUT_OF_MEMORY);
	}
}

static CURLM *new_multi(struct kclient *c)
{
	CURLM *m = curl_multi_init();

	if (m && !curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, on_socket) &&
	    !curl_multi_setopt(m, CURLMOPT_SOCKETDATA, c) &&
	    !curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, on_deadline) &&
	    !curl_multi_setopt(m, CURLMOPT_TIMERDATA, c) &&
	    !curl_multi_setopt(m, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX) &&
	    !curl_multi_setopt(m, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)KCLIENT_CONNECTIONS))
		return m;
	if (m)
		(void)curl_multi_cleanup(m);
	return NULL;
}

/* curl offers no other way to be rid of a connection than to throw away all of them. */
static void give_up_connection(struct kclient *c)
{
	static const char why[] = "nothing came on its connection any more";

	for (size_t i = 0; i < KCLIENT_CALLS; i++) {
		struct kclient_slot *s = &c->slot[i];
		if (!s->added) /* also what a callback has started meanwhile */
			continue;
		memcpy(s->why, why, sizeof(why));
		end(s, CURLE_RECV_ERROR);
	}
	if (!c->multi)
		return; /* a callback has done more than that */
	CURLM *fresh = new_multi(c);
	if (!fresh)
		return; /* out of memory: the next time-out tries again */
	(void)curl_multi_cleanup(c->multi);
	loop_cancel(c->loop, &c->timer);
	c->multi = fresh;
}

static void on_timeout(struct loop *l, void *arg)
{
	struct kclient_slot *s = arg;
	struct kclient *c = s->client;
	bool silent = c->heard <= s->since;

	(void)l;
	s->fault = KCLIENT_TIMEOUT;
	end(s, CURLE_OPERATION_TIMEDOUT);
	if (silent && c->multi)
		give_up_connection(c);
}

int kclient_open(struct kclient *c, struct loop *l, const struct credentials *credentials, struct err *e)
{
	if (c->multi)
		return err_set(e, EBUSY, "API client: open already");
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(e, ENOMEM, "API client: the TLS library does not start");
	c->multi = new_multi(c);
	c->loop = l;
	c->credentials = credentials;
	if (c->multi)
		return 0;
	curl_global_cleanup();
	return err_set(e, ENOMEM, "API client: out of memory");
}

void kclient_close(struct kclient *c)
{
	if (!c->multi)
		return;
	for (size_t i = 0; i < KCLIENT_CALLS; i++) {
		if (c->slot[i].easy)
			drop(&c->slot[i]);
	}
	(void)curl_multi_cleanup(c->multi); /* takes its connections out of the loop */
	c->multi = NULL;
	loop_cancel(c->loop, &c->timer);
	loop_cancel(c->loop, &c->work);
	curl_global_cleanup();
}

static bool set_callbacks(struct kclient_slot *s)
{
	CURL *h = s->easy;

	return !curl_easy_setopt(h, CURLOPT_PRIVATE, s) && !curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body) &&
	       !curl_easy_setopt(h, CURLOPT_WRITEDATA, s) && !curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header) &&
	       !curl_easy_setopt(h, CURLOPT_HEADERDATA, s) && !curl_easy_setopt(h, CURLOPT_ERRORBUFFER, s->why);
}

static struct kclient_slot *find_slot(struct kclient *c, uint32_t id)
{
	for (size_t i = 0; i < KCLIENT_CALLS; i++) {
		if (c->slot[i].id == id)
			return &c->slot[i];
	}
	return NULL;
}

/* A place for the call, found sound; NULL with e. */
static struct kclient_slot *take_slot(struct kclient *c, const struct kclient_request *r, struct err *e)
{
	struct kclient_slot *s = find_slot(c, 0);

	if (!c->multi)
		err_set(e, ENOTCONN, "API call: the client is closed");
	else if (r->path[0] != '/' || strlen(r->path) >= KCLIENT_PATH || strpbrk(r->path, " \r\n"))
		err_set(e, EINVAL, "API call: not a path of at most %d bytes: %.64s", KCLIENT_PATH - 1, r->path);
	else if (!s)
		err_set(e, ENOSPC, "API call: all %d places are taken", KCLIENT_CALLS);
	else
		return s;
	return NULL;
}

uint32_t kclient_call(struct kclient *c, const struct kclient_request *r, struct err *e)
{
	struct kclient_slot *s = take_slot(c, r, e);

	if (!s) {
		if (r->give_body)
			free(r->body);
		return 0;
	}
	size_t default_max = r->on_line ? KCLIENT_MAX_LINE : KCLIENT_MAX;
	struct curl_slist *headers = NULL;
	c->last_id += c->last_id == UINT32_MAX ? 2 : 1; /* never 0 */
	*s = (struct kclient_slot){
		.client = c,
		.id = c->last_id,
		.timeout_ms = r->timeout_ms ? r->timeout_ms : KCLIENT_TIMEOUT_MS,
		.in.max = r->max ? r->max : default_max,
		.body = r->give_body ? r->body : NULL,
		.on_line = r->on_line,
		.done = r->done,
		.arg = r->arg,
	};
	s->easy = easy_new(c->credentials, r, &headers);
	s->headers = headers;
	if (!s->easy || !set_callbacks(s)) {
		drop(s);
		err_set(e, ENOMEM, "API call: out of memory");
		return 0;
	}
	watch_time(s);
	loop_after(c->loop, &c->work, 0, on_work, c);
	return s->id;
}

void kclient_cancel(struct kclient *c, uint32_t id)
{
	struct kclient_slot *s = id ? find_slot(c, id) : NULL;

	if (!s)
		return;
	if (!c->busy) {
		drop(s);
		return;
	}
	s->dropped = true;
	loop_after(c->loop, &c->work, 0, on_work, c);
}

unsigned kclient_free(const struct kclient *c)
{
	unsigned n = 0;

	for (size_t i = 0; i < KCLIENT_CALLS; i++)
		n += c->slot[i].id == 0;
	return n;
}
