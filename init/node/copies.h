/* The files of the box's owner: from the ESP into the state partition once (the seed), and from the state partition to
 * /run at every boot, where PID 1 reads them without waiting for a disk. Sizes and numbers are bounded; what is too
 * large or too much is left out and said in the log. */
#ifndef HEARTH_NODE_COPIES_H
#define HEARTH_NODE_COPIES_H

#include "base/err.h"
#include "core/settings.h"

/* PATH_ESP_SEED becomes PATH_STATE_SETTINGS when there are no settings yet and the seed is without fault. 0 also when
 * there is nothing to do; -1: a seed is there and could not be used ("/boot/hearth.yaml:3: ..."). */
MUST_CHECK int copies_seed(struct yaml *y, struct err *e);
/* The box's settings over the defaults; a file with faults is PID 1's to report, here the defaults stay. */
void copies_settings(struct settings *s, struct yaml *y);
/* Settings, service files and the records that PID 1 wants to /run. Returns how many could not be copied. */
unsigned copies_to_run(void);

#endif
