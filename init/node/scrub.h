/* The scrub role: a one-shot service that reads the whole verified root once per boot in the background, so that a
 * block that went bad is known before something needs it. It reads past the page cache: what counts is what the disk
 * says now. Yields to everybody: its service waits until the box has started (fact started), it has idle priority, and
 * it rests as long as it worked. Sets fact root-intact. */
#ifndef HEARTH_NODE_SCRUB_H
#define HEARTH_NODE_SCRUB_H

#include <stdint.h>

#include "base/err.h"

int scrub_main(int argc, char **argv);
/* Reads the open device to its end. 0: *block blocks are good; -1: *block is the first bad one. */
MUST_CHECK int scrub_device(int fd, uint64_t *block, struct err *e);

#endif
