/* The names of the service files of one folder, sorted. Used by service/table. */
#ifndef HEARTH_SERVICE_FOLDER_H
#define HEARTH_SERVICE_FOLDER_H

#include "base/err.h"
#include "base/limits.h"

#define FOLDER_NAME 64 /* a longer name is no service's */

struct folder {
	unsigned count;
	unsigned lost;                          /* there were more than LIMIT_SERVICES */
	char name[LIMIT_SERVICES][FOLDER_NAME]; /* "web.yaml" */
};

/* Every name that ends in .yaml or .yml (a mistake that the caller reports) and does not begin with a dot; longer ones
 * come cut, so that the caller can name them. A missing folder is empty. */
MUST_CHECK int folder_read(struct folder *f, const char *path, struct err *e);

#endif
