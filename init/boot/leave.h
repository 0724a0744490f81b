/* Leaving the running slot for the other one: a helper marks it bad (`hearth slot bad S`), so that the boot loader
 * prefers the other, then the box restarts in order. For the health gate and for a damaged root. */
#ifndef HEARTH_BOOT_LEAVE_H
#define HEARTH_BOOT_LEAVE_H

#include "boot/box.h"

#define LEAVE_AGAIN_MS 60000 /* another one may have had a turn on the ESP for too long */

/* What when the slot cannot be marked. */
enum leave_how {
	LEAVE_ANYWAY, /* restart all the same: the loader counts the tries by itself */
	LEAVE_MARKED  /* stay, which is a problem, and try again: the loader would start this slot again, and again */
};

/* why: one sentence, which becomes the reason of the restart. No effect while the slot is being left already. */
void leave_slot(struct box *box, enum leave_how how, enum end_kind kind, const char *why);

#endif
