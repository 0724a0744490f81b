/* Stage 1: from the kernel's hand-over in the initramfs to the verified root.
 *
 * Mounts /dev, /proc and /sys; asks the EFI variables which boot entry was started; waits for the partition whose
 * verity superblock has the UUID of the command line; opens it with dm-verity; mounts the EROFS image read-only; binds
 * the initramfs's copy of the program over the one there, so that the disk is not needed to run it; makes that the
 * root; execs PATH_SELF as `hearth init` (with what it found out in the environment, see boot/init.h). It is a table of
 * steps in stage1.c.
 *
 * Of two partitions with that UUID, both slots of one disk, the loader's choice is taken; else two are an error that
 * names both (boot/candidate). The running slot is the one that the partition is named after.
 *
 * Whatever fails ends in one place: the reason on every console and in the kernel's log, a countdown, a reboot. When it
 * is the root that is missing or refused and the other slot can be started, the boot entry is marked bad
 * (boot/fallback) and the reboot comes at once; else the boot loader counts the tries of a new slot. */
#ifndef HEARTH_BOOT_STAGE1_H
#define HEARTH_BOOT_STAGE1_H

#include "base/err.h"

#define STAGE1_ROOT_WAIT_MS 120000 /* USB sticks behind hubs and disks that spin up need 30 s at worst */
#define STAGE1_TELL_MS      5000
#define STAGE1_REBOOT_S     60

/* The role. As PID 1 it never returns; otherwise it returns 2 at once. */
int stage1_main(int argc, char **argv);
/* All steps; returns only when one failed. */
MUST_CHECK int stage1_run(struct err *e);
/* Says why the boot ends here, marks the slot bad or counts down, and reboots; returns only when the kernel refuses to.
 */
void stage1_refuse(const struct err *why);

#endif
