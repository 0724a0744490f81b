/* A short list of names, one per line: the facts that were on when an update was armed and are to be on again before it
 * is kept (PATH_STATE_APPS): "app-jellyfin", "network-up". Written by the update role, read by PID 1. Pure. */
#ifndef HEARTH_CORE_NAMES_H
#define HEARTH_CORE_NAMES_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

#define NAMES_MAX     96           /* as many facts as an image's apps can have beside the services' */
#define NAMES_NETWORK "network-up" /* the only one that is no app's */
#define NAMES_TEXT    (NAMES_MAX * LIMIT_NAME + 1)

struct names {
	char name[NAMES_MAX][LIMIT_NAME]; /* str_is_name */
	unsigned count;
};

/* Every line must be a name and end in a line break; text need not be terminated. */
MUST_CHECK int names_parse(struct names *all, const char *text, size_t len, struct err *e);
/* -1 for what is no name, and when the list is full. */
MUST_CHECK int names_add(struct names *all, const char *name, struct err *e);
MUST_CHECK int names_format(const struct names *all, struct buf *b, struct err *e);

#endif
