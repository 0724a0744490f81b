/* The machine's hardware watchdog: a timer that restarts the machine unless somebody feeds it. Opened by stage 1
 * and handed over to PID 1, which feeds it only while it makes progress itself (boot/guard). Never waits. */
#ifndef HEARTH_HOST_WATCHDOG_H
#define HEARTH_HOST_WATCHDOG_H

#include <stdbool.h>

#include "base/err.h"

#define WATCHDOG_NAME 33 /* the driver's identity, and the end */

struct watchdog {
	int fd; /* -1: not open */
	char name[WATCHDOG_NAME];
	unsigned seconds; /* until it bites; 0: the driver does not say */
	bool bitten;      /* it is why the machine started; few drivers tell */
};

void watchdog_init(struct watchdog *w);
/* Opens PATH_WATCHDOG, which starts it, and asks for a timeout; a driver that has a fixed one keeps it. code ENOENT:
 * this machine has none. */
MUST_CHECK int watchdog_open(struct watchdog *w, unsigned seconds, struct err *e);
/* The same for one that an earlier program of this process has opened; w then owns fd. */
MUST_CHECK int watchdog_take(struct watchdog *w, int fd, unsigned seconds, struct err *e);
/* An open one: its descriptor stays open in the next program of this process. */
MUST_CHECK int watchdog_hand_over(const struct watchdog *w, struct err *e);
MUST_CHECK int watchdog_feed(struct watchdog *w, struct err *e);
/* Stops it: the machine may stand still from now on. */
void watchdog_stop(struct watchdog *w);

#endif
