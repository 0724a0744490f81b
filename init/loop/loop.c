/* The one epoll of a process with its descriptors and timers; every role with more than one thing to do runs it.
 * It never allocates, never spins, never blocks outside epoll_wait, and does a bounded amount of work per step. */
#include "loop/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>

#include "base/clock.h"
#include "base/sys.h"

#define BATCH       32           /* events taken per step; the kernel rotates what is left */
#define TIMER_TAG   UINT64_MAX   /* epoll data of the timerfd; no watch has that index */
#define FALLBACK_MS 1000         /* longest wait when the timerfd refuses to be set */
#define NO_EVENT    ((size_t)-1) /* no such watch */

/* What epoll hands back: which watch, and which user of it. */
static uint64_t tag_of(size_t i, uint32_t serial)
{
	return (uint64_t)serial << 32 | i;
}

/* fd -1 finds a free place. */
static size_t find(const struct loop *l, int fd)
{
	for (size_t i = 0; i < LIMIT_FDS; i++) {
		if (l->watch[i].fd == fd)
			return i;
	}
	return NO_EVENT;
}

static int control(struct loop *l, int op, size_t i, int fd, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.u64 = tag_of(i, l->serial + 1)};
	if (sys_epoll_ctl(l->epoll_fd, op, fd, &ev) < 0)
		return -1;
	l->watch[i].serial = ++l->serial;
	return 0;
}

int loop_init(struct loop *l, struct err *e)
{
	*l = (struct loop){.epoll_fd = -1, .timer_fd = -1};
	for (size_t i = 0; i < LIMIT_FDS; i++)
		l->watch[i].fd = -1;
	/* Edge triggered: an expiry wakes the loop once and need not be read. */
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.u64 = TIMER_TAG};
	l->epoll_fd = sys_epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd < 0)
		return err_sys(e, "epoll");
	l->timer_fd = sys_timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->timer_fd >= 0 && sys_epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->timer_fd, &ev) == 0)
		return 0;
	err_sys(e, "timer of the loop");
	loop_fini(l);
	return -1;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		sys_close(*fd);
	*fd = -1;
}

void loop_fini(struct loop *l)
{
	while (l->timers)
		loop_cancel(l, l->timers);
	for (size_t i = 0; i < LIMIT_FDS; i++)
		l->watch[i].fd = -1;
	close_one(&l->timer_fd);
	close_one(&l->epoll_fd);
}

int loop_add(struct loop *l, int fd, uint32_t events, loop_fd_fn *fn, void *arg, struct err *e)
{
	if (fd < 0)
		return err_set(e, EBADF, "watch descriptor %d: not open", fd);
	if (find(l, fd) != NO_EVENT)
		return err_set(e, EEXIST, "watch descriptor %d: watched already", fd);
	size_t i = find(l, -1);
	if (i == NO_EVENT)
		return err_set(e, ENOSPC, "watch descriptor %d: all %d places are taken", fd, LIMIT_FDS);
	if (control(l, EPOLL_CTL_ADD, i, fd, events) < 0)
		return err_sys(e, "watch descriptor %d", fd);
	l->watch[i].fd = fd;
	l->watch[i].fn = fn;
	l->watch[i].arg = arg;
	return 0;
}

/* The new serial also drops an event of the old kind that was fetched already; if it still holds, it comes again. */
int loop_mod(struct loop *l, int fd, uint32_t events, struct err *e)
{
	size_t i = fd < 0 ? NO_EVENT : find(l, fd);
	if (i == NO_EVENT)
		return err_set(e, ENOENT, "watch descriptor %d: not watched", fd);
	if (control(l, EPOLL_CTL_MOD, i, fd, events) < 0)
		return err_sys(e, "watch descriptor %d", fd);
	return 0;
}

void loop_del(struct loop *l, int fd)
{
	size_t i = fd < 0 ? NO_EVENT : find(l, fd);
	if (i == NO_EVENT)
		return;
	struct epoll_event ev = {0};
	/* Fails only when fd has been closed too early, and then the kernel has forgotten it by itself. */
	(void)sys_epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, fd, &ev);
	l->watch[i].fd = -1;
}

void loop_after(struct loop *l, struct loop_timer *t, uint64_t delay_ms, loop_timer_fn *fn, void *arg)
{
	uint64_t now = clock_ms();
	loop_cancel(l, t);
	t->due = delay_ms < UINT64_MAX - now ? now + delay_ms : UINT64_MAX;
	t->fn = fn;
	t->arg = arg;
	t->armed = true;
	struct loop_timer **at = &l->timers;
	while (*at && (*at)->due <= t->due) /* behind its equals: first armed, first called */
		at = &(*at)->next;
	t->next = *at;
	*at = t;
}

void loop_cancel(struct loop *l, struct loop_timer *t)
{
	if (!t->armed)
		return;
	t->armed = false;
	for (struct loop_timer **at = &l->timers; *at; at = &(*at)->next) {
		if (*at != t)
			continue;
		*at = t->next;
		t->next = NULL;
		return;
	}
}

static int set_timerfd(struct loop *l, uint64_t due)
{
	struct itimerspec at = {.it_value = {(time_t)(due / 1000), (long)(due % 1000) * 1000000}};
	if (sys_timerfd_settime(l->timer_fd, TFD_TIMER_ABSTIME, &at, NULL) < 0)
		return -1;
	l->timer_set = due;
	return 0;
}

/* How long epoll may wait, in its own terms. The timerfd is touched only when the earliest deadline has changed. */
static int prepare_wait(struct loop *l)
{
	uint64_t due = l->timers ? l->timers->due : 0;
	uint64_t now = l->timers ? clock_ms() : 0;
	if (l->timers && due <= now)
		return 0;
	if (due == l->timer_set || set_timerfd(l, due) == 0)
		return -1;
	if (due == 0)
		return -1; /* not disarmed: one needless wake-up */
	return (int)(due - now < FALLBACK_MS ? due - now : FALLBACK_MS);
}

static void deliver(struct loop *l, const struct epoll_event *ev)
{
	if (ev->data.u64 == TIMER_TAG) {
		l->timer_set = 0; /* it has run out */
		return;
	}
	struct loop_watch *w = &l->watch[(uint32_t)ev->data.u64];
	if (w->fd >= 0 && w->serial == ev->data.u64 >> 32)
		w->fn(l, w->fd, ev->events, w->arg);
}

/* Those due now and no more: a timer that re-arms itself for now has its turn in the next step. */
static void run_timers(struct loop *l)
{
	if (!l->timers)
		return;
	uint64_t now = clock_ms();
	size_t n = 0;
	for (struct loop_timer *t = l->timers; t && t->due <= now; t = t->next)
		n++;
	for (; n > 0 && l->timers && l->timers->due <= now; n--) {
		struct loop_timer *t = l->timers;
		loop_cancel(l, t);
		t->fn(l, t->arg);
	}
}

int loop_step(struct loop *l, struct err *e)
{
	struct epoll_event ev[BATCH];
	int n = sys_epoll_wait(l->epoll_fd, ev, BATCH, prepare_wait(l));
	if (n < 0 && errno != EINTR)
		return err_sys(e, "epoll_wait");
	for (int i = 0; i < n; i++)
		deliver(l, &ev[i]);
	run_timers(l);
	return 0;
}

int loop_run(struct loop *l, struct err *e)
{
	while (!l->quit) {
		if (loop_step(l, e) < 0)
			return -1;
	}
	return 0;
}

void loop_quit(struct loop *l)
{
	l->quit = true;
}
