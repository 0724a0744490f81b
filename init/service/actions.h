/* What the action bits of the state table do: spawn, signals, kill, timers, back-off. What comes back later (an exit,
 * a deadline, readiness) is delivered through s->all->deliver. */
#ifndef HEARTH_SERVICE_ACTIONS_H
#define HEARTH_SERVICE_ACTIONS_H

#include "service/model.h"

/* Does `actions` (enum fsm_action without ACT_SETTLE) for s, which came from state `from`. Returns the event that
 * follows at once (IS_READY, SPAWN_FAILED, TIMEOUT of a back-off of 0 ms) with the reason in why, or EV_COUNT. */
enum service_event actions_run(struct service *s, enum service_state from, unsigned actions, struct err *why);
/* SIGKILL to everything it may have running. */
void actions_kill(struct service *s);

#endif
