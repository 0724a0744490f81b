/* A new slot that did not get as far as its disks: its image did not start, its root was refused, or it could not mount
 * them. Nothing of such a run is on the disk, but the boot loader has counted its starts in the name of the boot entry.
 * The next run of the other slot tells it (`boots`, `status`) as the end of a run of that slot. */
#ifndef HEARTH_NODE_GIVENUP_H
#define HEARTH_NODE_GIVENUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "host/bootenv.h"
#include "host/ends.h"
#include "host/identity.h"

/* What was put into the other slot, and when (seconds since 1970). */
struct givenup_install {
	char version[END_VERSION];
	int64_t time;
};

/* Pure. The entry of the other slot when it should be running: it was installed later than this one's, was started, and
 * has left no record of a run in all; else NULL. */
const struct bootenv_entry *givenup_find(const struct bootenv *b, char running, const struct givenup_install *in,
                                         const struct ends *all);
/* Adds the end to PATH_STATE_ENDS and takes it for how the last run ended. The boot partition and PATH_STATE are
 * mounted, and this run is recorded already (node/records). */
MUST_CHECK int givenup_note(struct identity *id, char running, struct err *e);

#endif
