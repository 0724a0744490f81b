/* Which version runs: VERSION_ID of PATH_OS_RELEASE, which a bundle's version is read from, too. The one source for
 * everybody: status, records, updates. */
#ifndef HEARTH_HOST_RELEASE_H
#define HEARTH_HOST_RELEASE_H

#include "base/err.h"
#include "format/version.h"

/* Pure: from the text of an os-release(5) file; 0, or -1 when there is no version in it. */
MUST_CHECK int release_find(const char *text, char version[VERSION_TEXT]);
/* The running one; where its root does not say, what this program was built as. */
void release_version(char version[VERSION_TEXT]);

#endif
