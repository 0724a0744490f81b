/* The system's states as a table; see system.h. Pure: used by PID 1, walked cell by cell by its test. */
#include "boot/system.h"

static const enum system_state table[SYSTEM_STATE_COUNT][SYSTEM_EV_COUNT] = {
	/*                    good             bad              lost            safe             stop */
	[SYSTEM_BOOTING] = {SYSTEM_RUNNING, SYSTEM_DEGRADED, SYSTEM_RESCUE, SYSTEM_SAFE, SYSTEM_STOPPING},
	[SYSTEM_RUNNING] = {SYSTEM_RUNNING, SYSTEM_DEGRADED, SYSTEM_RESCUE, SYSTEM_SAFE, SYSTEM_STOPPING},
	[SYSTEM_DEGRADED] = {SYSTEM_RUNNING, SYSTEM_DEGRADED, SYSTEM_RESCUE, SYSTEM_SAFE, SYSTEM_STOPPING},
	[SYSTEM_SAFE] = {SYSTEM_SAFE, SYSTEM_SAFE, SYSTEM_RESCUE, SYSTEM_SAFE, SYSTEM_STOPPING},
	[SYSTEM_STOPPING] = {SYSTEM_STOPPING, SYSTEM_STOPPING, SYSTEM_STOPPING, SYSTEM_STOPPING, SYSTEM_STOPPING},
	[SYSTEM_RESCUE] = {SYSTEM_RUNNING, SYSTEM_DEGRADED, SYSTEM_RESCUE, SYSTEM_RESCUE, SYSTEM_STOPPING},
};

static const char *const states[] = {
#define X(id, name) name,
	SYSTEM_STATES(X)
#undef X
};

static const char *const events[] = {
#define X(id, name) name,
	SYSTEM_EVENTS(X)
#undef X
};

enum system_state system_next(enum system_state s, enum system_event ev)
{
	return s < SYSTEM_STATE_COUNT && ev < SYSTEM_EV_COUNT ? table[s][ev] : s;
}

const char *system_state_name(enum system_state s)
{
	return s < SYSTEM_STATE_COUNT ? states[s] : "?";
}

const char *system_event_name(enum system_event ev)
{
	return ev < SYSTEM_EV_COUNT ? events[ev] : "?";
}
