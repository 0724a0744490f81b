/* The join between libwebsockets and loop/loop. Runs in the web role. Decides nothing about requests. */
#include "console/web_pump.h"

#include <libwebsockets.h>
#include <sys/epoll.h>

#include "base/log.h"
#include "base/str.h"

#define IDLE_MS 3600000 /* what the library is offered; it answers with when it really wants to be called */

_Static_assert(POLLIN == EPOLLIN && POLLOUT == EPOLLOUT && POLLERR == EPOLLERR && POLLHUP == EPOLLHUP,
               "poll(2) and epoll(7) number their events alike");

static int find(const struct web_pump *p, int fd)
{
	for (size_t i = 0; i < COUNT_OF(p->watch); i++)
		if (p->watch[i].fd == fd)
			return (int)i;
	return -1;
}

/* Work that is left over inside the library: decrypted bytes that no descriptor will announce. */
static void on_timer(struct loop *loop, void *arg)
{
	struct web_pump *p = arg;
	(void)loop;
	_lws_plat_service_forced_tsi(p->context, 0);
	web_pump_kick(p);
}

void web_pump_kick(struct web_pump *p)
{
	int wait_ms = lws_service_adjust_timeout(p->context, IDLE_MS, 0);
	loop_after(p->loop, &p->timer, wait_ms > 0 ? (uint64_t)wait_ms : 0, on_timer, p);
}

static void on_fd(struct loop *loop, int fd, uint32_t events, void *arg)
{
	struct web_pump *p = arg;
	int i = find(p, fd);
	(void)loop;
	if (i < 0)
		return;
	/* Both directions are shut: nobody is there to be answered. The library knows it by two bits at once, of which
	 * the kernel may set one, and else would wait for ever for what it has left to be taken. */
	bool over = events & EPOLLHUP;
	struct lws_pollfd pfd = {
		.fd = fd,
		.events = (short)p->watch[i].events,
		.revents = over ? LWS_POLLHUP : (short)events,
	};
	lws_service_fd(p->context, &pfd);
	if (over && p->watch[i].fd == fd) /* bytes that it has not looked at yet keep it from closing */
		lws_set_timeout(p->watch[i].wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
	web_pump_kick(p);
}

static struct web_pump *pump_of(struct lws *wsi)
{
	struct web_pump **p = lws_evlib_wsi_to_evlib_pt(wsi);
	return *p;
}

static int init_pt(struct lws_context *context, void *loop, int tsi)
{
	struct web_pump **p = lws_evlib_tsi_to_evlib_pt(context, tsi);
	*p = loop;
	return 0;
}

static int add(struct lws *wsi)
{
	struct web_pump *p = pump_of(wsi);
	struct err e;
	int i = find(p, -1), fd = lws_get_socket_fd(wsi);
	if (i < 0)
		return 1;
	if (loop_add(p->loop, fd, EPOLLIN, on_fd, p, &e)) {
		log_warnx("web", "new connection: %s", e.text);
		return 1;
	}
	p->watch[i].fd = fd;
	p->watch[i].events = EPOLLIN;
	p->watch[i].wsi = wsi;
	return 0;
}

static void change(struct lws *wsi, unsigned flags)
{
	struct web_pump *p = pump_of(wsi);
	int i = find(p, lws_get_socket_fd(wsi));
	struct err e;
	if (i < 0)
		return;
	uint32_t before = p->watch[i].events;
	uint32_t bits = (flags & LWS_EV_READ ? EPOLLIN : 0) | (flags & LWS_EV_WRITE ? EPOLLOUT : 0);
	uint32_t now = flags & LWS_EV_START ? before | bits : before & ~bits;
	if (now == before)
		return;
	p->watch[i].events = now;
	if (loop_mod(p->loop, p->watch[i].fd, now, &e))
		log_warnx("web", "connection: %s", e.text);
}

/* Called before the library closes the descriptor. */
static int removed(struct lws *wsi)
{
	struct web_pump *p = pump_of(wsi);
	int fd = lws_get_socket_fd(wsi), i = fd < 0 ? -1 : find(p, fd);
	if (i < 0)
		return 0;
	loop_del(p->loop, fd);
	p->watch[i].fd = -1;
	return 0;
}

void web_pump_init(struct web_pump *p, struct loop *loop)
{
	p->loop = loop;
	for (size_t i = 0; i < COUNT_OF(p->watch); i++)
		p->watch[i].fd = -1;
}

const struct lws_plugin_evlib *web_pump_ops(void)
{
	static const struct lws_event_loop_ops ops = {
		.name = "hearth",
		.init_pt = init_pt,
		.sock_accept = add,
		.io = change,
		.wsi_logical_close = removed,
		.evlib_size_pt = sizeof(struct web_pump *),
	};
	static const lws_plugin_evlib_t evlib = {
		.hdr = {"hearth", "lws_evlib_plugin", LWS_BUILD_HASH, LWS_PLUGIN_API_MAGIC},
		.ops = &ops,
	};
	return &evlib;
}
