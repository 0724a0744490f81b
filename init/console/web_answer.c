/* Answers and deadlines of connections; see web_answer.h. Runs in the web role. Decides nothing about requests. */
#include "console/web_answer.h"

#include <libwebsockets.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "console/web_route.h"
#include "console/web_state.h"

/* ---- deadlines ---- */

/* lws calls WSI_DESTROY: from here, or when the loop hears that both directions are shut. */
void web_answer_drop(struct web_conn *c)
{
	web_conn_set(c, WEB_CLOSING, clock_ms());
	web_answer_forget(c);
	if (c->wsi)
		lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
	if (c->wsi) /* it has bytes left that the client does not take */
		shutdown(lws_get_socket_fd(c->wsi), SHUT_RDWR);
}

static void on_deadline(struct loop *loop, void *arg)
{
	struct web_server *s = arg;
	(void)loop;
	for (struct web_conn *c;
	     (c = web_conns_overdue(&s->conns, clock_ms()));) /* each is WEB_CLOSING or free after */
		web_answer_drop(c);
	web_answer_arm(s);
	web_pump_kick(&s->pump);
}

void web_answer_arm(struct web_server *s)
{
	uint64_t due = web_conns_due(&s->conns), now = clock_ms();
	if (s->leaving && !web_conns_busy(&s->conns))
		loop_quit(s->loop);
	if (due == UINT64_MAX)
		loop_cancel(s->loop, &s->deadline);
	else
		loop_after(s->loop, &s->deadline, due > now ? due - now : 0, on_deadline, s);
}

void web_answer_phase(struct web_conn *c, enum web_phase phase)
{
	web_conn_set(c, phase, clock_ms());
	web_answer_arm(c->server);
}

/* ---- answers ---- */

/* A head alone, ready to go. -1: close the connection, there is no way to answer. */
static int begin(struct web_conn *c, int status, const char *type, size_t len)
{
	struct err e;
	const struct web_top top = {
		.status = status,
		.type = type,
		.len = len,
		.keep = c->keep,
		.more = c->more,
		.endless = c->route && c->route->kind == WEB_STREAM && status == 200,
	};
	if (web_reply_start(&c->reply, &top, &e)) {
		log_warnx("web", "%s", e.text);
		return -1;
	}
	web_answer_phase(c, WEB_SENDING);
	lws_callback_on_writable(c->wsi);
	return 0;
}

int web_answer_static(struct web_conn *c, const char *body, size_t len)
{
	if (begin(c, 200, c->route->type, len))
		return -1;
	if (!c->head)
		web_reply_borrow(&c->reply, body, len);
	return 0;
}

int web_answer_copy(struct web_conn *c, int status, const char *type, const char *body, size_t len)
{
	struct err e;
	if (begin(c, status, type, len))
		return -1;
	if (c->head || !web_reply_copy(&c->reply, body, len, &e))
		return 0;
	log_warnx("web", "%s", e.text);
	return -1;
}

/* In the language of who asked: JSON below /api, a line of text elsewhere. */
int web_answer_error(struct web_conn *c, int status, const char *why, bool json)
{
	char text[512];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	if (json)
		web_route_error(&b, why);
	else
		buf_addf(&b, "%s\n", why);
	if (!buf_ok(&b))
		return -1;
	return web_answer_copy(c, status, json ? WEB_JSON : WEB_TEXT, text, b.len);
}

/* ---- what was under way ---- */

void web_answer_forget(struct web_conn *c)
{
	struct web_server *s = c->server;
	web_link_cancel(s->link, c->call);
	c->call = 0;
	if (s->uploader != c)
		return;
	web_upload_end(&s->upload);
	s->uploader = NULL;
}

void web_answer_hold(struct web_conn *c, bool hold)
{
	(void)lws_rx_flow_control(c->wsi, !hold);
}
