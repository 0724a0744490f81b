/* A role's line to PID 1 for one fact: connect, send, connect again. Runs in the role's own loop. It must never wait
 * for PID 1, and a PID 1 that is slow or gone is no reason to fail. */
#include "node/report.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "core/proto.h"
#include "loop/chan.h"

#define REPLY_BYTES 1024 /* answers to `fact` are one sentence */

static void on_timer(struct loop *l, void *arg);
static void on_readable(struct loop *l, int fd, uint32_t events, void *arg);

void report_init(struct report *r, struct loop *l, const char *fact)
{
	memset(r, 0, sizeof(*r));
	r->loop = l;
	r->fd = -1;
	r->retry_ms = REPORT_RETRY_MIN_MS;
	(void)!str_copy(r->name, sizeof(r->name), fact);
}

static void disconnect(struct report *r)
{
	if (r->fd < 0)
		return;
	loop_del(r->loop, r->fd);
	sys_close(r->fd);
	r->fd = -1;
}

static void try_later(struct report *r)
{
	loop_after(r->loop, &r->timer, r->retry_ms, on_timer, r);
	r->retry_ms = r->retry_ms * 2 < REPORT_RETRY_MAX_MS ? r->retry_ms * 2 : REPORT_RETRY_MAX_MS;
}

static int ensure_connected(struct report *r, struct err *e)
{
	if (r->fd >= 0)
		return 0;
	int fd = chan_connect(PATH_CONTROL, e);
	if (fd < 0)
		return -1;
	if (loop_add(r->loop, fd, EPOLLIN, on_readable, r, e) < 0) {
		sys_close(fd);
		return -1;
	}
	r->fd = fd;
	return 0;
}

static int send_value(struct report *r, struct err *e)
{
	char msg[LIMIT_REQUEST];
	const char *argv[] = {"fact", r->name, fact_value_name(r->value), r->detail};
	unsigned argc = r->detail[0] != '\0' ? 4 : 3;
	int len = proto_request(msg, sizeof(msg), ++r->id, argc, argv, e);
	return len < 0 ? -1 : chan_send(r->fd, msg, (size_t)len, -1, e);
}

static void push(struct report *r)
{
	struct err e = {0};
	loop_cancel(r->loop, &r->timer);
	if (ensure_connected(r, &e) < 0) {
		try_later(r);
		return;
	}
	if (send_value(r, &e) < 0) {
		if (e.code != EAGAIN)
			disconnect(r);
		try_later(r);
		return;
	}
	r->due = false;
}

static void on_timer(struct loop *l, void *arg)
{
	(void)l;
	push(arg);
}

static void on_readable(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct report *r = arg;
	struct err e = {0};
	struct proto_reply reply;
	char data[REPLY_BYTES + 1];
	(void)l;
	(void)events;
	ssize_t n = chan_recv(fd, data, sizeof(data) - 1, NULL, &e);
	if (n < 0 && e.code == EAGAIN)
		return;
	if (n <= 0) { /* PID 1 hung up: what it knew may be gone with the connection */
		disconnect(r);
		r->due = true;
		try_later(r);
		return;
	}
	r->retry_ms = REPORT_RETRY_MIN_MS;
	if (proto_parse(data, (size_t)n, &reply, &e) == 0 && reply.kind == PROTO_ERROR)
		log_warnx("report", "fact %s refused: %s", r->name, reply.text);
}

void report_set(struct report *r, enum fact_value v, const char *detail)
{
	char cut[LIMIT_DETAIL];
	size_t n = strnlen(detail, sizeof(cut) - 1);
	memcpy(cut, detail, n);
	cut[n] = '\0';
	if (r->value == v && str_eq(r->detail, cut) && v != FACT_UNKNOWN)
		return;
	r->value = v;
	memcpy(r->detail, cut, n + 1);
	r->due = true;
	push(r);
}

void report_fini(struct report *r)
{
	loop_cancel(r->loop, &r->timer);
	disconnect(r);
}
