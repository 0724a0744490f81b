/* Mounts: the table of what stage 2 mounts first, and helpers for everybody who mounts.
 *
 * The calls here mount kernel file systems and move or bind what is mounted: they do not wait for a disk, so PID 1
 * may use them. Mounting a partition is stage 1's and the storage role's work. */
#ifndef HEARTH_HOST_MOUNTS_H
#define HEARTH_HOST_MOUNTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/limits.h"

struct mounts_row {
	const char *source;
	const char *target; /* made when absent */
	const char *type;   /* NULL: change of flags of what is mounted there (propagation) */
	unsigned long flags;
	const char *options; /* or NULL */
	bool needed;         /* without it nothing works: the caller's stage fails */
};

/* The early mounts in order; *count gets their number. */
const struct mounts_row *mounts_early(unsigned *count);
/* One row; 0 also when something is mounted there already (stage 1 moves /dev, /proc and /sys over). */
MUST_CHECK int mounts_apply(const struct mounts_row *row, struct err *e);

/* Told of each thing that could not be done. */
typedef void mounts_note_fn(const char *target, bool needed, const struct err *e, void *arg);
/* The whole table, then the folders and links that every boot starts with (/run/hearth, /var/log/hearth, /dev/fd ...).
 * Goes on after failures; -1 when a needed row failed. */
int mounts_setup(mounts_note_fn *note, void *arg);

/* Is the folder the top of a mount? (A bind of a folder of the same file system is not noticed.) */
bool mounts_is_mounted(const char *path);
MUST_CHECK int mounts_move(const char *from, const char *to, struct err *e);
MUST_CHECK int mounts_bind(const char *from, const char *to, struct err *e);

/* One line of /proc/self/mountinfo. */
struct mounts_info {
	dev_t dev;
	char target[2 * LIMIT_PATH]; /* unescaped; "" when it was longer: such a line cannot be used */
};

/* Pure: takes the next line of the text; returns what is behind it, or NULL at the end. Malformed lines come out with
 * an empty target. */
const char *mounts_info_next(const char *text, struct mounts_info *m);

#endif
