/* The states of an update; see state.h. Pure: no clock, no file. */
#include "update/state.h"

#include <errno.h>
#include <stddef.h>

/* What cannot be now, as one over the states. */
enum {
	NOTHING = UPDATE_STATE_COUNT, /* no update is under way */
	BUSY,                         /* one is */
	EARLY,                        /* nothing to pause yet */
	LATE,                         /* it is done */
	NOT_PAUSED,
	IS_PAUSED,
};

static const char *const refusals[] = {
	[NOTHING - UPDATE_STATE_COUNT] = "no update is under way",
	[BUSY - UPDATE_STATE_COUNT] = "an update is under way; update cancel ends it",
	[EARLY - UPDATE_STATE_COUNT] = "nothing is being written yet; update cancel ends it",
	[LATE - UPDATE_STATE_COUNT] = "the update is on the disk already; restart the box to try it",
	[NOT_PAUSED - UPDATE_STATE_COUNT] = "the update is not paused",
	[IS_PAUSED - UPDATE_STATE_COUNT] = "the update is paused already",
};

#define SAME(s) UPDATE_##s

/*                  INSTALL         GO              MOVED           DRY             PAUSE          RESUME
 *                  CANCEL          DONE            ARMED           FAIL */
static const unsigned char table[UPDATE_STATE_COUNT][UPDATE_EVENT_COUNT] = {
	[UPDATE_IDLE] = {UPDATE_ASKING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING,
                         NOTHING},
	[UPDATE_ASKING] = {BUSY, UPDATE_LOADING, SAME(ASKING), UPDATE_WAITING, EARLY, NOT_PAUSED, UPDATE_IDLE, EARLY,
                           EARLY, UPDATE_FAILED},
	[UPDATE_LOADING] = {BUSY, SAME(LOADING), SAME(LOADING), UPDATE_WAITING, UPDATE_PAUSED, NOT_PAUSED, UPDATE_IDLE,
                            UPDATE_ARMING, EARLY, UPDATE_FAILED},
	[UPDATE_WAITING] = {BUSY, UPDATE_LOADING, UPDATE_LOADING, SAME(WAITING), UPDATE_PAUSED, NOT_PAUSED, UPDATE_IDLE,
                            UPDATE_ARMING, EARLY, UPDATE_FAILED},
	/* What the worker said before it heard of the pause changes nothing, unless it was the last thing. */
	[UPDATE_PAUSED] = {BUSY, SAME(PAUSED), SAME(PAUSED), SAME(PAUSED), IS_PAUSED, UPDATE_LOADING, UPDATE_IDLE,
                           UPDATE_ARMING, EARLY, UPDATE_FAILED},
	[UPDATE_ARMING] = {BUSY, LATE, LATE, LATE, LATE, LATE, LATE, LATE, UPDATE_READY, UPDATE_FAILED},
	[UPDATE_READY] = {UPDATE_ASKING, LATE, LATE, LATE, LATE, LATE, UPDATE_IDLE, LATE, LATE, LATE},
	[UPDATE_FAILED] = {UPDATE_ASKING, NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, UPDATE_IDLE, NOTHING, NOTHING,
                           NOTHING},
};

int update_next(enum update_state s, enum update_event ev, struct err *e)
{
	unsigned next = table[s][ev];
	if (next < UPDATE_STATE_COUNT)
		return (int)next;
	return err_set(e, EINVAL, "%s", refusals[next - UPDATE_STATE_COUNT]);
}

const char *update_state_name(enum update_state s)
{
	static const char *const names[] = {
#define X(name, text) text,
		UPDATE_STATES(X)
#undef X
	};
	return names[s];
}
