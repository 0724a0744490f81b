/* Connection to PID 1 that comes back by itself. Runs in the console role. Never blocks. */
#include "console/client.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "base/sys.h"
#include "loop/chan.h"

#define REPLIES_PER_ROUND 16 /* keys must get their turn */

static void on_retry(struct loop *l, void *arg);

static void retry_later(struct client *c)
{
	loop_after(c->loop, &c->retry, c->delay_ms, on_retry, c);
	c->delay_ms = c->delay_ms * 2 < CLIENT_RETRY_MAX_MS ? c->delay_ms * 2 : CLIENT_RETRY_MAX_MS;
}

static void disconnect(struct client *c)
{
	if (c->chan < 0)
		return;
	loop_del(c->loop, c->chan);
	sys_close(c->chan);
	c->chan = -1;
	c->follow_id = 0;
}

static void end_call(struct client *c, size_t i, const struct proto_reply *r)
{
	client_reply_fn *fn = c->call[i].fn;
	void *arg = c->call[i].arg;
	c->call[i].id = 0;
	fn(r, arg);
}

static void lose(struct client *c, const char *why)
{
	disconnect(c);
	retry_later(c);
	for (size_t i = 0; i < COUNT_OF(c->call); i++)
		if (c->call[i].id)
			end_call(c, i, NULL);
	c->hooks.on_down(why, c->hooks.arg);
}

static void take_reply(struct client *c, const struct proto_reply *r)
{
	if (r->kind == PROTO_EVENT) {
		c->hooks.on_event(r->text, c->hooks.arg);
		return;
	}
	for (size_t i = 0; i < COUNT_OF(c->call); i++)
		if (c->call[i].id && c->call[i].id == r->id) {
			end_call(c, i, r);
			return;
		}
}

/* True when there may be more. */
static bool receive(struct client *c)
{
	struct err e = {0};
	struct proto_reply r;
	ssize_t n = chan_recv(c->chan, c->data, sizeof(c->data) - 1, NULL, &e);
	if (n < 0 && (e.code == EAGAIN || e.code == EINTR))
		return false;
	if (n <= 0 || proto_parse(c->data, (size_t)n, &r, &e)) {
		lose(c, n == 0 ? "PID 1 closed the connection" : e.text);
		return false;
	}
	take_reply(c, &r);
	return c->chan >= 0;
}

static void on_channel(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct client *c = arg;
	(void)l;
	(void)fd;
	(void)events;
	for (int i = 0; i < REPLIES_PER_ROUND && receive(c); i++)
		;
}

static void on_follow(const struct proto_reply *r, void *arg)
{
	/* Refused or lost: the status is still fetched when somebody asks. */
	(void)r;
	(void)arg;
}

static int start(struct client *c, struct err *e)
{
	static const char *const follow[] = {"events", "-f"};
	if (loop_add(c->loop, c->chan, EPOLLIN, on_channel, c, e))
		return -1;
	c->follow_id = client_call(c, COUNT_OF(follow), follow, on_follow, c, e);
	return c->follow_id ? 0 : -1;
}

static void on_retry(struct loop *l, void *arg)
{
	struct client *c = arg;
	struct err e = {0};
	(void)l;
	c->chan = chan_connect(c->path, &e);
	if (c->chan < 0 || start(c, &e)) {
		disconnect(c);
		retry_later(c);
		return;
	}
	c->delay_ms = CLIENT_RETRY_MIN_MS;
	c->hooks.on_up(c->hooks.arg);
}

void client_init(struct client *c, struct loop *l, const char *path, const struct client_hooks *hooks)
{
	memset(c, 0, sizeof(*c));
	c->loop = l;
	c->path = path;
	c->chan = -1;
	c->hooks = *hooks;
	c->delay_ms = CLIENT_RETRY_MIN_MS;
	loop_after(l, &c->retry, 0, on_retry, c);
}

void client_fini(struct client *c)
{
	loop_cancel(c->loop, &c->retry);
	disconnect(c);
}

bool client_is_up(const struct client *c)
{
	return c->chan >= 0;
}

static size_t free_call(const struct client *c)
{
	size_t i = 0;
	while (i < COUNT_OF(c->call) && c->call[i].id)
		i++;
	return i;
}

uint32_t client_call(struct client *c, unsigned argc, const char *const *argv, client_reply_fn *fn, void *arg,
                     struct err *e)
{
	char msg[LIMIT_REQUEST];
	size_t i = free_call(c);
	if (c->chan < 0 || i == COUNT_OF(c->call)) {
		err_set(e, EAGAIN,
		        c->chan < 0 ? "PID 1 cannot be reached at the moment" : "PID 1 is behind with answers");
		return 0;
	}
	uint32_t id = ++c->last_id ? c->last_id : ++c->last_id;
	int len = proto_request(msg, sizeof(msg), id, argc, argv, e);
	if (len < 0 || chan_send(c->chan, msg, (size_t)len, -1, e))
		return 0;
	c->call[i].id = id;
	c->call[i].fn = fn;
	c->call[i].arg = arg;
	return id;
}

void client_cancel(struct client *c, uint32_t id)
{
	for (size_t i = 0; id && i < COUNT_OF(c->call); i++)
		if (c->call[i].id == id)
			c->call[i].id = 0;
}
