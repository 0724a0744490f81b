/* PID 1's side of the control protocol; see control.h. Never blocks, takes no memory. */
#include "boot/control.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "loop/chan.h"

/* What services may do over their channel; all others are PEER_WEB. Those with another kind answer commands, too. fds:
 * descriptors may come with their requests: a secret that PID 1 must not see, or bytes that it must not wait for. */
static const struct rights {
	const char *service;
	enum peer kind;
	bool fds;
} rights[] = {
	{"kube", PEER_KUBE, false},
	{"owner", PEER_OWNER, true},
	{"update", PEER_UPDATE, false},
	{"web", PEER_WEB, true},
};

static const struct rights *rights_of(const char *service);

static void on_peer(struct loop *l, int fd, uint32_t events, void *arg);
static void on_ask_end(void *from, uint32_t from_id, const char *why, void *arg);

void control_init(struct control *c, struct loop *l, struct commands *cs, struct events *evs)
{
	memset(c, 0, sizeof(*c));
	c->loop = l;
	c->commands = cs;
	c->events = evs;
	c->asks = (struct asks){.loop = l, .end = on_ask_end, .arg = c};
	c->listen_fd = -1;
	c->current_fd = -1;
	for (unsigned i = 0; i < CONTROL_PEERS; i++) {
		c->peer[i].fd = -1;
		c->peer[i].all = c;
	}
}

/* A drop is said, but a thousand drops are not a thousand lines: 1, 2, 4, 8, ... */
static void drop(struct control_peer *p, const char *why)
{
	struct control *c = p->all;
	if (p->fd < 0)
		return;
	loop_cancel(c->loop, &p->stall);
	loop_del(c->loop, p->fd);
	sys_close(p->fd);
	p->fd = -1;
	asks_forget(&c->asks, p);
	if (c->current == p)
		c->current = NULL;
	if (why == NULL)
		return;
	c->dropped++;
	if ((c->dropped & (c->dropped - 1)) == 0)
		log_warnx("control", "%s: dropped, %s (%u so far)", p->name[0] != '\0' ? p->name : "a local peer", why,
		          c->dropped);
}

static void on_stall(struct loop *l, void *arg)
{
	(void)l;
	drop(arg, "it does not read its answers");
}

static bool has_room(const struct control_peer *p)
{
	struct pollfd pf = {.fd = p->fd, .events = POLLOUT};
	return sys_poll(&pf, 1, 0) == 1 && (pf.revents & POLLOUT) != 0;
}

/* Waits for room to write instead of for requests, or the other way round. */
static void set_blocked(struct control_peer *p, bool blocked)
{
	struct err e;
	if (p->blocked == blocked)
		return;
	p->blocked = blocked;
	if (blocked)
		loop_after(p->all->loop, &p->stall, CONTROL_STALL_MS, on_stall, p);
	else
		loop_cancel(p->all->loop, &p->stall);
	if (loop_mod(p->all->loop, p->fd, blocked ? EPOLLOUT : EPOLLIN, &e) < 0)
		drop(p, e.text);
}

static void send_frame(struct control_peer *p, uint32_t id, enum proto_kind kind, size_t len)
{
	struct err e;
	char *reply = p->all->reply;
	memcpy(reply, &id, sizeof(id));
	reply[sizeof(id)] = (char)kind;
	if (chan_send(p->fd, reply, PROTO_REPLY_HEAD + len, -1, &e) < 0)
		drop(p, e.text);
}

static void send_error(struct control_peer *p, uint32_t id, const char *text)
{
	size_t len = strlen(text);
	memcpy(p->all->reply + PROTO_REPLY_HEAD, text, len);
	send_frame(p, id, PROTO_ERROR, len);
}

void control_event_json(struct json *j, const struct event *ev)
{
	char when[32];
	clock_format(ev->wall, when, sizeof(when));
	json_open_object(j, NULL);
	json_int(j, "seq", (int64_t)ev->seq);
	json_string(j, "time", when);
	json_int(j, "ms", (int64_t)ev->ms);
	json_string(j, "kind", event_kind_name(ev->kind));
	json_string(j, "name", ev->name);
	json_string(j, "text", ev->text);
	json_close_object(j);
}

/* One event to one follower, out of the ring. */
static void send_event(struct control_peer *p)
{
	struct control *c = p->all;
	const struct event *ev = event_get(c->events, p->cursor);
	struct json j;
	struct buf b;
	if (ev == NULL) {
		drop(p, "it follows events too slowly");
		return;
	}
	p->cursor++;
	buf_init(&b, c->reply + PROTO_REPLY_HEAD, LIMIT_REPLY - PROTO_REPLY_HEAD);
	json_init(&j, &b);
	control_event_json(&j, ev);
	send_frame(p, p->follow_id, PROTO_EVENT, b.len);
}

static void feed(struct control_peer *p)
{
	while (p->fd >= 0 && p->cursor != 0 && p->cursor < p->all->events->next) {
		if (!has_room(p)) {
			set_blocked(p, true);
			return;
		}
		send_event(p);
	}
}

static void on_pump(struct loop *l, void *arg)
{
	struct control *c = arg;
	(void)l;
	for (unsigned i = 0; i < CONTROL_PEERS; i++) {
		struct control_peer *p = &c->peer[i];
		if (p->fd >= 0 && p->cursor != 0 && p->cursor < event_oldest(c->events))
			drop(p, "it follows events too slowly");
		else if (p->fd >= 0 && !p->blocked)
			feed(p);
	}
}

void control_event(struct control *c)
{
	if (c->loop != NULL && !c->pump.armed)
		loop_after(c->loop, &c->pump, 0, on_pump, c);
}

int control_follow(struct control *c, uint64_t seq, struct err *e)
{
	if (c->current == NULL)
		return err_set(e, EINVAL, "only over a control connection");
	c->current->cursor = seq;
	c->current->follow_id = c->current_id;
	control_event(c);
	return 0;
}

static void on_ask_end(void *from, uint32_t from_id, const char *why, void *arg)
{
	(void)arg;
	send_error(from, from_id, why);
}

static const struct control_peer *find_channel(const struct control *c, const char *service)
{
	for (unsigned i = LIMIT_PEERS; i < CONTROL_PEERS; i++) {
		if (c->peer[i].fd >= 0 && str_eq(c->peer[i].name, service))
			return &c->peer[i];
	}
	return NULL;
}

int control_relay(struct control *c, const char *service, struct err *e)
{
	char msg[LIMIT_REQUEST + 1];
	const struct control_peer *to = find_channel(c, service);
	if (c->current == NULL)
		return err_set(e, EINVAL, "only over a control connection");
	if (to == NULL)
		return err_set(e, ENOTCONN, "%s: not connected", service);
	struct ask *a = asks_add(&c->asks, c->current, c->current_id, to, service, e);
	if (a == NULL)
		return -1;
	int len = proto_ask(msg, sizeof(msg), a->id, c->request + sizeof(a->id), c->current_len, e);
	if (len >= 0 && chan_send(to->fd, msg, (size_t)len, c->current_fd, e) == 0)
		return COMMAND_LATER;
	asks_cancel(a);
	return err_prefix(e, "%s", service);
}

/* A reply of a role, in c->reply: to the peer that asked, with its own number. */
static void pass_back(struct control_peer *role, size_t len)
{
	struct control *c = role->all;
	struct proto_reply r;
	struct err e;
	void *from;
	uint32_t from_id;
	if (proto_parse(c->reply, len, &r, &e) < 0 || r.kind == PROTO_EVENT) {
		send_error(role, 0, "malformed reply");
		return;
	}
	/* Late, or for somebody who has gone. */
	if (!asks_take(&c->asks, r.id, role, &from, &from_id) || from == NULL)
		return;
	send_frame(from, from_id, r.kind, r.len);
}

static void answer(struct control_peer *p, size_t len)
{
	struct control *c = p->all;
	struct err e = {0};
	struct json j;
	struct buf b;
	uint32_t id = 0;
	if (len <= sizeof(id)) {
		send_error(p, 0, "malformed request: too short");
		return;
	}
	memcpy(&id, c->request, sizeof(id));
	p->used = ++c->turn;
	c->current = p;
	c->current_id = id;
	c->current_len = len - sizeof(id);
	buf_init(&b, c->reply + PROTO_REPLY_HEAD, LIMIT_REPLY - PROTO_REPLY_HEAD);
	json_init(&j, &b);
	int rc = command_run(c->commands, p->kind, c->request + sizeof(id), len - sizeof(id), &j, &e);
	c->current = NULL;
	if (p->fd < 0)
		return;
	if (rc == 0 && !json_ok(&j))
		rc = err_set(&e, EMSGSIZE, "the answer is longer than %d bytes", LIMIT_REPLY);
	p->asked = p->asked || rc >= 0;
	if (rc < 0)
		send_error(p, id, e.text);
	else if (rc != COMMAND_LATER)
		send_frame(p, id, PROTO_OK, b.len);
}

/* A role's messages may be replies, which are longer than requests. */
static ssize_t receive(struct control_peer *p, bool *reply, struct err *e)
{
	struct control *c = p->all;
	bool role = p->kind != PEER_LOCAL && p->kind != PEER_WEB;
	const struct rights *r = rights_of(p->name);
	int *fd = r && r->fds ? &c->current_fd : NULL;
	*reply = false;
	if (!role)
		return chan_recv(p->fd, c->request, LIMIT_REQUEST, fd, e);
	ssize_t n = chan_recv(p->fd, c->reply, LIMIT_REPLY, fd, e);
	*reply = n > 0 && proto_is_reply(c->reply, (size_t)n);
	if (n <= 0 || *reply)
		return n;
	if (n > LIMIT_REQUEST)
		return err_set(e, EMSGSIZE, "a request of %zd bytes", n);
	memcpy(c->request, c->reply, (size_t)n);
	return n;
}

/* What came: n bytes, or the end, or an error. */
static void serve(struct control_peer *p, ssize_t n, bool reply, const struct err *e)
{
	if (n > 0 && reply) {
		pass_back(p, (size_t)n);
	} else if (n > 0) {
		answer(p, (size_t)n);
	} else if (n == 0) {
		drop(p, NULL);
	} else if (e->code == EMSGSIZE) {
		send_error(p, 0, "malformed request: too long");
	} else if (e->code != EAGAIN && e->code != EINTR) {
		drop(p, e->code == ECONNRESET ? NULL : e->text);
	}
}

static void on_readable(struct control_peer *p)
{
	struct control *c = p->all;
	struct err e;
	bool reply;
	if (!has_room(p)) {
		set_blocked(p, true);
		return;
	}
	ssize_t n = receive(p, &reply, &e);
	serve(p, n, reply, &e);
	if (c->current_fd >= 0)
		sys_close(c->current_fd);
	c->current_fd = -1;
}

static void on_peer(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct control_peer *p = arg;
	(void)l;
	(void)fd;
	if (events & EPOLLOUT) {
		set_blocked(p, false);
		if (p->fd >= 0)
			feed(p);
	} else if (events & EPOLLIN) {
		on_readable(p);
	} else if (events & (EPOLLHUP | EPOLLERR)) {
		drop(p, NULL);
	}
}

/* Lower is dropped first. */
static uint64_t worth(const struct control_peer *p)
{
	uint64_t rank = p->cursor != 0 ? 2 : (p->asked ? 1 : 0);
	return rank << 60 | (p->used & (UINT64_MAX >> 4));
}

/* A free place among [from, to), or that of the peer that is worth least. */
static struct control_peer *take_place(struct control *c, unsigned from, unsigned to)
{
	struct control_peer *least = &c->peer[from];
	for (unsigned i = from; i < to; i++) {
		if (c->peer[i].fd < 0)
			return &c->peer[i];
		if (worth(&c->peer[i]) < worth(least))
			least = &c->peer[i];
	}
	drop(least, "all places are taken and it is the least active");
	return least;
}

static int adopt(struct control_peer *p, int fd, enum peer kind, const char *name, struct err *e)
{
	struct control *c = p->all;
	if (str_copy(p->name, sizeof(p->name), name) < 0)
		return err_set(e, ENAMETOOLONG, "%s: name too long", name);
	if (loop_add(c->loop, fd, EPOLLIN, on_peer, p, e) < 0)
		return -1;
	p->fd = fd;
	p->kind = kind;
	p->asked = false;
	p->blocked = false;
	p->used = ++c->turn;
	p->cursor = 0;
	return 0;
}

static void on_again(struct loop *l, void *arg);

/* Out of descriptors: a level-triggered listener would spin, so it is left alone for a moment. */
static void pause_listening(struct control *c, const struct err *why)
{
	c->paused++;
	if ((c->paused & (c->paused - 1)) == 0)
		log_warnx("control", "no new connections for a moment: %s (%u times so far)", why->text, c->paused);
	loop_del(c->loop, c->listen_fd);
	loop_after(c->loop, &c->again, CONTROL_RETRY_MS, on_again, c);
}

static void on_listen(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct control *c = arg;
	struct err e;
	(void)l;
	(void)events;
	int peer = chan_accept(fd, &e);
	if (peer < 0) {
		if (e.code != EAGAIN && e.code != EINTR && e.code != ECONNABORTED)
			pause_listening(c, &e);
		return;
	}
	if (adopt(take_place(c, 0, LIMIT_PEERS), peer, PEER_LOCAL, "", &e) < 0) {
		log_warnx("control", "%s", e.text);
		sys_close(peer);
	}
}

static void on_again(struct loop *l, void *arg)
{
	struct control *c = arg;
	struct err e;
	if (loop_add(l, c->listen_fd, EPOLLIN, on_listen, c, &e) < 0)
		loop_after(l, &c->again, CONTROL_RETRY_MS, on_again, c);
}

int control_listen(struct control *c, struct err *e)
{
	if (c->listen_fd >= 0)
		return 0;
	int fd = chan_listen(PATH_CONTROL, 0600, e);
	if (fd < 0)
		return err_prefix(e, "control socket");
	if (loop_add(c->loop, fd, EPOLLIN, on_listen, c, e) < 0) {
		sys_close(fd);
		return err_prefix(e, "control socket");
	}
	c->listen_fd = fd;
	return 0;
}

static const struct rights *rights_of(const char *service)
{
	for (size_t i = 0; i < COUNT_OF(rights); i++) {
		if (str_eq(rights[i].service, service))
			return &rights[i];
	}
	return NULL;
}

int control_channel(struct control *c, const char *name, struct err *e)
{
	int fds[2];
	struct control_peer *p = NULL;
	for (unsigned i = LIMIT_PEERS; i < CONTROL_PEERS && p == NULL; i++) {
		if (str_eq(c->peer[i].name, name))
			p = &c->peer[i];
	}
	if (p == NULL)
		p = take_place(c, LIMIT_PEERS, CONTROL_PEERS);
	if (chan_pair(fds, e) < 0)
		return err_prefix(e, "control channel");
	drop(p, NULL);
	const struct rights *r = rights_of(name);
	if (adopt(p, fds[0], r ? r->kind : PEER_WEB, name, e) < 0) {
		sys_close(fds[0]);
		sys_close(fds[1]);
		return err_prefix(e, "control channel");
	}
	return fds[1];
}
