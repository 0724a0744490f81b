/* A damaged root found while the box runs (fact root-intact, by the scrub and klog roles). PID 1 and its roles run from
 * memory, so the box can still end in order: when the boot loader would start the other slot (fact slot-other), this
 * one is marked bad and the box restarts into it. Else it stays up, degraded, and says so.
 *
 * No loop: a slot that is marked bad is only started when all are, and a run that follows one of the same slot with the
 * same end stays. It waits until it is known whether there is a state partition, for the reason is kept there. */
#ifndef HEARTH_BOOT_DAMAGE_H
#define HEARTH_BOOT_DAMAGE_H

#include "boot/box.h"

/* Pure. last: how the run before this one ended, or NULL. */
bool damage_leaves(const struct facts *facts, char slot, const struct end *last);
/* Of every fact that changed. */
void damage_fact(struct box *box, const struct fact *f);

#endif
