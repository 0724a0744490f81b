/* The quota role: a folder of the data partition with a size of its own.
 *
 *     hearth quota DIR          says how much it holds and may hold
 *     hearth quota DIR BYTES    lets it hold at most so much ("10G" too); 0: as much as there is room
 *
 * XFS counts by project: the folder and all below carry a project id, new files take that of their folder, and a write
 * beyond the project's limit fails with ENOSPC. `df` in the folder shows the limit as size. A folder that has an id
 * keeps it and gets the new limit, even one below what it holds; one without gets a free id, and so does what stands
 * in it already, if that is at most TREE_DEPTH folders deep (node/tree). Symbolic links and special files hold no data
 * and stay as they are; mounts below are left out.
 * Needs CAP_SYS_ADMIN. Run by local-path-provisioner's helper pod before a volume's first use: nothing else may change
 * the folder meanwhile. Whoever deletes a folder sets 0 before, so that its id is free again. */
#ifndef HEARTH_NODE_QUOTA_H
#define HEARTH_NODE_QUOTA_H

#include <stdint.h>

#include "base/err.h"

/* In bytes; a limit of 0 is none. */
struct quota_state {
	uint64_t used, limit;
	uint32_t project; /* 0: the folder has none, so used is 0 and nothing is counted */
};

/* fd: the open folder; dir: its name, for messages and for the first guess at an id. */
MUST_CHECK int quota_get(int fd, const char *dir, struct quota_state *q, struct err *e);
/* When it fails half-way, the folder has no id yet and calling it again goes on from there. */
MUST_CHECK int quota_set(int fd, const char *dir, uint64_t limit, struct err *e);
/* Exit codes as base/exit.h. */
int quota_main(int argc, char **argv);

#endif
