/* The service machine, one row per thing that can happen; read it from top to bottom. Run by PID 1.
 * Never calls the kernel, never keeps anything. */
#include "service/fsm.h"

#include "base/str.h"

typedef bool condition_fn(const struct fsm_input *in);

static bool unwanted(const struct fsm_input *in)
{
	return !in->want_up;
}

static bool again(const struct fsm_input *in)
{
	return in->restarting;
}

/* A oneshot has done its work; a daemon only when its file says that it may end. */
static bool may_end(const struct fsm_input *in)
{
	return in->type == SERVICE_ONESHOT || in->restart != RESTART_ALWAYS;
}

static bool never(const struct fsm_input *in)
{
	return in->restart == RESTART_NEVER;
}

/* Rows of one state and event stand together: the first whose condition holds is taken, so the last has none.
 * No row: the event cannot happen in that state. */
static const struct rule {
	enum service_state state;
	enum service_event event;
	condition_fn *when;
	enum service_state next;
	unsigned actions;
} rules[] = {
/* clang-format off */
#define ROW(state, event, when, next, actions) {SERVICE_##state, EV_##event, when, SERVICE_##next, actions}
	/*  state     event         when      next      actions */
	ROW(DOWN,     UP,           0,        WAITING,  ACT_SETTLE),
	ROW(DOWN,     DOWN,         0,        DOWN,     0),
	ROW(DOWN,     RESTART,      0,        WAITING,  ACT_SETTLE),

	ROW(WAITING,  UP,           0,        WAITING,  0),
	ROW(WAITING,  DOWN,         0,        DOWN,     ACT_SETTLE),
	ROW(WAITING,  CLEAR,        0,        STARTING, ACT_START | ACT_TIMER | ACT_SETTLE),
	ROW(WAITING,  RESTART,      0,        WAITING,  ACT_SETTLE | ACT_FRESH),

	ROW(STARTING, UP,           0,        STARTING, 0),
	ROW(STARTING, DOWN,         0,        STOPPING, ACT_STOP | ACT_TIMER | ACT_SETTLE),
	ROW(STARTING, BLOCKED,      0,        STOPPING, ACT_STOP | ACT_TIMER | ACT_SETTLE | ACT_AGAIN),
	ROW(STARTING, RESTART,      0,        STOPPING, ACT_STOP | ACT_TIMER | ACT_SETTLE | ACT_AGAIN | ACT_FRESH),
	ROW(STARTING, SPAWN_FAILED, unwanted, DOWN,     ACT_CLEANUP | ACT_SETTLE),
	ROW(STARTING, SPAWN_FAILED, 0,        BACKOFF,  ACT_CLEANUP | ACT_BACKOFF | ACT_SETTLE),
	ROW(STARTING, IS_READY,     0,        READY,    ACT_SETTLE),
	ROW(STARTING, EXIT_OK,      unwanted, DOWN,     ACT_CLEANUP | ACT_SETTLE),
	ROW(STARTING, EXIT_OK,      may_end,  DONE,     ACT_CLEANUP | ACT_SETTLE | ACT_FRESH),
	ROW(STARTING, EXIT_OK,      0,        BACKOFF,  ACT_CLEANUP | ACT_BACKOFF | ACT_SETTLE),
	ROW(STARTING, EXIT_BAD,     unwanted, DOWN,     ACT_CLEANUP | ACT_SETTLE),
	ROW(STARTING, EXIT_BAD,     never,    FAILED,   ACT_CLEANUP | ACT_SETTLE),
	ROW(STARTING, EXIT_BAD,     0,        BACKOFF,  ACT_CLEANUP | ACT_BACKOFF | ACT_SETTLE),
	ROW(STARTING, TIMEOUT,      0,        STOPPING, ACT_STOP | ACT_TIMER | ACT_SETTLE),

	ROW(READY,    UP,           0,        READY,    0),
	ROW(READY,    DOWN,         0,        STOPPING, ACT_STOP | ACT_TIMER | ACT_SETTLE),
	ROW(READY,    BLOCKED,      0,        STOPPING, ACT_STOP | ACT_TIMER | ACT_SETTLE | ACT_AGAIN),
	ROW(READY,    RESTART,      0,        STOPPING, ACT_STOP | ACT_TIMER | ACT_SETTLE | ACT_AGAIN | ACT_FRESH),
	ROW(READY,    IS_READY,     0,        READY,    0),
	ROW(READY,    EXIT_OK,      unwanted, DOWN,     ACT_CLEANUP | ACT_SETTLE),
	ROW(READY,    EXIT_OK,      may_end,  DONE,     ACT_CLEANUP | ACT_SETTLE | ACT_FRESH),
	ROW(READY,    EXIT_OK,      0,        BACKOFF,  ACT_CLEANUP | ACT_BACKOFF | ACT_SETTLE),
	ROW(READY,    EXIT_BAD,     unwanted, DOWN,     ACT_CLEANUP | ACT_SETTLE),
	ROW(READY,    EXIT_BAD,     never,    FAILED,   ACT_CLEANUP | ACT_SETTLE),
	ROW(READY,    EXIT_BAD,     0,        BACKOFF,  ACT_CLEANUP | ACT_BACKOFF | ACT_SETTLE),

	ROW(DONE,     UP,           0,        DONE,     0),
	ROW(DONE,     DOWN,         0,        DOWN,     ACT_SETTLE),
	ROW(DONE,     RESTART,      0,        WAITING,  ACT_SETTLE),

	/* Stopped while not wanted, for a new start, or (neither) because it was not ready in time. */
	ROW(STOPPING, UP,           0,        STOPPING, ACT_AGAIN),
	ROW(STOPPING, DOWN,         0,        STOPPING, 0),
	ROW(STOPPING, RESTART,      0,        STOPPING, ACT_AGAIN | ACT_FRESH),
	ROW(STOPPING, IS_READY,     0,        STOPPING, 0),
	ROW(STOPPING, EXIT_OK,      unwanted, DOWN,     ACT_CLEANUP | ACT_SETTLE),
	ROW(STOPPING, EXIT_OK,      again,    WAITING,  ACT_CLEANUP | ACT_SETTLE),
	ROW(STOPPING, EXIT_OK,      never,    FAILED,   ACT_CLEANUP | ACT_SETTLE),
	ROW(STOPPING, EXIT_OK,      0,        BACKOFF,  ACT_CLEANUP | ACT_BACKOFF | ACT_SETTLE),
	ROW(STOPPING, EXIT_BAD,     unwanted, DOWN,     ACT_CLEANUP | ACT_SETTLE),
	ROW(STOPPING, EXIT_BAD,     again,    WAITING,  ACT_CLEANUP | ACT_SETTLE),
	ROW(STOPPING, EXIT_BAD,     never,    FAILED,   ACT_CLEANUP | ACT_SETTLE),
	ROW(STOPPING, EXIT_BAD,     0,        BACKOFF,  ACT_CLEANUP | ACT_BACKOFF | ACT_SETTLE),
	ROW(STOPPING, TIMEOUT,      0,        KILLING,  ACT_KILL | ACT_TIMER),

	ROW(KILLING,  UP,           0,        KILLING,  ACT_AGAIN),
	ROW(KILLING,  DOWN,         0,        KILLING,  0),
	ROW(KILLING,  RESTART,      0,        KILLING,  ACT_AGAIN | ACT_FRESH),
	ROW(KILLING,  IS_READY,     0,        KILLING,  0),
	ROW(KILLING,  EXIT_OK,      unwanted, DOWN,     ACT_CLEANUP | ACT_SETTLE),
	ROW(KILLING,  EXIT_OK,      again,    WAITING,  ACT_CLEANUP | ACT_SETTLE),
	ROW(KILLING,  EXIT_OK,      never,    FAILED,   ACT_CLEANUP | ACT_SETTLE),
	ROW(KILLING,  EXIT_OK,      0,        BACKOFF,  ACT_CLEANUP | ACT_BACKOFF | ACT_SETTLE),
	ROW(KILLING,  EXIT_BAD,     unwanted, DOWN,     ACT_CLEANUP | ACT_SETTLE),
	ROW(KILLING,  EXIT_BAD,     again,    WAITING,  ACT_CLEANUP | ACT_SETTLE),
	ROW(KILLING,  EXIT_BAD,     never,    FAILED,   ACT_CLEANUP | ACT_SETTLE),
	ROW(KILLING,  EXIT_BAD,     0,        BACKOFF,  ACT_CLEANUP | ACT_BACKOFF | ACT_SETTLE),
	ROW(KILLING,  TIMEOUT,      0,        KILLING,  ACT_KILL | ACT_TIMER),

	ROW(BACKOFF,  UP,           0,        WAITING,  ACT_SETTLE | ACT_FRESH),
	ROW(BACKOFF,  DOWN,         0,        DOWN,     ACT_SETTLE),
	ROW(BACKOFF,  RESTART,      0,        WAITING,  ACT_SETTLE | ACT_FRESH),
	ROW(BACKOFF,  TIMEOUT,      0,        WAITING,  ACT_SETTLE),

	ROW(FAILED,   UP,           0,        WAITING,  ACT_SETTLE | ACT_FRESH),
	ROW(FAILED,   DOWN,         0,        DOWN,     ACT_SETTLE),
	ROW(FAILED,   RESTART,      0,        WAITING,  ACT_SETTLE | ACT_FRESH),
/* clang-format on */
#undef ROW
};

struct fsm_step fsm_next(enum service_state s, enum service_event ev, const struct fsm_input *in)
{
	for (size_t i = 0; i < COUNT_OF(rules); i++) {
		const struct rule *r = &rules[i];
		if (r->state == s && r->event == ev && (!r->when || r->when(in)))
			return (struct fsm_step){.next = r->next, .actions = r->actions, .legal = true};
	}
	return (struct fsm_step){.next = s, .actions = 0, .legal = false};
}
