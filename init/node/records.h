/* The small records of the state partition: machine id, number of boots, last known good time, how the last runs
 * ended.
 * Read once per boot into the identity; each kept by file_replace, so a power cut leaves the old one or the new one. */
#ifndef HEARTH_NODE_RECORDS_H
#define HEARTH_NODE_RECORDS_H

#include "base/err.h"
#include "host/ends.h"
#include "host/identity.h"

#define RECORDS_CUT "power loss or crash" /* the last run's end when it did not get to say */

/* Fills *id from PATH_STATE: makes the machine id when there is none and counts this boot. hostname: the settings' own,
 * or "" for one made from the machine id. Records that hold nonsense are said in the log and made anew.
 * *last: how the last run ended, kind power-loss when it did not get to say (what else is known may explain it), kind
 * running when there was none. */
MUST_CHECK int records_load(struct identity *id, const char *hostname, struct end *last, struct err *e);
/* Takes what explains a run that was cut short, or did not begin: kind and sentence. No effect on one that ended in
 * order. */
void records_explain(struct identity *id, struct end *last, enum end_kind kind, const char *why);
/* Notes how the last run ended in PATH_STATE_ENDS, and that this one runs: the next boot then knows when it was cut
 * short. slot: this run's. */
MUST_CHECK int records_begin(const struct end *last, const char *slot, struct err *e);
/* Adds one to PATH_STATE_ENDS. */
MUST_CHECK int records_note(const struct end *last, struct err *e);

#endif
