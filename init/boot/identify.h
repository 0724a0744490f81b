/* Who this box is: what the storage role found in the state partition, and the settings; read into one struct and
 * applied (host name, machine id, clock floor). Small files on a tmpfs only, so PID 1 may read them itself. */
#ifndef HEARTH_BOOT_IDENTIFY_H
#define HEARTH_BOOT_IDENTIFY_H

#include <stdbool.h>

#include "core/settings.h"
#include "host/identity.h"

#define IDENTIFY_NAME "hearth" /* host name until the real one is known */

struct identify {
	bool known; /* id is filled */
	struct identity id;
	struct settings settings;
	char clock[LIMIT_DETAIL]; /* where the time comes from, for people */
};

/* Told with source "settings" for each settings file that is wrong ("FILE:LINE: ..."). */
typedef void identify_problem_fn(const char *message, void *arg);

/* Built-in values, then the image's file, then the box's; a bad file changes nothing. Returns the number of bad ones.
 */
unsigned identify_settings(struct identify *i, identify_problem_fn *problem, void *arg);
/* Reads PATH_RUN_IDENTITY. */
MUST_CHECK int identify_load(struct identify *i, struct err *e);
/* The host name that counts: the settings', else the identity's, else IDENTIFY_NAME. */
const char *identify_hostname(const struct identify *i);
/* Sets host name, PATH_RUN_MACHINE_ID and PATH_RUN_TIME_SERVERS. Goes on after a failure; -1 with the last one. */
MUST_CHECK int identify_apply(const struct identify *i, struct err *e);
/* Raises the clock to the latest of build date, last known time and battery clock; fills i->clock. */
MUST_CHECK int identify_clock(struct identify *i, struct err *e);

#endif
