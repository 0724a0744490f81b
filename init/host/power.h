/* The power button: every /dev/input/event* that has a KEY_POWER, those that appear later included. */
#ifndef HEARTH_HOST_POWER_H
#define HEARTH_HOST_POWER_H

#include "base/err.h"
#include "loop/loop.h"

#define POWER_DEVICES 8  /* buttons of one box, and keyboards that have the key */
#define POWER_SCAN    64 /* event0 .. event63 */

typedef void power_fn(void *arg);

struct power {
	struct loop *loop;
	power_fn *fn;
	void *arg;
	int inotify_fd;            /* -1: none */
	bool watching;             /* /dev/input itself, not yet only /dev */
	int device[POWER_DEVICES]; /* -1: free */
	unsigned number[POWER_DEVICES];
};

/* fn is called once per press of the key. Devices that are there already are found at once; -1 when new ones cannot
 * be noticed. *p outlives the loop. */
MUST_CHECK int power_init(struct power *p, struct loop *l, power_fn *fn, void *arg, struct err *e);
/* How many devices are being listened to. */
unsigned power_devices(const struct power *p);
/* Also of a zeroed *p that was never initialised. */
void power_fini(struct power *p);

#endif
