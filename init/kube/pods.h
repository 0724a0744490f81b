/* Pods for the consoles: the list, and where the log of a container lies. Pure. */
#ifndef HEARTH_KUBE_PODS_H
#define HEARTH_KUBE_PODS_H

#include <stdint.h>

#include <yyjson.h>

#include "base/buf.h"
#include "base/err.h"
#include "format/json.h"

#define PODS_LOGS "/var/log/pods"
#define PODS_ROOM 2048 /* bytes that one row of an answer, and its end, may take */

/* Writes {"pods": [...]} from the server's table (Accept: ...;as=Table). now: clock_wall. What does not fit in room
 * bytes is counted in "more". */
void pods_answer(struct json *out, yyjson_val *table, int64_t now, size_t room);
/* Writes the path of a container's log from a list of pods of one name; container "": the only one. An error names
 * what there is. */
MUST_CHECK int pods_log(yyjson_val *list, const char *container, struct buf *path, struct err *e);
/* "NAME" or "NAMESPACE/NAME" behind "pod/" into the query of the list; ns ("" : all) points into text, which is
 * changed. An error: no such name is possible. */
MUST_CHECK int pods_query(char *text, const char **ns, struct buf *query, struct err *e);

#endif
