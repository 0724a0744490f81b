/* The file systems of the box: how each is made, checked and mounted, as one table. Blocks on disks and helper
 * programs: for one-shot roles. Making is the caller's decision alone, and only for a partition marked GPT_FRESH: a
 * file system that does not mount is never made again, but for the boot partition, of which there are copies. */
#ifndef HEARTH_NODE_FS_H
#define HEARTH_NODE_FS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum fs_id { FS_ESP, FS_STATE, FS_DATA };

/* device: "/dev/vda4". */
MUST_CHECK int fs_make(enum fs_id id, const char *device, struct err *e);
/* Repairs what can be repaired without a decision. A file system that mounting alone recovers (XFS), or whose checker
 * is not in the image, counts as checked. *fixed: there was something to repair. */
MUST_CHECK int fs_check(enum fs_id id, const char *device, bool *fixed, struct err *e);
/* 0 also when something is mounted on its target already. */
MUST_CHECK int fs_mount(enum fs_id id, const char *device, struct err *e);
const char *fs_target(enum fs_id id);
/* Lets the mounted data file system reach the end of its partition; *grew tells whether there was room. */
MUST_CHECK int fs_grow_data(const char *device, bool *grew, struct err *e);

/* Pure. Size in bytes from the first sector of an XFS file system; 0 when it is none. */
uint64_t fs_xfs_bytes(const uint8_t *sector);

#endif
