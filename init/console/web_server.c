/* Requests in, answers out, over libwebsockets. Runs in the web role, caged by console/web_sandbox.
 * Never sends PID 1 a word that a stranger chose but those of the owner (console/web_owner), and never waits for
 * anyone. */
#include "console/web_server.h"

#include <errno.h>
#include <libwebsockets.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/sys.h"
#include "console/web_answer.h"
#include "console/web_asset.h"
#include "console/web_owner.h"
#include "console/web_request.h"

#define HEADERS_MAX     4096
#define CHUNK           4096  /* bytes of an answer at a time: one TLS record */
#define INCOMING        16384 /* bytes of an upload at a time: one TLS record of theirs */
#define LIBRARY_S       900   /* the library's own patience: ours ends before, see web_conn */
#define QUERY_MAX       64    /* "from=" and a number */
#define ACCEPTS         8     /* per round, so that a flood of newcomers cannot starve the others */
#define BEAT_MS         15000
#define USER_TIMEOUT_MS 30000 /* unacknowledged for this long: the client is gone (tcp(7)) */
#define LEAVE_MS        2000  /* for answers that are owed at the end */
#define COMPLAINTS_MAX  5     /* lines of the library per minute: strangers cause them */

/* ---- requests ---- */

static void on_answer(enum web_end how, const char *text, size_t len, void *arg)
{
	static const int status[] = {[WEB_END_OK] = 200, [WEB_END_ERROR] = 400, [WEB_END_TIMEOUT] = 503};
	struct web_conn *c = arg;
	bool health = c->route->kind == WEB_HEALTH;
	int rc;
	c->call = 0;
	if (how == WEB_END_OK)
		rc = health ? web_answer_copy(c, 200, WEB_TEXT, "ok\n", 3)
		            : web_answer_copy(c, 200, c->route->type, text, len);
	else
		rc = web_answer_error(c, health ? 503 : status[how], len ? text : "PID 1 does not answer", !health);
	if (rc)
		web_answer_drop(c);
	web_pump_kick(&c->server->pump);
}

static int start_call(struct web_conn *c, const struct web_match *m)
{
	struct err e;
	const struct web_ask ask = {m->argc, m->argv, m->route->timeout_ms, on_answer, c, -1};
	if (web_link_call(c->server->link, &ask, &c->call, &e)) {
		log_warnx("web", "%s", e.text);
		return web_answer_error(c, 503, "PID 1 does not answer", c->route->kind == WEB_COMMAND);
	}
	web_answer_phase(c, WEB_WORKING);
	return 0;
}

static int start_page(struct web_conn *c, const struct web_match *m)
{
	(void)m;
	return web_answer_static(c, web_asset_page, web_asset_page_len);
}

static int start_icon(struct web_conn *c, const struct web_match *m)
{
	(void)m;
	return web_answer_static(c, web_asset_icon, web_asset_icon_len);
}

static void on_beat(struct loop *loop, void *arg)
{
	struct web_server *s = arg;
	bool any = false;
	(void)loop;
	for (size_t i = 0; i < COUNT_OF(s->conns.slot); i++) {
		struct web_conn *c = &s->conns.slot[i];
		if (c->phase != WEB_STREAMING)
			continue;
		any = c->beat = true;
		lws_callback_on_writable(c->wsi);
	}
	if (any)
		loop_after(s->loop, &s->beat, BEAT_MS, on_beat, s);
	web_pump_kick(&s->pump);
}

static int start_stream(struct web_conn *c, const struct web_match *m)
{
	/* Told once how soon to come back when the connection breaks; a comment keeps proxies awake. */
	static const char first[] = "retry: 2000\n\n";
	struct web_server *s = c->server;
	(void)m;
	if (web_conns_count(&s->conns, WEB_STREAMING) >= WEB_STREAMS)
		return web_answer_error(c, 503, "too many streams are open", true);
	c->cursor = s->feed.next;
	c->beat = false;
	c->keep = false;
	if (!s->beat.armed)
		loop_after(s->loop, &s->beat, BEAT_MS, on_beat, s);
	return web_answer_static(c, first, sizeof(first) - 1);
}

static int on_request(struct web_conn *c, const char *path)
{
	static int (*const start[])(struct web_conn *, const struct web_match *) = {
		[WEB_COMMAND] = start_call,   [WEB_HEALTH] = start_call,     [WEB_STREAM] = start_stream,
		[WEB_PAGE] = start_page,      [WEB_ICON] = start_icon,       [WEB_SESSION] = web_owner_session,
		[WEB_LOGIN] = web_owner_post, [WEB_LOGOUT] = web_owner_post, [WEB_ACT] = web_owner_post,
		[WEB_UPLOAD] = web_owner_put,
	};
	char query[QUERY_MAX];
	struct web_match m;
	enum web_method method = web_request_method(c->wsi);
	bool body = web_request_has_body(c->wsi);
	lws_set_timeout(c->wsi, NO_PENDING_TIMEOUT, 0); /* ours rule, see web_conn */
	web_request_query(c->wsi, query, sizeof(query));
	web_route_match(method, path, query, body, &m);
	web_conn_wipe(c);
	c->route = m.route;
	c->whole = false;
	c->head = method == WEB_HEAD;
	c->keep = web_request_keeps(c->wsi) && method != WEB_OTHER && !body;
	if (m.allow[0] && str_format(c->more, sizeof(c->more), "Allow: %s\r\n", m.allow))
		return -1;
	if (m.status != 200)
		return web_answer_error(c, m.status, m.why, str_starts(path, "/api"));
	return start[m.route->kind](c, &m);
}

/* ---- writing ---- */

static int put(struct web_conn *c, unsigned char *data, size_t n)
{
	int done = lws_write(c->wsi, data, n, LWS_WRITE_HTTP);
	return done < 0 || (size_t)done < n ? -1 : 0;
}

/* The answer is out: what becomes of the connection? */
static int finish(struct web_conn *c)
{
	web_reply_drop(&c->reply);
	if (c->route && c->route->kind == WEB_STREAM && !c->head) {
		web_answer_phase(c, WEB_STREAMING);
		if (c->cursor != c->server->feed.next)
			lws_callback_on_writable(c->wsi);
		return 0;
	}
	if (c->keep) {
		web_answer_phase(c, WEB_IDLE);
		return lws_http_transaction_completed(c->wsi) ? -1 : 0;
	}
	/* Closing with unread bytes would reset the connection and might take the answer with it. And the library waits
	 * for the client's end of a connection that it has closed: not for longer than that either. */
	web_answer_phase(c, WEB_LINGERING);
	return c->whole || !web_request_has_body(c->wsi) ? -1 : 0;
}

static int send_reply(struct web_conn *c)
{
	unsigned char out[LWS_PRE + CHUNK];
	size_t n = web_reply_take(&c->reply, out + LWS_PRE, CHUNK);
	if (n && put(c, out + LWS_PRE, n))
		return -1;
	if (web_reply_done(&c->reply))
		return finish(c);
	lws_callback_on_writable(c->wsi);
	return 0;
}

static int send_event(struct web_conn *c)
{
	unsigned char out[LWS_PRE + WEB_FEED_TEXT];
	const char *text = ":\n\n";
	size_t n = 3;
	int there = web_feed_get(&c->server->feed, c->cursor, &text, &n);
	if (there < 0)
		return -1; /* too slow; the page comes back and asks for what it missed */
	if (!there && !c->beat)
		return 0;
	c->cursor += (uint64_t)there;
	c->beat = false;
	web_answer_phase(c, WEB_STREAMING);
	memcpy(out + LWS_PRE, text, n);
	if (put(c, out + LWS_PRE, n))
		return -1;
	if (c->cursor != c->server->feed.next)
		lws_callback_on_writable(c->wsi);
	return 0;
}

static int on_writable(struct web_conn *c)
{
	if (c->phase == WEB_SENDING)
		return send_reply(c);
	return c->phase == WEB_STREAMING ? send_event(c) : 0;
}

void web_server_event(struct web_server *s, const char *json, size_t len)
{
	if (!web_feed_add(&s->feed, json, len)) {
		log_warnx("web", "an event of %zu bytes is too long to pass on", len);
		return;
	}
	for (size_t i = 0; i < COUNT_OF(s->conns.slot); i++)
		if (s->conns.slot[i].phase == WEB_STREAMING)
			lws_callback_on_writable(s->conns.slot[i].wsi);
	web_pump_kick(&s->pump);
}

/* ---- the library's side ---- */

static void on_gone(struct web_conn *c)
{
	web_answer_forget(c);
	web_conn_free(c);
	web_answer_arm(c->server);
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct web_conn *c = lws_get_opaque_user_data(wsi);
	(void)user;
	if (reason == LWS_CALLBACK_HTTP_CONFIRM_UPGRADE)
		return -1;
	if (!c)
		return 0;
	switch (reason) {
	case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
		c->wsi = wsi;
		return 0;
	case LWS_CALLBACK_HTTP:
		return c->phase == WEB_CLOSING ? -1 : on_request(c, in);
	case LWS_CALLBACK_HTTP_BODY:
		return web_owner_data(c, in, len);
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		return web_owner_whole(c);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return on_writable(c);
	case LWS_CALLBACK_WSI_DESTROY:
		on_gone(c);
		return 0;
	default:
		return 0;
	}
}

/* The library logs without a handle; there is one server per process, and this is the way back to it. */
static struct web_server *log_owner;

static void on_lws_log(int level, const char *line)
{
	struct web_server *s = log_owner;
	uint64_t now = clock_ms();
	(void)level;
	if (now - s->complaints_since >= 60000) {
		s->complaints_since = now;
		s->complaints = 0;
	}
	if (s->complaints++ < COMPLAINTS_MAX)
		log_warnx("web", "%.*s", (int)strcspn(line, "\n"), line);
}

static const struct lws_protocols protocols[] = {
	{.name = "http", .callback = on_lws},
	LWS_PROTOCOL_LIST_TERM,
};

int web_server_start(struct web_server *s, const struct cert_pair *pair, struct err *e)
{
	void *loops[] = {&s->pump};
	const struct lws_context_creation_info info = {
		.port = CONTEXT_PORT_NO_LISTEN_SERVER,
		.protocols = protocols,
		.options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
		.user = s,
		.event_lib_custom = web_pump_ops(),
		.foreign_loops = loops,
		.fd_limit_per_thread = WEB_PUMP_FDS,
		.max_http_header_data = HEADERS_MAX,
		.max_http_header_pool = WEB_CONNS,
		.pt_serv_buf_size = INCOMING + LWS_PRE,
		.timeout_secs = LIBRARY_S,
		.keepalive_timeout = 15,
		.timeout_secs_ah_idle = 10,
		.vhost_name = "hearth",
		.server_ssl_cert_mem = pair->cert,
		.server_ssl_cert_mem_len = (unsigned)pair->cert_len,
		.server_ssl_private_key_mem = pair->key,
		.server_ssl_private_key_mem_len = (unsigned)pair->key_len,
	};
	log_owner = s;
	lws_set_log_level(LLL_ERR, on_lws_log);
	s->pump.context = lws_create_context(&info);
	if (!s->pump.context)
		return err_set(e, EINVAL, "libwebsockets: cannot start");
	s->vhost = lws_create_vhost(s->pump.context, &info);
	if (!s->vhost)
		return err_set(e, EINVAL, "libwebsockets: cannot use the key and the certificate");
	web_pump_kick(&s->pump);
	return 0;
}

/* ---- newcomers ---- */

static void set_options(int fd)
{
	const int on = 1, timeout = USER_TIMEOUT_MS;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
}

static struct web_conn *make_room(struct web_server *s)
{
	struct web_conn *c = web_conns_take(&s->conns, clock_ms());
	struct web_conn *old = c ? NULL : web_conns_spare(&s->conns, clock_ms());
	if (!old)
		return c;
	web_answer_drop(old);
	return web_conns_take(&s->conns, clock_ms());
}

static void admit(struct web_server *s, int fd, const struct sockaddr *from)
{
	struct web_conn *c = make_room(s);
	if (!c) {
		sys_close(fd);
		return;
	}
	c->server = s;
	web_guard_address(from, c->address, sizeof(c->address));
	set_options(fd);
	const lws_adopt_desc_t adopt = {
		.vh = s->vhost,
		.type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP | LWS_ADOPT_ALLOW_SSL,
		.fd.sockfd = fd,
		.opaque = c,
	};
	/* When it fails, the library has closed fd, but told us only if it had come far enough. */
	if (!lws_adopt_descriptor_vhost_via_info(&adopt) && c->phase != WEB_FREE)
		web_conn_free(c);
}

static void on_listen(struct loop *loop, int fd, uint32_t events, void *arg)
{
	struct web_server *s = arg;
	(void)loop;
	(void)events;
	for (int i = 0; i < ACCEPTS; i++) {
		struct sockaddr_storage from = {0};
		socklen_t n = sizeof(from);
		int client = sys_accept4(fd, (struct sockaddr *)&from, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (client < 0)
			break; /* nobody there, or gone again, or no descriptor left: the next round tries again */
		admit(s, client, (const struct sockaddr *)&from);
	}
	web_answer_arm(s);
	web_pump_kick(&s->pump);
}

int web_server_init(struct web_server *s, struct loop *loop, struct web_link *link, int listen_fd, struct err *e)
{
	s->loop = loop;
	s->link = link;
	s->listen_fd = listen_fd;
	web_feed_init(&s->feed);
	web_pump_init(&s->pump, loop);
	web_upload_init(&s->upload, loop);
	return loop_add(loop, listen_fd, EPOLLIN, on_listen, s, e);
}

static void on_leave(struct loop *loop, void *arg)
{
	(void)arg;
	loop_quit(loop);
}

void web_server_leave(struct web_server *s)
{
	log_info("web", "ends");
	s->leaving = true;
	loop_del(s->loop, s->listen_fd);
	loop_after(s->loop, &s->leave, LEAVE_MS, on_leave, s);
	web_answer_arm(s);
}
