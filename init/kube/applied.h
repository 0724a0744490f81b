/* What the last run left on the server, so that the next one need not send again what is as it was: for each object the
 * hash of its body and what we owned of it then (object_owned); 0 for a Job that had completed and was cleaned away,
 * which is not made again at each boot. A small text file, a line for each object.
 *
 * A file that is lost or broken costs a request for each object, and runs such Jobs once more. */
#ifndef HEARTH_KUBE_APPLIED_H
#define HEARTH_KUBE_APPLIED_H

#include "base/err.h"
#include "kube/items.h"

/* Marks the items whose body is the same. No file is no error; of a broken one the good lines count. */
MUST_CHECK int applied_read(const char *path, struct items *t, struct err *e);
/* Items that have been applied, and whose fields nobody has changed since. */
MUST_CHECK int applied_write(const char *path, const struct items *t, struct err *e);

#endif
