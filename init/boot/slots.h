/* What PID 1 knows of the slots, and going back to the other one by hand. The boot entries are on a disk: roles read
 * and change them (node/slot); here is only what they tell. */
#ifndef HEARTH_BOOT_SLOTS_H
#define HEARTH_BOOT_SLOTS_H

#include "boot/box.h"

#define SLOTS_MARK_MS 30000 /* one rename on a slow stick */

/* The answer to `slots`: {"running", "slots": [{"slot", "running", "state", "left", "generation", "version"}]}.
 * code ENOENT: nobody has told yet, or there is nothing to tell. */
MUST_CHECK int slots_list(const struct box *box, struct json *out, struct err *e);
/* Makes the other slot the loader's next choice and, when that is done, reboots ("rollback to slot b asked for by
 * ..."). Refused when the other slot holds no system or is not known, while one is under way, and while the box goes
 * down. A failure later is a problem of the box, and it goes on running. */
MUST_CHECK int slots_rollback(struct box *box, const char *by, struct err *e);

#endif
