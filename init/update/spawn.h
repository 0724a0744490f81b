/* The worker as a child process: its words, its user, and the descriptors that are all it has (update/worker). */
#ifndef HEARTH_UPDATE_SPAWN_H
#define HEARTH_UPDATE_SPAWN_H

#include "base/err.h"
#include "loop/child.h"
#include "update/order.h"
#include "update/place.h"

/* All is borrowed for the call. */
struct spawn_plan {
	const char *self; /* the program */
	const char *keys; /* folder */
	const char *ca;   /* NULL: the worker's own */
	const char *user; /* "": stay what we are (tests) */
	const struct order *order;
	const struct place *place; /* found and open, but for ORDER_CHECK */
	int channel;               /* the worker's end */
};

/* The running slot's kernel is opened for it here: without that, more is fetched. As child_spawn. */
MUST_CHECK int spawn_worker(struct child *c, const struct spawn_plan *p, child_exit_fn *on_exit, void *arg,
                            struct err *e);

#endif
