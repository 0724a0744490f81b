/* The keep role: `hearth keep NAME VALUE` writes one small record into the state partition, so that PID 1 can have
 * something kept without waiting for a disk. The names are a table in keep.c: nothing else can be written with it. */
#ifndef HEARTH_NODE_KEEP_H
#define HEARTH_NODE_KEEP_H

#include "base/err.h"

/* 0 kept, 1 not kept (said on stderr), 2 wrong words. */
int keep_main(int argc, char **argv);
/* code EINVAL: no such record, or a value that is none; EROFS: the state partition is not mounted. */
MUST_CHECK int keep_record(const char *name, const char *value, struct err *e);

#endif
