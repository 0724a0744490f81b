/* Requests to PID 1 over the inherited control channel, many at a time, without ever waiting.
 * Runs in the web role. Never parses what PID 1 answers: it is passed on as it is. */
#include "console/web_link.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/log.h"
#include "base/str.h"
#include "loop/chan.h"

#define REPLIES_PER_ROUND 16 /* so that a chatty channel cannot starve the connections */
#define FOLLOW_TIMEOUT_MS 5000
#define FOLLOW_AGAIN_MS   5000

static struct web_call *call_by_id(struct web_link *l, uint32_t id)
{
	for (size_t i = 0; id && i < COUNT_OF(l->call); i++)
		if (l->call[i].id == id)
			return &l->call[i];
	return NULL;
}

static struct web_call *call_free(struct web_link *l)
{
	for (size_t i = 0; i < COUNT_OF(l->call); i++)
		if (!l->call[i].id)
			return &l->call[i];
	return NULL;
}

static uint32_t next_id(struct web_link *l)
{
	/* 0 means "none"; after four thousand million requests an old id may come again, but no old request is left. */
	if (++l->last_id == 0)
		l->last_id = 1;
	return l->last_id;
}

/* Frees the slot before telling its owner, who may start the next call at once. */
static void call_end(struct web_call *c, enum web_end how, const char *text, size_t len)
{
	loop_cancel(c->link->loop, &c->timer);
	c->id = 0;
	c->fn(how, text, len, c->arg);
}

static void on_timeout(struct loop *loop, void *arg)
{
	(void)loop;
	call_end(arg, WEB_END_TIMEOUT, "", 0);
}

static void take_reply(struct web_link *l, const struct proto_reply *r)
{
	if (r->kind == PROTO_EVENT) {
		if (r->id == l->follow_id && l->on_event)
			l->on_event(r->text, r->len, l->arg);
		return;
	}
	struct web_call *c = call_by_id(l, r->id);
	if (c)
		call_end(c, r->kind == PROTO_OK ? WEB_END_OK : WEB_END_ERROR, r->text, r->len);
}

static void lose(struct web_link *l, const char *why)
{
	log_warnx("web", "channel to PID 1: %s", why);
	l->lost = true;
	loop_del(l->loop, l->chan);
	loop_quit(l->loop);
}

/* True when there may be more. */
static bool receive(struct web_link *l)
{
	struct err e = {0};
	ssize_t n = chan_recv(l->chan, l->data, sizeof(l->data) - 1, NULL, &e);
	if (n < 0 && e.code == EAGAIN)
		return false;
	if (n <= 0) {
		lose(l, n < 0 ? e.text : "ended");
		return false;
	}
	struct proto_reply r;
	if (proto_parse(l->data, (size_t)n, &r, &e))
		log_warnx("web", "channel to PID 1: %s", e.text);
	else
		take_reply(l, &r);
	return true;
}

static void on_channel(struct loop *loop, int fd, uint32_t events, void *arg)
{
	(void)loop;
	(void)fd;
	(void)events;
	for (int i = 0; i < REPLIES_PER_ROUND; i++)
		if (!receive(arg))
			return;
}

int web_link_init(struct web_link *l, struct loop *loop, int chan, struct err *e)
{
	memset(l, 0, sizeof(*l));
	l->loop = loop;
	l->chan = chan;
	for (size_t i = 0; i < COUNT_OF(l->call); i++)
		l->call[i].link = l;
	return loop_add(loop, chan, EPOLLIN, on_channel, l, e);
}

int web_link_call(struct web_link *l, const struct web_ask *ask, uint32_t *id, struct err *e)
{
	struct web_call *c = call_free(l);
	if (!c)
		return err_set(e, EBUSY, "too many requests under way");
	char msg[LIMIT_REQUEST];
	uint32_t number = next_id(l);
	int len = proto_request(msg, sizeof(msg), number, ask->argc, ask->argv, e);
	if (len < 0)
		return -1;
	if (chan_send(l->chan, msg, (size_t)len, ask->fd, e))
		return err_prefix(e, "asking PID 1");
	c->id = number;
	c->fn = ask->fn;
	c->arg = ask->arg;
	loop_after(l->loop, &c->timer, ask->timeout_ms, on_timeout, c);
	*id = number;
	return 0;
}

void web_link_cancel(struct web_link *l, uint32_t id)
{
	struct web_call *c = call_by_id(l, id);
	if (!c)
		return;
	loop_cancel(l->loop, &c->timer);
	c->id = 0;
}

static void follow(struct web_link *l);

static void on_follow_timer(struct loop *loop, void *arg)
{
	(void)loop;
	follow(arg);
}

static void follow_again(struct web_link *l, const char *why)
{
	/* The page still polls; only the live events are missing. */
	log_warnx("web", "following events: %s", why);
	l->follow_id = 0;
	loop_after(l->loop, &l->follow_timer, FOLLOW_AGAIN_MS, on_follow_timer, l);
}

static void on_follow(enum web_end how, const char *text, size_t len, void *arg)
{
	(void)len;
	if (how != WEB_END_OK)
		follow_again(arg, how == WEB_END_ERROR ? text : "PID 1 did not answer");
}

static void follow(struct web_link *l)
{
	static const char *const words[] = {"events", "-f"};
	const struct web_ask ask = {2, words, FOLLOW_TIMEOUT_MS, on_follow, l, -1};
	struct err e;
	if (web_link_call(l, &ask, &l->follow_id, &e))
		follow_again(l, e.text);
}

void web_link_follow(struct web_link *l, web_event_fn *fn, void *arg)
{
	l->on_event = fn;
	l->arg = arg;
	follow(l);
}
