/* From the network's pace to the reader's; see web_upload.h. Runs in the web role. Never blocks, never reads. */
#include "console/web_upload.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/sys.h"

void web_upload_init(struct web_upload *u, struct loop *loop)
{
	memset(u, 0, sizeof(*u));
	u->loop = loop;
	u->fd = -1;
}

bool web_upload_busy(const struct web_upload *u)
{
	return u->fd >= 0;
}

int web_upload_begin(struct web_upload *u, uint64_t size, web_upload_fn *ready, void *arg, struct err *e)
{
	int ends[2];
	if (web_upload_busy(u))
		return err_set(e, EBUSY, "another upload is under way");
	if (sys_pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	/* Ours alone: the reader may want to wait. */
	if (sys_fcntl(ends[1], F_SETFL, O_WRONLY | O_NONBLOCK) < 0) {
		err_sys(e, "pipe");
		sys_close(ends[0]);
		sys_close(ends[1]);
		return -1;
	}
	web_upload_init(u, u->loop);
	u->fd = ends[1];
	u->left = size;
	u->paused = true;
	u->ready = ready;
	u->arg = arg;
	return ends[0];
}

/* As much as the pipe takes. -1: nobody reads. */
static int flush(struct web_upload *u)
{
	while (u->sent < u->held) {
		ssize_t n = sys_write(u->fd, u->data + u->sent, u->held - u->sent);
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && errno != EINTR)
			return -1;
		u->sent += n > 0 ? (size_t)n : 0;
	}
	u->held = u->sent = 0;
	return 0;
}

static void on_pipe(struct loop *l, int fd, uint32_t events, void *arg);

static void set_watched(struct web_upload *u, bool watched)
{
	struct err e;
	if (u->watched == watched)
		return;
	if (!watched)
		loop_del(u->loop, u->fd);
	/* The table of the loop has room for the one pipe; if not, the deadline of the connection ends it. */
	u->watched = watched && loop_add(u->loop, u->fd, EPOLLOUT, on_pipe, u, &e) == 0;
}

static enum web_upload_state step(struct web_upload *u)
{
	if (u->paused)
		return WEB_UPLOAD_WAIT;
	if (flush(u) < 0)
		return WEB_UPLOAD_GONE;
	set_watched(u, u->held > 0);
	if (u->held > 0)
		return WEB_UPLOAD_WAIT;
	return u->left > 0 ? WEB_UPLOAD_MORE : WEB_UPLOAD_DONE;
}

static void on_pipe(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct web_upload *u = arg;
	(void)l;
	(void)fd;
	(void)events;
	enum web_upload_state now = step(u);
	if (now == WEB_UPLOAD_WAIT)
		return;
	set_watched(u, false);
	u->ready(now, u->arg);
}

enum web_upload_state web_upload_open(struct web_upload *u)
{
	u->paused = false;
	return step(u);
}

enum web_upload_state web_upload_feed(struct web_upload *u, const void *data, size_t len)
{
	if (len > u->left || len > sizeof(u->data) - u->held)
		return WEB_UPLOAD_GONE;
	memcpy(u->data + u->held, data, len);
	u->held += len;
	u->left -= len;
	return step(u);
}

void web_upload_end(struct web_upload *u)
{
	if (!web_upload_busy(u))
		return;
	set_watched(u, false);
	sys_close(u->fd);
	u->fd = -1;
}
