/* The health gate; see gate.h. The table is walked cell by cell by its test; the runner looks once a second, and only
 * while there is a trial. Never blocks, never restarts the box itself. */
#include "boot/gate.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"

#define FACT       "health"
#define FACT_OTHER "slot-other" /* on: the other slot holds a system that the boot loader would start */
#define MISSING    128

static const enum gate_state table[GATE_STATE_COUNT][GATE_EV_COUNT] = {
	/*                  trial          well           sick          settled       late           stuck */
	[GATE_OFF] = {GATE_WAITING, GATE_OFF, GATE_OFF, GATE_OFF, GATE_OFF, GATE_OFF},
	[GATE_WAITING] = {GATE_WAITING, GATE_SETTLING, GATE_WAITING, GATE_WAITING, GATE_FAILED, GATE_ALONE},
	[GATE_SETTLING] = {GATE_SETTLING, GATE_SETTLING, GATE_WAITING, GATE_GOOD, GATE_SETTLING, GATE_SETTLING},
	[GATE_GOOD] = {GATE_GOOD, GATE_GOOD, GATE_GOOD, GATE_GOOD, GATE_GOOD, GATE_GOOD},
	[GATE_ALONE] = {GATE_ALONE, GATE_SETTLING, GATE_ALONE, GATE_ALONE, GATE_FAILED, GATE_ALONE},
	[GATE_FAILED] = {GATE_FAILED, GATE_FAILED, GATE_FAILED, GATE_FAILED, GATE_FAILED, GATE_FAILED},
};

static const char *const states[] = {
#define X(id, name) name,
	GATE_STATES(X)
#undef X
};

static const char *const events[] = {
#define X(id, name) name,
	GATE_EVENTS(X)
#undef X
};

enum gate_state gate_next(enum gate_state s, enum gate_event ev)
{
	return s < GATE_STATE_COUNT && ev < GATE_EV_COUNT ? table[s][ev] : s;
}

const char *gate_state_name(enum gate_state s)
{
	return s < GATE_STATE_COUNT ? states[s] : "?";
}

const char *gate_event_name(enum gate_event ev)
{
	return ev < GATE_EV_COUNT ? events[ev] : "?";
}

bool gate_allows(const struct gate *g)
{
	return g->state == GATE_OFF || g->state == GATE_GOOD;
}

static bool is_over(const struct gate *g)
{
	return g->state == GATE_OFF || g->state == GATE_GOOD || g->state == GATE_FAILED;
}

/* ---- what is said ---- */

static void add_time(struct buf *b, uint64_t ms)
{
	unsigned long long s = (ms + 999) / 1000;
	buf_addf(b, "%llu:%02llu", s / 60, s % 60);
}

static uint64_t left(const struct gate *g)
{
	uint64_t end = g->begun + g->deadline_ms;
	return end > clock_ms() ? end - clock_ms() : 0;
}

static void say_waiting(const struct gate *g, const char *missing, struct buf *b)
{
	buf_addf(b, "waiting for %s; ", missing);
	add_time(b, left(g));
	buf_add(b, " left");
}

static void say_settling(const struct gate *g, const char *missing, struct buf *b)
{
	(void)g;
	(void)missing;
	buf_addf(b, "all is there; kept when it stays so for %d s", GATE_SETTLE_MS / 1000);
}

static void say_good(const struct gate *g, const char *missing, struct buf *b)
{
	(void)missing;
	buf_add(b, "well after ");
	add_time(b, clock_ms() - g->begun);
	buf_add(b, "; the new slot is kept");
}

static void say_late(const struct gate *g, const char *missing, struct buf *b)
{
	buf_addf(b, "still without %s after ", missing);
	add_time(b, g->deadline_ms);
}

static void say_alone(const struct gate *g, const char *missing, struct buf *b)
{
	say_late(g, missing, b);
	buf_add(b, "; no other slot to go back to");
}

static void (*const sayings[])(const struct gate *g, const char *missing, struct buf *b) = {
	[GATE_WAITING] = say_waiting, [GATE_SETTLING] = say_settling, [GATE_GOOD] = say_good,
	[GATE_ALONE] = say_alone,     [GATE_FAILED] = say_late,
};

/* ---- the runner ---- */

/* The one writer of the gate's state. */
static void deliver(struct gate *g, enum gate_event ev, const char *missing)
{
	enum gate_state before = g->state;
	struct buf b;
	g->state = gate_next(before, ev);
	if (g->state == before)
		return;
	if (g->state == GATE_SETTLING)
		g->well_since = clock_ms();
	buf_init(&b, g->why, sizeof(g->why));
	sayings[g->state](g, missing, &b);
	if (is_over(g) || g->state == GATE_ALONE) /* the rest is told by the fact */
		event_add(g->events, EVENT_SYSTEM, FACT, "%s: %s", gate_state_name(g->state), g->why);
	fact_set(g->facts, FACT, g->state == GATE_GOOD ? FACT_ON : FACT_OFF, g->why);
	g->changed(g->state, g->why, g->arg);
}

/* Only the time that is left has changed, or what is missing. */
static void tell_progress(struct gate *g, const char *missing)
{
	struct buf b;
	if (g->state != GATE_WAITING)
		return;
	buf_init(&b, g->why, sizeof(g->why));
	say_waiting(g, missing, &b);
	fact_set(g->facts, FACT, FACT_OFF, g->why);
}

static void look(struct gate *g)
{
	char missing[MISSING];
	struct buf b;
	buf_init(&b, missing, sizeof(missing));
	g->missing(&b, g->arg);
	deliver(g, b.len == 0 ? GATE_EV_WELL : GATE_EV_SICK, missing);
	if (g->state == GATE_SETTLING && clock_ms() - g->well_since >= GATE_SETTLE_MS)
		deliver(g, GATE_EV_SETTLED, missing);
	if (left(g) == 0)
		deliver(g, fact_get(g->facts, FACT_OTHER) == FACT_ON ? GATE_EV_LATE : GATE_EV_STUCK, missing);
	tell_progress(g, missing);
}

static void on_tick(struct loop *l, void *arg)
{
	struct gate *g = arg;
	loop_after(l, &g->tick, GATE_TICK_MS, on_tick, g);
	look(g);
	if (is_over(g))
		loop_cancel(l, &g->tick);
}

void gate_trial(struct gate *g)
{
	char missing[MISSING];
	struct buf b;
	if (g->state != GATE_OFF)
		return;
	buf_init(&b, missing, sizeof(missing));
	g->missing(&b, g->arg);
	deliver(g, GATE_EV_TRIAL, b.len > 0 ? missing : "a look around");
	loop_after(g->loop, &g->tick, GATE_TICK_MS, on_tick, g);
}

void gate_stop(struct gate *g, const char *why)
{
	struct buf b;
	loop_cancel(g->loop, &g->tick);
	if (is_over(g))
		return;
	buf_init(&b, g->why, sizeof(g->why));
	buf_addf(&b, "no verdict: %s", why);
	fact_set(g->facts, FACT, FACT_OFF, g->why);
}
