/* The health gate inside PID 1: what it is fed with and what its verdicts set off. A trial begins with the fact
 * trial-boot, when slot-other is on; one that fails marks its slot bad (`hearth slot bad S`) and restarts the box.
 *
 * Both facts come from the boot entries, which are on a disk. For a new version that cannot mount it, PID 1 sets them
 * first as the boot loader said (boot/tries): such a box restarts by itself, too. It cannot mark its slot, so each such
 * start costs one try, and behind the last one the loader takes the other slot; node/unseen then tells why. */
#ifndef HEARTH_BOOT_TRIAL_H
#define HEARTH_BOOT_TRIAL_H

#include "boot/box.h"

void trial_init(struct box *box);
/* What the boot loader said, until the entries themselves say something. No effect when they have. */
void trial_early(struct box *box, unsigned left);
/* Of every fact that changed. */
void trial_fact(struct box *box, const struct fact *f);
/* The settings are known, or have changed. */
void trial_settings(struct box *box);
/* No verdict in this run, and why. */
void trial_stop(struct box *box, const char *why);

#endif
