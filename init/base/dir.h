/* The names in a folder, one call each. Allocates nothing, so PID 1 may use it: no opendir. */
#ifndef HEARTH_BASE_DIR_H
#define HEARTH_BASE_DIR_H

#include <stdbool.h>

#include "base/err.h"

/* name is valid during the call only; "." and ".." come too. False: no more names are wanted. */
typedef bool dir_fn(const char *name, void *arg);

/* In the folder's own order. 0, or -1 with errno's code (ENOENT: no such folder). */
MUST_CHECK int dir_each(const char *path, dir_fn *fn, void *arg, struct err *e);

#endif
