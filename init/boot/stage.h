/* Boot stages: a table that reads from top to bottom, and the small machine that runs it.
 *
 * A row has a start function (or NULL), a fact that completes it (or NULL), a stage that must be done before it, a
 * deadline, and what a failure means. States:
 *   waiting   the stage it needs is not done yet.
 *   running   started; waits for its fact. Past the deadline it becomes failed.
 *   done      the start function returned 0 and the fact, if there is one, is on.
 *   failed    the start function failed (it is tried again, slower and slower), or the deadline passed.
 * Nothing is final: a fact that comes late and a retry that works heal a failed stage.
 * Every change is an event of kind stage, so consoles, log and followers see it. Start functions must not block. */
#ifndef HEARTH_BOOT_STAGE_H
#define HEARTH_BOOT_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/event.h"
#include "core/fact.h"
#include "loop/loop.h"

/* What a failure means, from nothing to everything. */
enum stage_policy {
	STAGE_CONTINUE, /* nothing: the boot does not even wait for it */
	STAGE_OUTSIDE,  /* the box is degraded by what is outside of it: no fault of this slot */
	STAGE_DEGRADED, /* the box is degraded */
	STAGE_RESCUE    /* without it nothing works */
};
enum stage_state { STAGE_WAITING, STAGE_RUNNING, STAGE_DONE, STAGE_FAILED };

typedef int stage_start_fn(void *arg, struct err *e);

struct stage_row {
	const char *name;
	stage_start_fn *start;
	const char *fact;
	const char *needs; /* a row above */
	uint32_t deadline_ms;
	enum stage_policy policy;
	const char *what; /* what it waits for, for people: "an address" */
};

#define STAGE_MAX          16
#define STAGE_RETRY_MIN_MS 1000
#define STAGE_RETRY_MAX_MS 60000

struct stages;

struct stage {
	const struct stage_row *row;
	struct stages *all;
	enum stage_state state;
	bool started;   /* the start function returned 0 */
	uint64_t begun; /* clock_ms of the start */
	uint64_t since; /* clock_ms of the last change of state */
	uint32_t retry_ms;
	char detail[LIMIT_DETAIL]; /* why it failed; "" otherwise */
	struct loop_timer timer;   /* deadline, or next try */
};

typedef void stage_change_fn(const struct stage *s, void *arg);

struct stages {
	struct stage stage[STAGE_MAX];
	unsigned count;
	struct loop *loop;
	struct facts *facts;
	struct events *events;
	stage_change_fn *changed;
	void *arg; /* for start functions and changed */
	bool stopped;
};

/* rows: ended by name == NULL, outlives the struct; rows beyond STAGE_MAX and unknown `needs` are refused. */
MUST_CHECK int stages_init(struct stages *ss, const struct stage_row *rows, stage_change_fn *changed, void *arg,
                           struct err *e);
/* Starts every row whose need is met, in table order; more follow by themselves. */
void stages_begin(struct stages *ss);
/* Tells about a fact that changed. */
void stages_fact(struct stages *ss, const struct fact *f);
/* Drops the row of that name and all below it, as if they had never stood in the table; no such row: nothing. */
void stages_cut(struct stages *ss, const char *name);
/* Shutdown: no more retries, no more deadlines. */
void stages_stop(struct stages *ss);

/* No stage that matters (policy other than continue) is under way, and what waits, waits for a failed one. */
bool stages_settled(const struct stages *ss);
/* The same of all stages, whatever their policy: each is done, has failed, or waits for a failed one. Deadlines make
 * that come about in bounded time. */
bool stages_over(const struct stages *ss);
/* The worst policy among failed stages; STAGE_CONTINUE when none has failed. *first gets the first of that policy. */
enum stage_policy stages_verdict(const struct stages *ss, const struct stage **first);
/* "network: waiting for an address (eth0: no answer from a DHCP server yet)", or "" when nothing is waited for. The
 * most urgent one: what makes the box useless, then what is under way, then what has failed and is still hoped for. */
void stages_waiting(const struct stages *ss, struct buf *out);
const char *stage_state_name(enum stage_state s);

#endif
