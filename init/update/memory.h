/* What the box remembers about updates, in small files on the state partition; for the update role.
 *
 *   PATH_STATE_CHANNELS   one line per channel, "stable 42": the highest edition of its index seen, the last one first
 *   PATH_STATE_FAILED     one version per line, the last one first: tried here and given up, by the box or by a person
 *
 * Lines of any other shape count for nothing, and a file that cannot be read is an empty one: what is forgotten costs a
 * try, what is not believed would cost all updates. */
#ifndef HEARTH_UPDATE_MEMORY_H
#define HEARTH_UPDATE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "format/version.h"

#define MEMORY_CHANNELS 4  /* more than a box goes back and forth between */
#define MEMORY_FAILED   16 /* by then something is newer */

/* 0: none was seen. */
uint64_t memory_serial(const char *channel);
MUST_CHECK int memory_keep_serial(const char *channel, uint64_t serial, struct err *e);

bool memory_has_failed(const char *version);
/* 0 also when it is known already. */
MUST_CHECK int memory_add_failed(const char *version, struct err *e);

#endif
