/* The two slots as partitions: which one the root runs from, and which one an update may write. Reads a disk: for
 * roles. Where boot entries say what each slot is good for, see host/bootenv.h. */
#ifndef HEARTH_HOST_HALVES_H
#define HEARTH_HOST_HALVES_H

#include <stdint.h>

#include "base/err.h"
#include "host/disk.h"
#include "host/gpt.h"

struct halves {
	char disk[DISK_NAME];
	char running, other; /* slots: 'a', 'b' */
	char running_name[DISK_NAME], other_name[DISK_NAME];
	uint64_t other_bytes;
};

/* Pure: from a table and the number of the root's partition; h->disk is set. code ENOENT: there is no other slot. */
MUST_CHECK int halves_from(struct halves *h, const struct gpt *g, unsigned root, struct err *e);
MUST_CHECK int halves_find(struct halves *h, struct err *e);

#endif
