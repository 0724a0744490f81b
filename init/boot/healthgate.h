/* The health gate: a slot that was just installed is on trial until it has shown that it is well; one that does not in
 * time is given up. A pure table state x event -> next state, and a small runner around it.
 *
 *   off       no trial: this slot has proven itself, or nobody counts its tries.
 *   waiting   something that the settings ask for is missing.
 *   settling  all is there; it has to stay so for HEALTHGATE_SETTLE_MS.
 *   good      the slot is kept. Final.
 *   alone     the deadline has passed, but there is no other slot to go back to: the box stays up, degraded, and is
 *             kept as soon as it gets well after all.
 *   failed    the deadline has passed: this slot is marked bad and the box starts again, into the other one. Final.
 *
 * What it waits for and how long is the fact health: "waiting for node-ready, app-coredns; 7:12 left". */
#ifndef HEARTH_BOOT_HEALTHGATE_H
#define HEARTH_BOOT_HEALTHGATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/event.h"
#include "core/fact.h"
#include "loop/loop.h"

#define HEALTHGATE_STATES(X)                                                                                           \
	X(OFF, "off")                                                                                                  \
	X(WAITING, "waiting")                                                                                          \
	X(SETTLING, "settling")                                                                                        \
	X(GOOD, "good")                                                                                                \
	X(ALONE, "alone")                                                                                              \
	X(FAILED, "failed")

#define HEALTHGATE_EVENTS(X)                                                                                           \
	X(TRIAL, "trial")     /* this slot's entry has tries left */                                                   \
	X(WELL, "well")       /* nothing is missing */                                                                 \
	X(SICK, "sick")       /* something is */                                                                       \
	X(SETTLED, "settled") /* nothing was missing for long enough */                                                \
	X(LATE, "late")       /* the deadline has passed, another slot can boot */                                     \
	X(STUCK, "stuck")     /* the deadline has passed, no other slot can boot */                                    \
	X(NONE, "none")       /* there is no trial: it was begun by an early word that was wrong */

enum healthgate_state {
#define X(id, name) HEALTHGATE_##id,
	HEALTHGATE_STATES(X)
#undef X
		HEALTHGATE_STATE_COUNT
};

enum healthgate_event {
#define X(id, name) HEALTHGATE_EV_##id,
	HEALTHGATE_EVENTS(X)
#undef X
		HEALTHGATE_EV_COUNT
};

enum healthgate_state healthgate_next(enum healthgate_state s, enum healthgate_event ev);
const char *healthgate_state_name(enum healthgate_state s);
const char *healthgate_event_name(enum healthgate_event ev);

#define HEALTHGATE_TICK_MS   1000
#define HEALTHGATE_SETTLE_MS 10000

/* Adds what is missing, for people ("node-ready, app-coredns"); nothing: well. At most 100 bytes. */
typedef void healthgate_missing_fn(struct buf *out, void *arg);
/* The state changed; why: one sentence, for failed and alone what was missing. */
typedef void healthgate_changed_fn(enum healthgate_state s, const char *why, void *arg);

struct healthgate {
	struct loop *loop;
	struct facts *facts;
	struct events *events;
	healthgate_missing_fn *missing;
	healthgate_changed_fn *changed;
	void *arg;
	uint64_t begun;       /* clock_ms from which the deadline counts */
	uint64_t deadline_ms; /* may change while it runs: the settings come late */

	enum healthgate_state state;
	uint64_t well_since;
	char why[LIMIT_DETAIL];
	struct loop_timer tick;
};

/* The fact trial-boot is on; the rest of *g is set by its owner. A second call changes nothing. */
void healthgate_trial(struct healthgate *g);
/* What was begun is no trial, as was found out since. No effect behind a verdict. */
void healthgate_none(struct healthgate *g);
/* No more verdicts, and why. No effect without a trial, or after its end. */
void healthgate_stop(struct healthgate *g, const char *why);
/* Nothing stands against confirming this slot: there is no trial, or it went well. */
bool healthgate_allows(const struct healthgate *g);

#endif
