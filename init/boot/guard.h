/* The watchdog's keeper in PID 1: opens it, and feeds it every ten seconds while PID 1 makes progress. It goes hungry,
 * and the machine starts again a minute later, when
 *
 *   the event loop does not come round (then nothing here runs at all),
 *   a boot stage or a phase of the shutdown is a minute past its own deadline: timers do not fire,
 *   a connection to the control socket waited from one beat to the next: nobody takes it,
 *   the last phase of a shutdown has begun: reboot(2) is all that is left to do.
 *
 * At a power-off or halt it is stopped, so that the machine may stay as it is. Which watchdog it is, or why there is
 * none, is the fact watchdog. */
#ifndef HEARTH_BOOT_GUARD_H
#define HEARTH_BOOT_GUARD_H

#include "boot/control.h"
#include "boot/shutdown.h"
#include "boot/stage.h"
#include "host/watchdog.h"

#define GUARD_SECONDS  60
#define GUARD_BEAT_MS  10000
#define GUARD_GRACE_MS 60000 /* past a deadline: more than any load explains */

/* The pointers are set by its owner. */
struct guard {
	struct loop *loop;
	struct facts *facts;
	const struct stages *stages;
	const struct shutdown *shutdown;
	const struct control *control;

	struct watchdog dog;
	struct loop_timer beat, hang;
	bool off;     /* by the settings */
	bool pending; /* at the last beat a connection waited */
	bool hungry;  /* said so */
};

void guard_init(struct guard *g);
/* The descriptor of the watchdog that stage 1 has opened. */
void guard_take(struct guard *g, int fd);
/* Opens the watchdog, unless it is open, and begins to feed it; leaves PATH_RUN_WATCHDOG for the storage role when it
 * is why the machine started. 0 also when there is none. */
MUST_CHECK int guard_start(struct guard *g, struct err *e);
/* What the settings say; may be said again. */
void guard_settings(struct guard *g, bool on);
/* The last phase of a shutdown begins. */
void guard_leave(struct guard *g, enum shutdown_how how);
/* Why it must not be fed, or NULL. Looks at the control socket, so once per beat only. */
const char *guard_stuck(struct guard *g);
/* For tests of the watchdog (hearth.test=hang): some time from now PID 1 stands still. */
void guard_hang(struct guard *g);

#endif
