/* How the box is: from stages, services, facts, the trial of a new slot and safe mode to the state of the system
 * (boot/system) and the fact healthy, which whoever keeps a slot waits for. */
#ifndef HEARTH_BOOT_JUDGE_H
#define HEARTH_BOOT_JUDGE_H

#include "boot/box.h"

/* Looks again, in the next round. */
void judge_later(struct box *box);
/* Nothing that is known speaks against this slot: the stages that matter are through, no service has failed. */
bool judge_healthy(const struct box *box);
/* An event of the system's state that comes from elsewhere, and why. */
void judge_system(struct box *box, enum system_event ev, const char *why);

#endif
