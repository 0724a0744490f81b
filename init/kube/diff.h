/* Where two versions of an object differ. Pure. */
#ifndef HEARTH_KUBE_DIFF_H
#define HEARTH_KUBE_DIFF_H

#include <yyjson.h>

#define DIFF_FIELD 256 /* ".spec.template.spec.containers[0].image"; longer paths end in "..." */
#define DIFF_VALUE 100 /* likewise */
#define DIFF_DEPTH 64  /* deeper differences are told for the value at this depth */

/* want or is "" for a field that is not there. */
typedef void diff_fn(const char *field, const char *want, const char *is, void *arg);

/* Tells each field whose value differs; status, and what the server keeps about an object, are left out. Elements of
 * lists are compared by their place. Returns how many differ. */
unsigned diff_objects(yyjson_val *want, yyjson_val *is, diff_fn *fn, void *arg);

#endif
