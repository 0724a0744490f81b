/* Which revisions of the manifests have been applied on this box, and when: a small text file, newest last,
 *
 *   2026-01-31T12:00:00Z 0123456789abcdef0123456789abcdef 142
 *
 * time, revision, number of objects. The same revision again adds nothing. Replaced as a whole, so that a power cut
 * leaves the old one or the new one. */
#ifndef HEARTH_KUBE_HISTORY_H
#define HEARTH_KUBE_HISTORY_H

#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "kube/manifest.h"

#define HISTORY_PATH    "/data/hearth/kube/history" /* the folder belongs to the role's user */
#define HISTORY_ENTRIES 32                          /* years of updates */
#define HISTORY_TIME    21                          /* clock_format */

struct history_entry {
	char time[HISTORY_TIME];
	char revision[MANIFEST_HASH];
	unsigned objects;
};

struct history {
	char path[LIMIT_PATH];
	struct history_entry entry[HISTORY_ENTRIES];
	unsigned count;
};

/* Reads the file; none is an empty history. Lines that are none are left out, and gone with the next write. An error:
 * it cannot be read; the history is empty then, and can be used. */
MUST_CHECK int history_read(struct history *h, const char *path, struct err *e);
/* Adds a line with the time now, and writes the file. On an error the line is in memory only. */
MUST_CHECK int history_add(struct history *h, const char *revision, unsigned objects, struct err *e);

#endif
