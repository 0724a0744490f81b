/* Safe mode: the system, network, disks and consoles run, the workloads do not: neither Kubernetes nor the services of
 * PATH_STATE_SERVICES. For a box that cannot run as it is, so that it can be reached and mended instead of restarting
 * for ever. It is entered when
 *
 *   the kernel command line says hearth.safe,
 *   every slot is bad (facts slot-failed, and slot-other off: a box with one system alone is none the better for it),
 * or the last SAFE_CRASHES runs of this slot all crashed before they got well.
 *
 * In the last case it goes over to the other slot, when the boot loader would start that: at once from a slot on trial
 * (whose tries the loader did not count, then), and from one that was good when it crashed as often in safe mode, too.
 *
 * Decided when the services are loaded and again when the state partition has told how earlier runs ended; never left
 * but by a restart. A run in safe mode counts as none of those crashes when it ends in order. */
#ifndef HEARTH_BOOT_SAFE_H
#define HEARTH_BOOT_SAFE_H

#include "boot/box.h"

#define SAFE_CRASHES 3

/* Pure: true with one sentence in *why (empty, LIMIT_DETAIL). asked: by the command line. slot: the one that runs. */
bool safe_decide(bool asked, const struct facts *facts, const struct ends *past, const char *slot, struct buf *why);
/* Pure: does it go over to the other slot? */
bool safe_leaves(const struct facts *facts, const struct ends *past, const char *slot);
/* Enters safe mode when it has to be. True when the box is in it. */
bool safe_look(struct box *box);

#endif
