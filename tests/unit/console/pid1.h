/* A stand-in for PID 1's end of the control socket, for tests of the console and of ctl: answers from a table, follows
 * a script of events, and can be slow, silent or gone. Everything in this process, without threads. */
#ifndef HEARTH_TESTS_CONSOLE_PID1_H
#define HEARTH_TESTS_CONSOLE_PID1_H

#include <linux/vt.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "core/proto.h"
#include "fake/sys.h"
#include "loop/chan.h"
#include "loop/loop.h"

#define PID1_PEERS 4

struct pid1_row {
	const char *request; /* words joined by one blank */
	enum proto_kind kind;
	const char *text;
};

struct pid1 {
	int listener, peer[PID1_PEERS];
	int follower; /* index of the peer that follows, -1: none */
	uint32_t follow_id;
	const struct pid1_row *rows; /* ended by request == NULL; no row: an error answer */
	bool silent;                 /* reads, does not answer */
	char last[256];              /* the request read last */
	unsigned requests;
};

static inline int pid1_open(struct pid1 *p, const char *path, const struct pid1_row *rows)
{
	struct err e = {0};
	memset(p, 0, sizeof(*p));
	p->rows = rows;
	p->follower = -1;
	for (int i = 0; i < PID1_PEERS; i++)
		p->peer[i] = -1;
	p->listener = chan_listen(path, 0600, &e);
	return p->listener < 0 ? -1 : 0;
}

static inline void pid1_drop(struct pid1 *p, int i)
{
	if (p->peer[i] >= 0)
		close(p->peer[i]);
	p->peer[i] = -1;
	if (p->follower == i)
		p->follower = -1;
}

static inline void pid1_close(struct pid1 *p)
{
	for (int i = 0; i < PID1_PEERS; i++)
		pid1_drop(p, i);
	if (p->listener >= 0)
		close(p->listener);
	p->listener = -1;
}

static inline void pid1_send(struct pid1 *p, int i, uint32_t id, enum proto_kind kind, const char *text)
{
	static char frame[LIMIT_REPLY];
	struct err e = {0};
	size_t n = strlen(text);
	memcpy(frame, &id, sizeof(id));
	frame[sizeof(id)] = (char)kind;
	memcpy(frame + PROTO_REPLY_HEAD, text, n);
	if (chan_send(p->peer[i], frame, n + PROTO_REPLY_HEAD, -1, &e))
		pid1_drop(p, i);
}

static inline void pid1_event(struct pid1 *p, const char *json)
{
	if (p->follower >= 0)
		pid1_send(p, p->follower, p->follow_id, PROTO_EVENT, json);
}

static inline void pid1_answer(struct pid1 *p, int i, uint32_t id)
{
	p->requests++;
	if (!strcmp(p->last, "events -f")) {
		p->follower = i;
		p->follow_id = id;
	}
	if (p->silent)
		return;
	for (const struct pid1_row *r = p->rows; r->request; r++)
		if (!strcmp(r->request, p->last)) {
			pid1_send(p, i, id, r->kind, r->text);
			return;
		}
	pid1_send(p, i, id, PROTO_ERROR, "unknown command");
}

static inline void pid1_read(struct pid1 *p, int i)
{
	char msg[LIMIT_REQUEST];
	struct err e = {0};
	uint32_t id;
	ssize_t n = chan_recv(p->peer[i], msg, sizeof(msg), NULL, &e);
	if (n < (ssize_t)sizeof(id)) {
		if (n == 0 || e.code != EAGAIN)
			pid1_drop(p, i);
		return;
	}
	memcpy(&id, msg, sizeof(id));
	size_t len = (size_t)n - sizeof(id) < sizeof(p->last) ? (size_t)n - sizeof(id) : sizeof(p->last);
	memcpy(p->last, msg + sizeof(id), len);
	for (size_t k = 0; k + 1 < len; k++)
		if (!p->last[k])
			p->last[k] = ' ';
	p->last[len - 1] = '\0';
	pid1_answer(p, i, id);
}

/* Handles what is there, after waiting up to timeout_ms for something. */
static inline void pid1_step(struct pid1 *p, int timeout_ms)
{
	struct pollfd fds[PID1_PEERS + 1];
	struct err e = {0};
	for (int i = 0; i < PID1_PEERS; i++)
		fds[i] = (struct pollfd){.fd = p->peer[i], .events = POLLIN};
	fds[PID1_PEERS] = (struct pollfd){.fd = p->listener, .events = POLLIN};
	if (p->listener < 0)
		return;
	if (poll(fds, PID1_PEERS + 1, timeout_ms) <= 0)
		return;
	for (int i = 0; i < PID1_PEERS; i++)
		if (fds[i].revents && p->peer[i] >= 0)
			pid1_read(p, i);
	for (int i = 0; fds[PID1_PEERS].revents && i < PID1_PEERS; i++)
		if (p->peer[i] < 0) {
			p->peer[i] = chan_accept(p->listener, &e);
			return;
		}
}

/* fake_ioctl for a socket that stands in for a terminal: a pseudo terminal hands its bytes on by a kernel thread, some
 * time, and a test that waits is slow or wrong. */
static inline int pid1_terminal_ioctl(int fd, unsigned long request, void *arg)
{
	(void)fd;
	(void)arg;
	return request == VT_GETSTATE ? -1 : 0;
}

/* Lets `rounds` times 50 ms of a hand-turned clock pass for l and for PID 1; sleeps never. fake_reset ends it. */
static inline int pid1_run(struct pid1 *p, struct loop *l, int rounds)
{
	struct err e = {0};
	int rc = 0;
	fake_epoll_wait = fake_epoll_now;
	if (fake_clock_ms < 0)
		fake_clock_ms = 1000;
	while (rounds-- > 0 && !rc) {
		fake_clock_ms += 50;
		pid1_step(p, 0);
		rc = loop_step(l, &e);
	}
	return rc;
}

#endif
