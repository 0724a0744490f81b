/* What the kernel kept of a run that crashed (pstore: its log in EFI variables or in memory that survives a restart):
 * moved to PATH_STATE_CRASH as one text, so that there is room for the next crash, and boiled down to one reason.
 * Run by the storage role, once per boot. */
#ifndef HEARTH_NODE_CRASH_H
#define HEARTH_NODE_CRASH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/limits.h"
#include "host/ends.h"

#define CRASH_FILES 64          /* files of pstore looked at in one boot: all that a firmware has room for */
#define CRASH_PART  (16 << 10)  /* bytes taken of one of them; the kernel's own parts are smaller */
#define CRASH_TEXT  (128 << 10) /* bytes of one kept text; older parts are left out when there are more */
#define CRASH_KEPT  4           /* texts kept: the last of a series and how it began; 512 KiB of the state partition */

struct crash {
	char reason[LIMIT_DETAIL]; /* one sentence of printable ASCII; "": nothing new, or no reason in it */
	char path[LIMIT_PATH];     /* where the text is kept; "": nothing new, or it could not be kept */
};

/* Why a run ended, from its kernel log (lines may begin with "<6>[    1.234567] "; text need not be terminated):
 *
 *   hearth: PID 1 fault: WHAT; the box restarts    "PID 1 fault: WHAT"
 *   Kernel panic - not syncing: WHAT               "kernel panic: WHAT", with the error before a "Fatal exception"
 *   BUG: WHAT, Oops: WHAT, kernel BUG at WHERE     "kernel error: " and the line
 *
 * The first of these kinds wins, and of one kind the first line. Cut to fit; "" when there is none. */
void crash_reason(const char *text, size_t len, char reason[LIMIT_DETAIL]);

/* What a reason that is not "" says: pid1-fault or panic. */
enum end_kind crash_kind(const char *reason);

/* Moves the files of the folder `from` to a new PATH_STATE_CRASH/NUMBER.txt, oldest line first, and removes them there
 * once the copy is on the disk. unexpected: the last run did not end in order; without it, and without a dump of the
 * kernel, there is nothing to explain: what else is there (the console's text in memory) is only removed. An error
 * leaves in *c what is known, and in `from` what is not kept. No such folder is no error. */
MUST_CHECK int crash_keep(const char *from, bool unexpected, struct crash *c, struct err *e);

#endif
