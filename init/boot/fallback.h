/* Stage 1's way out when the root it was started for is missing or refused: the boot entry is marked bad, as `hearth
 * slot bad` would do it, so that the boot loader starts the other slot at once. One that was given up before is better
 * than none: it stays bad, gets the highest generation, which the loader takes when all are bad, and comes up in safe
 * mode (boot/safe). Only when this one was not bad already, or two that cannot start would take turns for ever. Blocks
 * on the disk. */
#ifndef HEARTH_BOOT_FALLBACK_H
#define HEARTH_BOOT_FALLBACK_H

#include "base/err.h"
#include "host/bootenv.h"
#include "host/disk.h"

/* started: what the loader says it started. disk: "vda", where the root was; "": not known, then there must be one boot
 * partition only. -1: everything is as it was, and *e says why: code ENOENT, no boot partition with this entry, or
 * no other slot; EALREADY: it is bad already; ENOTUNIQ. */
MUST_CHECK int fallback_mark(const struct bootenv_entry *started, const char *disk, const struct disk_list *disks,
                             struct err *e);

#endif
