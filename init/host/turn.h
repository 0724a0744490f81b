/* One at a time on the boot partition. Whoever reads the boot entries in order to change them, or writes anything
 * there, takes its turn first: a lock on PATH_RUN_ESP_TURN, which the kernel takes back from a process that dies. So
 * confirm, repair and update never see each other half-way. Reading alone needs no turn.
 *
 * A turn is short (a rename, a kernel put back); for the hours in which an update fills its own file there it has none,
 * and the open file keeps the ESP writable. Blocks without a limit of its own: that is the deadline of the service or
 * helper. Stage 1 is alone and needs none.
 *
 * A stop waits for whoever has had a turn: a change that is cut half-way harms nothing, but has to be made again. */
#ifndef HEARTH_HOST_TURN_H
#define HEARTH_HOST_TURN_H

#include "base/err.h"

/* A descriptor for turn_give, or -1. From now on this process takes no SIGTERM: it ends by itself, soon. */
MUST_CHECK int turn_take(struct err *e);
/* -1: nothing. */
void turn_give(int turn);

#endif
