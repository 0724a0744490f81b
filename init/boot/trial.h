/* The health gate inside PID 1: what it is fed with and what its verdicts set off. A trial begins with the fact
 * trial-boot, when slot-other is on; one that fails marks its slot bad (`hearth slot bad S`) and restarts the box. */
#ifndef HEARTH_BOOT_TRIAL_H
#define HEARTH_BOOT_TRIAL_H

#include "boot/box.h"

void trial_init(struct box *box);
/* Of every fact that changed. */
void trial_fact(struct box *box, const struct fact *f);
/* The settings are known, or have changed. */
void trial_settings(struct box *box);
/* No verdict in this run, and why. */
void trial_stop(struct box *box, const char *why);

#endif
