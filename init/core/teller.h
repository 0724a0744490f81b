/* What a role with a control channel (descriptor 3) tells PID 1: named facts, without ever waiting.
 *
 * The last value of each fact counts. Changes are sent together, at most every TELLER_EVERY_MS; a channel that is full
 * is tried again. Without a channel (a test, a hand) they go to the log. */
#ifndef HEARTH_CORE_TELLER_H
#define HEARTH_CORE_TELLER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/fact.h"
#include "loop/loop.h"

#define TELLER_EVERY_MS 200
#define TELLER_SOON_MS  50 /* several changes of one event go together */

struct teller_fact {
	char name[LIMIT_NAME];
	enum fact_value value;
	bool due; /* PID 1 does not know it yet */
	char detail[LIMIT_DETAIL];
};

struct teller {
	struct loop *loop;
	int chan; /* -1: none */
	uint32_t id;
	struct loop_timer timer;
	uint64_t sent;    /* clock_ms of the last batch */
	const char *room; /* in log lines */
	struct teller_fact *fact;
	unsigned count, max;
};

/* Room for max facts is the caller's, and so is chan (-1: none), from which it reads the answers. */
void teller_init(struct teller *f, struct teller_fact *room_for, unsigned max);
void teller_open(struct teller *f, struct loop *l, int chan, const char *room);
/* detail is one sentence; what does not fit is cut. */
void teller_set(struct teller *f, const char *name, enum fact_value v, const char *detail);
void teller_fini(struct teller *f);

#endif
