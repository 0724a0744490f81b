/* Copies of the apps' volumes: which there are, and what is asked for. The copying and putting back is done by
 * libexec/hearth/volumes (its header says how the copies lie on the disk), at the next start of the box and before
 * Kubernetes: then nobody writes, so a copy is whole, and putting one back pulls nothing from under an app. Here only
 * marks are set, so the box may lose power at any point.
 *
 *   snapshots                 what there is, and what is asked for; for everybody
 *   snapshots take            a copy of every volume at the next start
 *   snapshots restore NAME    this volume goes back at the next start; what it holds then is put aside as NAME:newer,
 *                             and restoring that is an exchange. Never over what an earlier restore has put aside
 *   snapshots remove NAME     the copy goes, and the room that it takes
 *   snapshots cancel          nothing is asked for any more
 *
 * NAME: NAMESPACE/CLAIM, or the volume's folder where several have the same claim (an old one that was retained).
 * An update asks for a copy with `--snapshot` or update.snapshot: it is made at the first start of the new version,
 * which does not start Kubernetes without it. */
#ifndef HEARTH_UPDATE_SNAPSHOTS_H
#define HEARTH_UPDATE_SNAPSHOTS_H

#include <stdbool.h>

#include "base/err.h"
#include "format/json.h"
#include "loop/child.h"

/* What the room of removed copies is given back by; zeroed at first. */
struct snapshots {
	struct child clear;
	bool again; /* more was removed meanwhile */
};

/* argv[0] is "snapshots". Writes the members of the open object, or says what is wrong. */
MUST_CHECK int snapshots_order(struct snapshots *s, unsigned argc, const char *const *argv, struct json *j,
                               struct err *e);
/* For an update to `version` that is about to be armed: asks for a copy at its first start, when somebody or the
 * settings want one, and else takes back what an update that was cancelled has asked for. Settings that cannot be read
 * want one. */
MUST_CHECK int snapshots_arm(bool asked, const char *version, struct err *e);

#endif
