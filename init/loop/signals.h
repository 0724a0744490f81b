/* Signals arrive as loop events through one signalfd; they are blocked for good in this process
 * and unblocked again in children by loop/child. */
#ifndef HEARTH_LOOP_SIGNALS_H
#define HEARTH_LOOP_SIGNALS_H

#include "loop/loop.h"

typedef void signals_fn(struct loop *l, int signo, void *arg);

/* Blocks every signal in `list` (ended by 0) and delivers them to fn. Call before the first child, once per process:
 * a second call before signals_fini is an error (EBUSY). After a failure the signal mask is as before. */
MUST_CHECK int signals_init(struct loop *l, const int *list, signals_fn *fn, void *arg, struct err *e);
/* Stops the delivery; the signals stay blocked. For roles that end and for tests. */
void signals_fini(struct loop *l);

#endif
