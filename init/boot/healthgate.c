/* The health gate; see healthgate.h. The table is walked cell by cell by its test; the runner looks once a second, and
 * only while there is a trial. Never blocks, never restarts the box itself. */
#include "boot/healthgate.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"

#define FACT       "health"
#define FACT_OTHER "slot-other" /* on: the boot loader would start the other slot; see node/slot.c */
#define MISSING    128

static const enum healthgate_state table[HEALTHGATE_STATE_COUNT][HEALTHGATE_EV_COUNT] = {
#define S(id) HEALTHGATE_##id
	/* trial, well, sick, settled, late, stuck, none */
	[HEALTHGATE_OFF] = {S(WAITING), S(OFF), S(OFF), S(OFF), S(OFF), S(OFF), S(OFF)},
	[HEALTHGATE_WAITING] = {S(WAITING), S(SETTLING), S(WAITING), S(WAITING), S(FAILED), S(ALONE), S(OFF)},
	[HEALTHGATE_SETTLING] = {S(SETTLING), S(SETTLING), S(WAITING), S(GOOD), S(SETTLING), S(SETTLING), S(OFF)},
	[HEALTHGATE_GOOD] = {S(GOOD), S(GOOD), S(GOOD), S(GOOD), S(GOOD), S(GOOD), S(GOOD)},
	[HEALTHGATE_ALONE] = {S(ALONE), S(SETTLING), S(ALONE), S(ALONE), S(FAILED), S(ALONE), S(ALONE)},
	[HEALTHGATE_FAILED] = {S(FAILED), S(FAILED), S(FAILED), S(FAILED), S(FAILED), S(FAILED), S(FAILED)},
#undef S
};

static const char *const states[] = {
#define X(id, name) name,
	HEALTHGATE_STATES(X)
#undef X
};

static const char *const events[] = {
#define X(id, name) name,
	HEALTHGATE_EVENTS(X)
#undef X
};

enum healthgate_state healthgate_next(enum healthgate_state s, enum healthgate_event ev)
{
	return s < HEALTHGATE_STATE_COUNT && ev < HEALTHGATE_EV_COUNT ? table[s][ev] : s;
}

const char *healthgate_state_name(enum healthgate_state s)
{
	return s < HEALTHGATE_STATE_COUNT ? states[s] : "?";
}

const char *healthgate_event_name(enum healthgate_event ev)
{
	return ev < HEALTHGATE_EV_COUNT ? events[ev] : "?";
}

bool healthgate_allows(const struct healthgate *g)
{
	return g->state == HEALTHGATE_OFF || g->state == HEALTHGATE_GOOD;
}

static bool is_over(const struct healthgate *g)
{
	return g->state == HEALTHGATE_OFF || g->state == HEALTHGATE_GOOD || g->state == HEALTHGATE_FAILED;
}

/* ---- what is said ---- */

static void add_time(struct buf *b, uint64_t ms)
{
	unsigned long long s = (ms + 999) / 1000;
	buf_addf(b, "%llu:%02llu", s / 60, s % 60);
}

static uint64_t left(const struct healthgate *g)
{
	uint64_t end = g->begun + g->deadline_ms;
	return end > clock_ms() ? end - clock_ms() : 0;
}

static void say_waiting(const struct healthgate *g, const char *missing, struct buf *b)
{
	buf_addf(b, "waiting for %s; ", missing);
	add_time(b, left(g));
	buf_add(b, " left");
}

static void say_settling(const struct healthgate *g, const char *missing, struct buf *b)
{
	(void)g;
	(void)missing;
	buf_addf(b, "all is there; kept when it stays so for %d s", HEALTHGATE_SETTLE_MS / 1000);
}

static void say_good(const struct healthgate *g, const char *missing, struct buf *b)
{
	(void)missing;
	buf_add(b, "well after ");
	add_time(b, clock_ms() - g->begun);
	buf_add(b, "; the new slot is kept");
}

static void say_off(const struct healthgate *g, const char *missing, struct buf *b)
{
	(void)g;
	(void)missing;
	buf_add(b, "no trial: the boot entries say so");
}

static void say_late(const struct healthgate *g, const char *missing, struct buf *b)
{
	buf_addf(b, "still without %s after ", missing);
	add_time(b, g->deadline_ms);
}

static void say_alone(const struct healthgate *g, const char *missing, struct buf *b)
{
	say_late(g, missing, b);
	buf_add(b, "; no other slot to go back to");
}

static void (*const sayings[])(const struct healthgate *g, const char *missing, struct buf *b) = {
	[HEALTHGATE_OFF] = say_off,   [HEALTHGATE_WAITING] = say_waiting, [HEALTHGATE_SETTLING] = say_settling,
	[HEALTHGATE_GOOD] = say_good, [HEALTHGATE_ALONE] = say_alone,     [HEALTHGATE_FAILED] = say_late,
};

static const enum fact_value values[HEALTHGATE_STATE_COUNT] = {
	[HEALTHGATE_OFF] = FACT_UNKNOWN, [HEALTHGATE_WAITING] = FACT_OFF, [HEALTHGATE_SETTLING] = FACT_OFF,
	[HEALTHGATE_GOOD] = FACT_ON,     [HEALTHGATE_ALONE] = FACT_OFF,   [HEALTHGATE_FAILED] = FACT_OFF,
};

/* ---- the runner ---- */

/* The one writer of the gate's state. */
static void deliver(struct healthgate *g, enum healthgate_event ev, const char *missing)
{
	enum healthgate_state before = g->state;
	struct buf b;
	g->state = healthgate_next(before, ev);
	if (g->state == before)
		return;
	if (g->state == HEALTHGATE_SETTLING)
		g->well_since = clock_ms();
	buf_init(&b, g->why, sizeof(g->why));
	sayings[g->state](g, missing, &b);
	if (is_over(g) || g->state == HEALTHGATE_ALONE) /* the rest is told by the fact */
		event_add(g->events, EVENT_SYSTEM, FACT, "%s: %s", healthgate_state_name(g->state), g->why);
	fact_set(g->facts, FACT, values[g->state], g->why);
	g->changed(g->state, g->why, g->arg);
}

/* Only the time that is left has changed, or what is missing. */
static void tell_progress(struct healthgate *g, const char *missing)
{
	struct buf b;
	if (g->state != HEALTHGATE_WAITING)
		return;
	buf_init(&b, g->why, sizeof(g->why));
	say_waiting(g, missing, &b);
	fact_set(g->facts, FACT, FACT_OFF, g->why);
}

static void look(struct healthgate *g)
{
	char missing[MISSING];
	struct buf b;
	buf_init(&b, missing, sizeof(missing));
	g->missing(&b, g->arg);
	deliver(g, b.len == 0 ? HEALTHGATE_EV_WELL : HEALTHGATE_EV_SICK, missing);
	if (g->state == HEALTHGATE_SETTLING && clock_ms() - g->well_since >= HEALTHGATE_SETTLE_MS)
		deliver(g, HEALTHGATE_EV_SETTLED, missing);
	if (left(g) == 0)
		deliver(g, fact_get(g->facts, FACT_OTHER) == FACT_ON ? HEALTHGATE_EV_LATE : HEALTHGATE_EV_STUCK,
		        missing);
	tell_progress(g, missing);
}

static void on_tick(struct loop *l, void *arg)
{
	struct healthgate *g = arg;
	loop_after(l, &g->tick, HEALTHGATE_TICK_MS, on_tick, g);
	look(g);
	if (is_over(g))
		loop_cancel(l, &g->tick);
}

void healthgate_trial(struct healthgate *g)
{
	char missing[MISSING];
	struct buf b;
	if (g->state != HEALTHGATE_OFF)
		return;
	buf_init(&b, missing, sizeof(missing));
	g->missing(&b, g->arg);
	deliver(g, HEALTHGATE_EV_TRIAL, b.len > 0 ? missing : "a look around");
	loop_after(g->loop, &g->tick, HEALTHGATE_TICK_MS, on_tick, g);
}

void healthgate_stop(struct healthgate *g, const char *why)
{
	struct buf b;
	loop_cancel(g->loop, &g->tick);
	if (is_over(g))
		return;
	buf_init(&b, g->why, sizeof(g->why));
	buf_addf(&b, "no verdict: %s", why);
	fact_set(g->facts, FACT, FACT_OFF, g->why);
}

void healthgate_none(struct healthgate *g)
{
	deliver(g, HEALTHGATE_EV_NONE, "");
	if (g->state != HEALTHGATE_OFF)
		return;
	loop_cancel(g->loop, &g->tick);
	g->why[0] = '\0';
}
