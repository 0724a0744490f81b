/* The small records of the state partition: machine id, number of boots, last known good time, how the last run ended.
 * Read once per boot into the identity; each kept by file_replace, so a power cut leaves the old one or the new one. */
#ifndef HEARTH_NODE_RECORDS_H
#define HEARTH_NODE_RECORDS_H

#include "base/err.h"
#include "host/identity.h"

#define RECORDS_RUNNING "running"             /* PATH_STATE_LAST while the box runs */
#define RECORDS_CUT     "power loss or crash" /* the last run's end when it did not get to say */

/* Fills *id from PATH_STATE: makes the machine id when there is none, counts this boot, and leaves "running" as the way
 * the last run ended, so that the next boot knows when this one was cut short. hostname: the settings' own, or "" for
 * one made from the machine id. Records that hold nonsense are said in the log and made anew. */
MUST_CHECK int records_load(struct identity *id, const char *hostname, struct err *e);

#endif
