/* Readiness over a pipe. Run by PID 1.
 * Never trusts what it reads with more than "ready", never reads more than one small block per event. */
#include "service/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/sys.h"

#define BLOCK 256

static const char line[] = "READY=1\n";
#define LINE_LENGTH   (sizeof(line) - 1)
#define NOT_THIS_LINE LINE_LENGTH /* notify_matched: this line is another one, pass over its rest */

/* Feeds one byte; true when it completes the line. */
static bool feed(struct service *s, char c)
{
	if (s->notify_matched < NOT_THIS_LINE && c == line[s->notify_matched]) {
		if (++s->notify_matched < LINE_LENGTH)
			return false;
		s->notify_matched = 0;
		return true;
	}
	s->notify_matched = c == '\n' ? 0 : NOT_THIS_LINE;
	return false;
}

static void on_readable(struct loop *l, int fd, uint32_t events, void *arg)
{
	struct service *s = arg;
	char block[BLOCK];
	(void)l;
	(void)events;

	ssize_t n = sys_read(fd, block, sizeof(block));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	for (ssize_t i = 0; i < n; i++) {
		if (!feed(s, block[i]))
			continue;
		notify_close(s);
		s->all->deliver(s, EV_IS_READY, "");
		return;
	}
	if (n <= 0) /* closed without a word: its end or the start timeout decides */
		notify_close(s);
}

int notify_open(struct service *s, struct err *e)
{
	int fds[2];

	if (sys_pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "readiness pipe");
	s->notify_matched = 0;
	if (sys_fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0) {
		err_sys(e, "readiness pipe");
		goto fail;
	}
	if (loop_add(s->all->loop, fds[0], EPOLLIN, on_readable, s, e) < 0)
		goto fail;
	s->notify_fd = fds[0];
	return fds[1];
fail:
	sys_close(fds[0]);
	sys_close(fds[1]);
	return -1;
}

void notify_close(struct service *s)
{
	if (s->notify_fd < 0)
		return;
	loop_del(s->all->loop, s->notify_fd);
	sys_close(s->notify_fd);
	s->notify_fd = -1;
}
