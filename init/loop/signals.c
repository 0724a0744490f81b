/* The one signalfd of a process; PID 1 and the roles that end gracefully use it.
 * No signal handler runs here: a signal is an event of the loop like any other. */
#include "loop/signals.h"

#include <errno.h>
#include <sys/epoll.h>

#include "base/sys.h"

#define BATCH 8 /* signals taken per event; epoll tells again while more are waiting */

/* File-static because a signal mask belongs to the whole process, and so there is one signalfd. */
static struct {
	int fd; /* -1: none */
	signals_fn *fn;
	void *arg;
} hub = {.fd = -1};

static void on_readable(struct loop *l, int fd, uint32_t events, void *arg)
{
	(void)events;
	(void)arg;
	struct signalfd_siginfo info[BATCH];
	ssize_t n = sys_read(fd, info, sizeof(info));
	for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(info[0]) && hub.fd == fd; i++)
		hub.fn(l, (int)info[i].ssi_signo, hub.arg);
}

static int open_hub(struct loop *l, const sigset_t *mask, struct err *e)
{
	hub.fd = sys_signalfd(-1, mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (hub.fd < 0)
		return err_sys(e, "signalfd");
	if (loop_add(l, hub.fd, EPOLLIN, on_readable, NULL, e) < 0) {
		err_prefix(e, "signals");
		sys_close(hub.fd);
		hub.fd = -1;
		return -1;
	}
	return 0;
}

int signals_init(struct loop *l, const int *list, signals_fn *fn, void *arg, struct err *e)
{
	sigset_t mask, old;
	if (hub.fd >= 0)
		return err_set(e, EBUSY, "signals: taken already");
	sigemptyset(&mask);
	for (; *list != 0; list++) {
		if (sigaddset(&mask, *list) < 0)
			return err_set(e, EINVAL, "signals: no such signal as %d", *list);
	}
	if (sys_sigprocmask(SIG_BLOCK, &mask, &old) < 0)
		return err_sys(e, "block signals");
	hub.fn = fn;
	hub.arg = arg;
	if (open_hub(l, &mask, e) == 0)
		return 0;
	(void)sys_sigprocmask(SIG_SETMASK, &old, NULL);
	return -1;
}

void signals_fini(struct loop *l)
{
	if (hub.fd < 0)
		return;
	loop_del(l, hub.fd);
	sys_close(hub.fd);
	hub.fd = -1;
}
