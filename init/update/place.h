/* What an update touches with root's rights: the target's partition, the ESP, the records. Each call is one step of
 * update/conduct; blocks on disks, which the update role may.
 *
 * In this order: find, open (an upload: pipe before it), check, mark; then kernel; then arm, or drop at any point.
 * After `mark` the target has no boot entry until `arm` gives it one: whatever happens between, the box boots the
 * running slot. */
#ifndef HEARTH_UPDATE_PLACE_H
#define HEARTH_UPDATE_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/paths.h"
#include "core/names.h"
#include "host/halves.h"
#include "update/manifest.h"
#include "update/order.h"
#include "update/usb.h"

#define PLACE_LAST PATH_DATA "/update/last" /* a sentence: how the last install ended */
#define PLACE_JOB  PATH_DATA "/update/job"  /* the install under way: update/order's record */

struct place {
	struct halves half;
	int target, running, source; /* descriptors, -1: not open */
	int kernel;                  /* the temporary file on the ESP, which is writable while it is open */
	char found[USB_FOUND];       /* which file on which stick; "": another source */
};

/* For tests: files in the place of the partitions. */
struct place_stand_in {
	const char *target, *running; /* NULL: the real ones */
	char slot;                    /* that runs */
};

void place_init(struct place *p);
/* Who is who. Refuses where there is no second slot, and while the running one is on trial. */
MUST_CHECK int place_find(struct place *p, const struct place_stand_in *t, struct err *e);
/* The descriptors for the worker. write: the target, too. code ENOMEDIUM: the source is a stick that is not there. */
MUST_CHECK int place_open(struct place *p, const struct place_stand_in *t, const struct order *o, bool write,
                          struct err *e);
/* Is it what an upload, or a part of one, comes in? */
MUST_CHECK int place_is_pipe(int fd, struct err *e);
/* The read end of an upload's pipe, which stays the caller's, too. */
MUST_CHECK int place_pipe(struct place *p, int fd, struct err *e);
/* May this bundle go there? Board, version, room. Nothing is changed. */
MUST_CHECK int place_check(const struct place *p, const struct update_manifest *m, const struct order *o,
                           struct err *e);
/* Takes the boot entries of the target away, and what is known of it. On the disk when it returns. */
MUST_CHECK int place_mark(struct place *p, struct err *e);
/* Opens the temporary kernel, with what an earlier try left of it. */
MUST_CHECK int place_kernel(struct place *p, struct err *e);
/* The kernel's sum, records, the end of the job's, then the boot entry with fresh tries. healthy: names of the facts of
 * apps that are well now. The job goes first: else a power cut behind the rename would have the same install begin
 * again from the new slot, over the old one. */
MUST_CHECK int place_arm(struct place *p, const struct update_manifest *m, const struct order *o,
                         const struct names *healthy, struct err *e);
/* How the last install ended, a sentence that outlives the role and the box; "": nobody knows. A failure to keep it is
 * logged only. */
void place_write_last(const char *text);
void place_read_last(char *text, size_t cap);
/* Was the other slot armed before this role began, and not started since? Its version, "" when that is not known. */
bool place_armed(const struct place *p, char version[VERSION_TEXT]);
/* Does the other slot hold a version that did not get well, or that a person went back from? */
bool place_given_up(const struct place *p, char version[VERSION_TEXT]);
/* Closes everything. forget: the temporary kernel goes too. */
void place_drop(struct place *p, bool forget);

/* The record of the install; NULL: there is none any more, on the disk too when it returns. */
MUST_CHECK int place_write_job(const struct order *o, struct err *e);
/* 1: *o is it; 0: there is none. A record that cannot be read is an error, once: it is removed. */
MUST_CHECK int place_read_job(struct order *o, struct err *e);
#endif
