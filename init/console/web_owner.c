/* Requests for the owner; see web_owner.h. Runs in the web role. Keeps no token, code or password longer than it takes
 * to hand it on. */
#include "console/web_owner.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "base/sys.h"
#include "console/web_answer.h"
#include "console/web_request.h"
#include "console/web_state.h"

#define ARGS_MOST (4 + WEB_WORDS)

/* ---- to the owner role, and back ---- */

struct words {
	unsigned argc;
	const char *argv[ARGS_MOST];
};

/* fd: goes with the words, stays the caller's. */
static int ask(struct web_conn *c, const struct words *w, int fd, web_end_fn *fn)
{
	struct err e;
	const struct web_ask ask = {w->argc, w->argv, c->route->timeout_ms, fn, c, fd};
	if (web_link_call(c->server->link, &ask, &c->call, &e)) {
		log_warnx("web", "%s", e.text);
		return web_answer_error(c, 503, "the box is too busy; try again", true);
	}
	web_answer_phase(c, WEB_WORKING);
	return 0;
}

static int refuse(struct web_conn *c, enum web_end how, const char *text)
{
	if (how == WEB_END_TIMEOUT)
		return web_answer_error(c, 503, "the owner service does not answer", true);
	int status = web_guard_status(&text, 400);
	return web_answer_error(c, status, text, true);
}

static void conclude(struct web_conn *c, int rc)
{
	if (rc)
		web_answer_drop(c);
	web_pump_kick(&c->server->pump);
}

static int answer_session(struct web_conn *c, const char *text, size_t len)
{
	char token[WEB_TOKEN + 1], json[256];
	struct buf b;
	struct err e;
	int rc = 0;
	buf_init(&b, json, sizeof(json));
	if (web_body_session(text, len, token, &b, &e))
		return web_answer_error(c, 500, e.text, true);
	if (c->route->kind == WEB_LOGIN)
		rc = str_format(c->more, sizeof(c->more), WEB_COOKIE_SET, token);
	else if (c->route->kind == WEB_LOGOUT)
		rc = str_copy(c->more, sizeof(c->more), WEB_COOKIE_CLEAR);
	explicit_bzero(token, sizeof(token));
	return rc ? -1 : web_answer_copy(c, 200, WEB_JSON, json, b.len);
}

static void on_session(enum web_end how, const char *text, size_t len, void *arg)
{
	struct web_conn *c = arg;
	c->call = 0;
	conclude(c, how == WEB_END_OK ? answer_session(c, text, len) : refuse(c, how, text));
}

static void on_command(enum web_end how, const char *text, size_t len, void *arg)
{
	struct web_conn *c = arg;
	c->call = 0;
	conclude(c, how == WEB_END_OK ? web_answer_copy(c, 200, WEB_JSON, text, len) : refuse(c, how, text));
}

int web_owner_session(struct web_conn *c, const struct web_match *m)
{
	(void)m;
	web_request_session(c->wsi, c->token, c->csrf);
	const struct words w = {3, {"session", "show", c->token[0] ? c->token : "-"}};
	return ask(c, &w, -1, on_session);
}

/* ---- bodies ---- */

/* 0: it may go on; 1: a refusal is on its way; -1. */
static int check(struct web_conn *c)
{
	int rc;
	bool needs_session = c->route->kind != WEB_LOGIN;
	web_request_session(c->wsi, c->token, c->csrf);
	if (!web_request_is_ours(c->wsi))
		rc = web_answer_error(c, 403, "the request came from a page of another site", true);
	else if (needs_session && !c->token[0])
		rc = web_answer_error(c, 401, "not logged in", true);
	else if (needs_session && !c->csrf[0])
		rc = web_answer_error(c, 403, "the header X-Hearth-CSRF is missing", true);
	else
		return 0;
	return rc ? rc : 1;
}

int web_owner_post(struct web_conn *c, const struct web_match *m)
{
	uint64_t length;
	int rc = check(c);
	(void)m;
	if (rc)
		return rc < 0 ? -1 : 0;
	if (!web_request_is_json(c->wsi))
		return web_answer_error(c, 415, "the body has to be application/json", true);
	if (!web_request_length(c->wsi, WEB_BODY, &length))
		return web_answer_error(c, 413, "the body has to say its length, and be short", true);
	web_answer_phase(c, WEB_READING);
	return 0;
}

/* The read end of a pipe with all of the password in it. */
static int password_pipe(const struct web_login *l, struct err *e)
{
	int ends[2];
	if (sys_pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	/* It fits what a pipe takes at once (PIPE_BUF): this neither waits nor stops half-way. */
	ssize_t n = sys_write(ends[1], l->password, l->len);
	if (n != (ssize_t)l->len)
		err_sys(e, "pipe");
	sys_close(ends[1]);
	if (n == (ssize_t)l->len)
		return ends[0];
	sys_close(ends[0]);
	return -1;
}

static int log_in(struct web_conn *c)
{
	struct web_login l;
	struct err e;
	struct words w = {3, {"session", "new", c->address}};
	bool first = str_ends(c->route->path, "/first");
	int rc = web_body_login(c->body, c->body_len, &l, &e);
	if (!rc && (first != (l.code[0] != '\0') || !l.len))
		rc = err_set(&e, EINVAL, first ? "code and password, both are needed" : "the password is missing");
	if (rc)
		return web_answer_error(c, 400, e.text, true);
	if (first)
		w = (struct words){4, {"session", "first", c->address, l.code}};
	int fd = password_pipe(&l, &e);
	rc = fd < 0 ? web_answer_error(c, 500, e.text, true) : ask(c, &w, fd, on_session);
	if (fd >= 0)
		sys_close(fd);
	explicit_bzero(&l, sizeof(l));
	return rc;
}

static int log_out(struct web_conn *c)
{
	const struct words w = {4, {"session", "end", c->token, c->csrf}};
	return ask(c, &w, -1, on_session);
}

static int act(struct web_conn *c)
{
	struct words w = {4, {"session", "do", c->token, c->csrf}};
	struct web_words said;
	struct err e;
	if (web_body_words(c->body, c->body_len, &said, &e))
		return web_answer_error(c, 400, e.text, true);
	memcpy(w.argv + w.argc, said.argv, said.argc * sizeof(said.argv[0]));
	w.argc += said.argc;
	return ask(c, &w, -1, on_command);
}

/* ---- uploads ---- */

static int went(struct web_conn *c, enum web_upload_state now)
{
	static const char done[] = "{\"message\":\"all of it is with the update service, which goes on by itself\"}";
	bool asked = c->phase == WEB_WORKING; /* whether it may start is not answered yet */
	if (now == WEB_UPLOAD_WAIT || now == WEB_UPLOAD_MORE) {
		bool stalls = now == WEB_UPLOAD_WAIT;
		web_answer_hold(c, stalls);
		if (!asked && (c->phase == WEB_STALLED) != stalls)
			web_answer_phase(c, stalls ? WEB_STALLED : WEB_UPLOADING);
		return 0;
	}
	web_answer_forget(c);
	web_answer_hold(c, false); /* what still comes is thrown away */
	if (now == WEB_UPLOAD_DONE)
		return web_answer_copy(c, 200, WEB_JSON, done, sizeof(done) - 1);
	return web_answer_error(c, 409, "the update service took no more of it, and says why in its state", true);
}

static void on_ready(enum web_upload_state now, void *arg)
{
	struct web_conn *c = arg;
	conclude(c, went(c, now));
}

static void on_upload(enum web_end how, const char *text, size_t len, void *arg)
{
	struct web_conn *c = arg;
	(void)len;
	c->call = 0;
	if (how != WEB_END_OK) {
		web_answer_forget(c);
		web_answer_hold(c, false);
		conclude(c, refuse(c, how, text));
		return;
	}
	web_answer_phase(c, WEB_UPLOADING);
	conclude(c, went(c, web_upload_open(&c->server->upload)));
}

int web_owner_put(struct web_conn *c, const struct web_match *m)
{
	struct web_server *s = c->server;
	char size[24];
	uint64_t length;
	struct err e;
	int rc = check(c);
	if (rc)
		return rc < 0 ? -1 : 0;
	if (!web_request_length(c->wsi, WEB_UPLOAD_MOST, &length) || str_format(size, sizeof(size), "%" PRIu64, length))
		return web_answer_error(c, 413, "an upload has to say its length, and fit a slot", true);
	int fd = web_upload_begin(&s->upload, length, on_ready, c, &e);
	if (fd < 0)
		return web_answer_error(c, e.code == EBUSY ? 409 : 500, e.text, true);
	struct words w = {7, {"session", "do", c->token, c->csrf, "update", "upload", size}};
	if (m->argc > 0) /* where a part begins */
		w.argv[w.argc++] = m->argv[0];
	s->uploader = c;
	c->stepped = 0;
	web_answer_hold(c, true);
	rc = ask(c, &w, fd, on_upload);
	sys_close(fd);
	if (!c->call)
		web_answer_forget(c);
	return rc;
}

/* ---- what comes ---- */

static int keep(struct web_conn *c, const void *data, size_t len)
{
	if (len > sizeof(c->body) - c->body_len)
		return -1;
	if (len)
		memcpy(c->body + c->body_len, data, len);
	c->body_len += len;
	return 0;
}

int web_owner_data(struct web_conn *c, const void *data, size_t len)
{
	if (c->phase == WEB_READING)
		return keep(c, data, len);
	if (c->server->uploader != c)
		return 0; /* answered already: thrown away */
	c->stepped += len;
	if (c->phase == WEB_UPLOADING && c->stepped >= WEB_UPLOAD_STEP) {
		c->stepped = 0;
		web_answer_phase(c, WEB_UPLOADING);
	}
	return went(c, web_upload_feed(&c->server->upload, data, len));
}

int web_owner_whole(struct web_conn *c)
{
	int rc;
	c->whole = true;
	if (c->phase != WEB_READING)
		return 0;
	if (c->route->kind == WEB_LOGIN)
		rc = log_in(c);
	else
		rc = c->route->kind == WEB_LOGOUT ? log_out(c) : act(c);
	explicit_bzero(c->body, sizeof(c->body));
	return rc;
}
