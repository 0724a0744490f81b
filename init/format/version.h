/* Versions: up to three dotted numbers of up to five digits ("0.2.0", "1.10"). Pure.
 *
 * Nothing stands behind the numbers (no "-rc1"): two versions are older, newer or the same, never unclear. */
#ifndef HEARTH_FORMAT_VERSION_H
#define HEARTH_FORMAT_VERSION_H

#include "base/err.h"

#define VERSION_PARTS 3
#define VERSION_TEXT  18 /* "99999.99999.99999" and the end */

struct version {
	unsigned part[VERSION_PARTS]; /* missing ones are 0 */
};

/* 0, or -1 when text is none. */
MUST_CHECK int version_read(const char *text, struct version *v);
/* Below 0: a is older than b; 0: the same; above 0: newer. */
int version_compare(const struct version *a, const struct version *b);

#endif
