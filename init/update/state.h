/* How an update stands, as a pure table: state and event to the next state, or a sentence why that cannot be now. What
 * is to be done about it is update/conduct's. */
#ifndef HEARTH_UPDATE_STATE_H
#define HEARTH_UPDATE_STATE_H

#include "base/err.h"

/* name, what a person reads */
#define UPDATE_STATES(X)                                                                                               \
	X(IDLE, "idle")       /* nothing asked for, or cancelled */                                                    \
	X(ASKING, "asking")   /* the worker reads the manifest */                                                      \
	X(LOADING, "loading") /* the target is being written */                                                        \
	X(WAITING, "waiting") /* the same, but the source does not answer */                                           \
	X(PAUSED, "paused")                                                                                            \
	X(ARMING, "arming") /* all is on the disk; records and the boot entry follow */                                \
	X(READY, "ready")   /* restart the box to try it */                                                            \
	X(FAILED, "failed")

#define UPDATE_EVENTS(X)                                                                                               \
	X(INSTALL) /* a person, or the record of an install */                                                         \
	X(GO)      /* the manifest is what may be installed */                                                         \
	X(MOVED)   /* bytes came, or another phase began */                                                            \
	X(DRY)     /* the source does not answer */                                                                    \
	X(PAUSE)                                                                                                       \
	X(RESUME)                                                                                                      \
	X(CANCEL)                                                                                                      \
	X(DONE)  /* the worker has read everything back */                                                             \
	X(ARMED) /* the boot entry is there */                                                                         \
	X(FAIL)

enum update_state {
#define X(name, text) UPDATE_##name,
	UPDATE_STATES(X)
#undef X
		UPDATE_STATE_COUNT
};

enum update_event {
#define X(name) UPDATE_ON_##name,
	UPDATE_EVENTS(X)
#undef X
		UPDATE_EVENT_COUNT
};

/* The state after the event, or -1 with a sentence for whoever asked; then nothing is to change. */
MUST_CHECK int update_next(enum update_state s, enum update_event ev, struct err *e);
const char *update_state_name(enum update_state s);

#endif
