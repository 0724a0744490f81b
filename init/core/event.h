/* What happened, in order: a ring of the last LIMIT_EVENTS short sentences, numbered, with listeners.
 * It is what `events`, both consoles' boot progress and the HTTP API show. */
#ifndef HEARTH_CORE_EVENT_H
#define HEARTH_CORE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"

enum event_kind { EVENT_STAGE, EVENT_SERVICE, EVENT_FACT, EVENT_SYSTEM, EVENT_PROBLEM, EVENT_OWNER };

struct event {
	uint64_t seq; /* 1, 2, ...; 0: empty slot */
	uint64_t ms;  /* clock_ms */
	int64_t wall;
	enum event_kind kind;
	char name[LIMIT_NAME]; /* of the stage, service or fact */
	char text[LIMIT_DETAIL];
};

typedef void event_fn(const struct event *ev, void *arg);

struct events {
	struct event ring[LIMIT_EVENTS];
	uint64_t next;      /* seq of the next one */
	event_fn *listener; /* one: boot/wire, which feeds followers and the log */
	void *arg;
	uint64_t told; /* seq of the next one that the listener hears */
	bool telling;
};

void events_init(struct events *evs);
/* The listener hears of every event from now on, one at a time: those that it causes itself come after it returned.
 * The event is good during the call. */
void events_listen(struct events *evs, event_fn *fn, void *arg);
/* Never fails: a name or text that is too long is cut and ends in "...". */
void event_add(struct events *evs, enum event_kind kind, const char *name, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* The event with that number, or NULL when it is not kept any more or not there yet. */
const struct event *event_get(const struct events *evs, uint64_t seq);
/* Number of the oldest event kept. */
uint64_t event_oldest(const struct events *evs);
const char *event_kind_name(enum event_kind k); /* "stage", "service", "fact", "system", "problem", "owner" */

#endif
