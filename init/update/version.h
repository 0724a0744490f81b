/* A version: up to three numbers of up to five digits with dots between them ("0.2.0", "1.0"); a number that is not
 * there counts as 0. Pure. */
#ifndef HEARTH_UPDATE_VERSION_H
#define HEARTH_UPDATE_VERSION_H

#include <stdint.h>

#include "base/err.h"

#define VERSION_PARTS 3
#define VERSION_TEXT  18 /* "99999.99999.99999" and the end */

struct version {
	char text[VERSION_TEXT]; /* as written */
	uint32_t part[VERSION_PARTS];
};

/* The whole string or nothing: no sign, no blank, no leading zero. 0 or -1. */
MUST_CHECK int version_parse(struct version *v, const char *text);
/* Below 0, 0, above 0: a is older, as old, newer. */
int version_compare(const struct version *a, const struct version *b);

#endif
