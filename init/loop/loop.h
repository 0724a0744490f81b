/* The only epoll of a process: descriptors, timers and deferred work.
 *
 * One `struct loop` per process, in static storage of main. Callbacks run one at a time, from
 * loop_run, and must not block. A callback may add and remove any descriptor, its own included:
 * an event already fetched for a removed descriptor is dropped, not delivered to a later owner
 * of the same number. Timers are one timerfd armed for the earliest deadline: an idle loop has
 * no wake-ups. */
#ifndef HEARTH_LOOP_LOOP_H
#define HEARTH_LOOP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"

struct loop;
typedef void loop_fd_fn(struct loop *l, int fd, uint32_t events, void *arg);
typedef void loop_timer_fn(struct loop *l, void *arg);

/* Owned by whoever sets it; zero-initialise before first use; must outlive being armed. */
struct loop_timer {
	struct loop_timer *next; /* in loop->timers, by due */
	uint64_t due;            /* clock_ms */
	bool armed;
	loop_timer_fn *fn;
	void *arg;
};

struct loop_watch {
	int fd; /* -1: free */
	uint32_t serial;
	loop_fd_fn *fn;
	void *arg;
};

struct loop {
	int epoll_fd;
	int timer_fd;
	uint32_t serial; /* of the last loop_add or loop_mod */
	bool quit;
	uint64_t timer_set; /* what the timerfd is armed for, clock_ms; 0: not armed */
	struct loop_timer *timers;
	struct loop_watch watch[LIMIT_FDS];
};

MUST_CHECK int loop_init(struct loop *l, struct err *e);
/* Closes the loop's own two descriptors and disarms every timer. */
void loop_fini(struct loop *l);
/* events: EPOLLIN | EPOLLOUT | ...; the loop does not own fd and never closes it. A descriptor is watched once
 * (EEXIST). */
MUST_CHECK int loop_add(struct loop *l, int fd, uint32_t events, loop_fd_fn *fn, void *arg, struct err *e);
MUST_CHECK int loop_mod(struct loop *l, int fd, uint32_t events, struct err *e);
/* Before close(fd). Unknown descriptors are ignored. */
void loop_del(struct loop *l, int fd);
/* Arms (or re-arms) for clock_ms() + delay_ms; cannot fail. delay 0 = next round, so it also serves as deferred work.
 */
void loop_after(struct loop *l, struct loop_timer *t, uint64_t delay_ms, loop_timer_fn *fn, void *arg);
void loop_cancel(struct loop *l, struct loop_timer *t);
/* Waits for and delivers one batch of descriptors, then the timers that are due; 0, or -1 when epoll itself is broken.
 * Deadlines are absolute, so that under a hand-advanced clock with small numbers nothing waits for an armed timer. */
MUST_CHECK int loop_step(struct loop *l, struct err *e);
/* Steps until loop_quit. */
MUST_CHECK int loop_run(struct loop *l, struct err *e);
void loop_quit(struct loop *l);

#endif
