/* What the consoles ask about updates (update/order.h has the words). PID 1 passes their words on over the role's
 * control channel (descriptor 3), on which the answers to the role's own requests come, too.
 *
 * `update` answers at once; `install` when the manifest is read and taken, or refused, or the source does not answer
 * (it is waited for then), and at once for an upload in parts; `upload` when its pipe is taken (console/web_upload.h is
 * the contract); `show` and `check` when it is read, or given up after ANSWERS_WAIT_MS. `snapshots`
 * (update/snapshots.h) answers at once. */
#ifndef HEARTH_UPDATE_ANSWERS_H
#define HEARTH_UPDATE_ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/inbox.h"
#include "loop/loop.h"
#include "update/conduct.h"
#include "update/seek.h"
#include "update/snapshots.h"

#define ANSWERS_WAIT_MS  18000 /* PID 1 waits 23 s */
#define ANSWERS_FACTS_MS 3000  /* for PID 1's list of facts, before an update is armed without it */

struct answers {
	struct loop *loop;
	struct inbox inbox;
	struct conduct *conduct;
	struct seek *seek;
	struct snapshots snapshots;
	uint32_t pending;     /* the ask that waits for `decided`; 0: none */
	enum order_verb verb; /* what it is about */
	bool facts;           /* the list of facts is asked for, for arming */
	bool world;           /* idem, for update/seek */
	struct loop_timer wait, facts_wait, world_wait;
	char out[LIMIT_REPLY];
};

/* chan: see core/inbox. */
MUST_CHECK int answers_init(struct answers *s, struct loop *l, int chan, struct conduct *c, struct seek *k,
                            struct err *e);
void answers_fini(struct answers *s);
/* The hooks of the conductor and of update/seek. */
void answers_decided(const struct err *e, void *arg);
void answers_arming(void *arg);
void answers_restart(const char *version, void *arg);
void answers_ask_world(void *arg);

/* Pure: the facts that matter before an update goes by itself; one that is missing is off. */
MUST_CHECK int answers_read_world(struct seek_world *w, const char *json, size_t len, struct err *e);
/* Pure: the facts of core/names that are on, "app-..." and "network-up", from PID 1's answer to `facts`. */
MUST_CHECK int answers_healthy(struct names *healthy, const char *json, size_t len, struct err *e);

#endif
