/* Runs a helper program of the image to its end, for roles that may block: its output goes to the log line by line,
 * and a deadline bounds it. Never for PID 1. */
#ifndef HEARTH_NODE_TOOL_H
#define HEARTH_NODE_TOOL_H

#include <stdint.h>

#include "base/err.h"

/* argv: NULL-ended, argv[0] an absolute path. 0: it ended by itself, *status is its exit status. -1: it could not be
 * started (code ENOENT: it is not in the image), died of a signal, or was killed at the deadline (code ETIMEDOUT).
 * One at a time per process. */
MUST_CHECK int tool_run(const char *const *argv, uint32_t deadline_ms, int *status, struct err *e);

#endif
