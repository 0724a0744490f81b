/* Starts of the other slot that left no record: a kernel that panics or stands still before there is a disk to write
 * on, a root that stage 1 refuses. The boot loader has counted them in the name of the boot entry; what of it is known
 * already stands in PATH_STATE_UNSEEN: one line, the entry's name and when the slot was filled, for another try of an
 * update gets the same name. Run by the storage role, once per boot. */
#ifndef HEARTH_NODE_UNSEEN_H
#define HEARTH_NODE_UNSEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "host/bootenv.h"
#include "host/ends.h"

#define UNSEEN_MARK (BOOTENV_NAME + 24) /* a time behind the name */

struct unseen {
	bool there;             /* such starts since the last run that left a record */
	struct end end;         /* what they came to, kind no-start */
	char mark[UNSEEN_MARK]; /* to be remembered; "": as it is */
};

/* Pure. other: the entry of the slot that does not run, or NULL; filled: when (seconds, 0: not known). last: how the
 * run before this one ended. known: what PATH_STATE_UNSEEN holds. end.version is not filled. */
void unseen_find(struct unseen *u, const struct bootenv_entry *other, int64_t filled, const struct end *last,
                 const char *known);
/* The same from the ESP and PATH_STATE, both mounted. What cannot be read is logged: nothing is known then. */
void unseen_look(struct unseen *u, const struct end *last);
/* It is told, and not again. */
MUST_CHECK int unseen_keep(const struct unseen *u, struct err *e);

#endif
