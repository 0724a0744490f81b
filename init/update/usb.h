/* The bundle on a stick: finds, mounts and opens it. Blocks on a disk that anybody may have made: for the update role.
 *
 * The first partition (of those in host/sticks) whose root folder has a file *.hearth; of several files there the one
 * with the highest version in its name (hearth-0.2.0.hearth). What the name says is not believed: only the manifest
 * counts. Mounted read-only, without devices, programs and set-user bits, and taken off the tree at once: the open file
 * alone keeps the file system, so closing it is the end of it, whatever happens to the role or the stick. */
#ifndef HEARTH_UPDATE_USB_H
#define HEARTH_UPDATE_USB_H

#include "base/err.h"
#include "host/disk.h"

#define USB_NAME  96  /* bytes of a file's name, the end included; longer ones are not looked at */
#define USB_FILES 512 /* names looked at in a folder */
#define USB_FOUND (USB_NAME + DISK_NAME + 8)

/* The open file, or -1; code ENOMEDIUM: there is none. own: the box's disk. found: "hearth-0.2.0.hearth on sdb1". */
MUST_CHECK int usb_open(const char *own, char found[USB_FOUND], struct err *e);

/* Pure. Is `name` better than `best` ("": none yet)? A plain name with the ending, printable, not hidden. */
bool usb_better(const char *name, const char *best);

#endif
