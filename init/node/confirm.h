/* The confirm role: a boot that got well takes the try counter off its boot entry.
 *
 * Boot counting is systemd-boot's (UAPI group, Automatic Boot Assessment): an entry "hearth-a+2-1.efi" has two tries
 * left and has used one; the loader renames it at each start, and an entry without a counter is good. Only an entry
 * that has a counter is touched, so a good slot never uses up tries. */
#ifndef HEARTH_NODE_CONFIRM_H
#define HEARTH_NODE_CONFIRM_H

#include <stddef.h>

#include "base/err.h"

/* Pure. The name without counter of an entry of this slot ("a"): 0 and good filled, or -1 when `entry` is not such an
 * entry or has no counter. */
MUST_CHECK int confirm_name(const char *entry, const char *slot, char *good, size_t cap);
/* Exit codes as base/exit.h; nothing to do is success. */
int confirm_main(int argc, char **argv);

#endif
