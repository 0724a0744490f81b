/* The clone role: a second folder with what a first one holds, its files by reflink, so it takes no time and no room.
 *
 *     hearth clone FROM TO     makes TO; prints how many bytes FROM's files take
 *
 * As exact as it can be: owners, modes, times, extended attributes (so access lists, too), files with several names,
 * holes. Sockets, FIFOs and devices hold no data and are left out, and so are mounts below FROM. Project ids are not
 * taken along: TO counts where the folder around it does. Nobody may change FROM meanwhile. What it cannot share with
 * FROM it does not copy: a volume may be larger than what is free. Refused when there is little room even for what is
 * not shared. After an error a part of TO is there. TO.links is its
 * own while it runs; the caller removes both before another try, and flushes. Needs root. */
#ifndef HEARTH_NODE_CLONE_H
#define HEARTH_NODE_CLONE_H

#include <stdint.h>

#include "base/err.h"

/* *bytes: on the disk, a file with several names once. */
MUST_CHECK int clone_folder(const char *from, const char *to, uint64_t *bytes, struct err *e);
/* Exit codes as base/exit.h. */
int clone_main(int argc, char **argv);

#endif
