/* Block devices: the list of what is there, how a partition and its disk find each other, raw sectors, and telling
 * the kernel about new partitions. Reading and writing block: for stage 1 and the storage role, never for PID 1. */
#ifndef HEARTH_HOST_DISK_H
#define HEARTH_HOST_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "host/gpt.h"
#include "host/verity.h"

#define DISK_NAME    32
#define DISK_LIST    64 /* more disks and partitions than a home server has */
#define DISK_MATCHES 4  /* two slots on two disks */

struct disk_dev {
	dev_t dev;
	uint64_t kib;
	char name[DISK_NAME]; /* "vda2" */
};

struct disk_list {
	struct disk_dev dev[DISK_LIST];
	unsigned count;
};

/* Pure. Text of /proc/partitions to the list; ram, loop and device-mapper devices are left out. */
void disk_list_parse(struct disk_list *l, const char *text);
MUST_CHECK int disk_list_read(struct disk_list *l, struct err *e);
/* Opens /dev/NAME, close-on-exec. */
MUST_CHECK int disk_open(const char *name, int flags, struct err *e);

/* Partitions whose verity superblock has this UUID. */
struct disk_match {
	struct disk_dev dev[DISK_MATCHES];
	struct verity verity[DISK_MATCHES];
	unsigned count; /* DISK_MATCHES: perhaps more */
	/* The first device that could not be read, or holds an image that could not be used: for the message when
	 * nothing matches; "" when there is none. */
	char refused[160];
};

/* Fills *m from the devices of `l`. `seen` (zeroed before the first call) keeps those that are certainly not ours, so
 * that a call for each device event does not read every disk again; what could not be read is tried again. */
void disk_match_root(struct disk_match *m, const struct disk_list *l, struct disk_list *seen, const uint8_t uuid[16]);

/* The disk that a partition lies on and its number there: "vda", 2. */
MUST_CHECK int disk_of_partition(dev_t part, char disk[DISK_NAME], unsigned *number, struct err *e);
/* The name of a partition in its GPT, "" when it has none; as the kernel tells it, nothing is read from the disk. */
MUST_CHECK int disk_partition_label(dev_t part, char label[GPT_NAME], struct err *e);
/* "vda", 2 -> "vda2"; "nvme0n1", 2 -> "nvme0n1p2". */
MUST_CHECK int disk_partition_name(const char *disk, unsigned number, char name[DISK_NAME], struct err *e);

/* Size in 512-byte sectors; a disk with other sectors is refused. */
MUST_CHECK int disk_sectors(int fd, uint64_t *sectors, struct err *e);
/* What disk_gpt_read found to repair. */
enum disk_gpt { DISK_GPT_GOOD, DISK_GPT_PRIMARY_BAD, DISK_GPT_BACKUP_BAD };
/* Takes the primary table, or the backup when the primary is broken; *found says what must be written again. */
MUST_CHECK int disk_gpt_read(int fd, struct gpt *g, enum disk_gpt *found, struct err *e);
/* Zeroes the first MiB of a place that is about to become a partition: what an earlier system left there (a root image
 * with our own UUID, a file system) must not come back to life. */
MUST_CHECK int disk_wipe(int fd, const struct gpt_part *p, struct err *e);
/* Backup first, then primary, each flushed: a power cut leaves one good copy at any moment. */
MUST_CHECK int disk_gpt_write(int fd, const struct gpt *g, struct err *e);
/* Tells the kernel about a new or grown partition without reading the table again (the root is mounted from it). */
MUST_CHECK int disk_kernel_add(int fd, const struct gpt_part *p, struct err *e);
MUST_CHECK int disk_kernel_resize(int fd, const struct gpt_part *p, struct err *e);

#endif
