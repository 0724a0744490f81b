/* Sticks: what a person has put in, and may pull out again. Reads sysfs only: no disk is opened. For roles.
 *
 * A stick is a disk that hangs on USB or says that it is removable; the disk that the box itself runs from never is
 * one, even if it does. Its partitions count, or the disk itself when it has none. */
#ifndef HEARTH_HOST_STICKS_H
#define HEARTH_HOST_STICKS_H

#include "base/err.h"
#include "host/disk.h"

#define STICKS 16 /* partitions: more than a person puts in for one file */

struct sticks {
	struct disk_dev dev[STICKS];
	unsigned count;
};

/* own: the box's disk ("sda"); "": none is known. A device that goes away meanwhile is left out. */
MUST_CHECK int sticks_find(struct sticks *s, const char *own, struct err *e);

/* Pure. target: where the link PATH_SYS_BLOCK_DEV "/M:N" leads ("../../devices/.../usb2/.../block/sda/sda1"). disk gets
 * the name of the disk, *usb whether a USB port lies on the way. -1: not the address of a block device. */
MUST_CHECK int sticks_address(const char *target, char disk[DISK_NAME], bool *usb);

#endif
