/* How this box's runs end, in PID 1: the past ones as the storage role found them, and what is to be kept of this one.
 * While it runs, a line with kind "running" is renewed every ten minutes and when the box got well, so that of a run
 * that is cut short slot, version and length are known. Written by a helper; nothing here waits for a disk. */
#ifndef HEARTH_BOOT_HISTORY_H
#define HEARTH_BOOT_HISTORY_H

#include "boot/helper.h"
#include "core/fact.h"
#include "format/json.h"
#include "host/ends.h"
#include "loop/loop.h"

#define HISTORY_KEEP_MS  600000
#define HISTORY_AGAIN_MS 15000 /* after a helper that could not be started */

struct history {
	struct loop *loop;
	struct facts *facts;
	struct ends past;
	struct end now; /* slot, version, well; the rest is filled when it is written */
	struct helper keep;
	struct loop_timer timer;
};

/* version: that runs. */
void history_init(struct history *h, struct loop *l, struct facts *fs, const char *version);
/* Reads PATH_RUN_ENDS and begins to keep; the state partition is mounted. */
void history_load(struct history *h, const char *slot);
/* This run got well. Once is enough for the whole run. */
void history_well(struct history *h);
/* Shutdown: the line that says "running" is not renewed any more. */
void history_stop(struct history *h);
/* The record of this run as it ends now. */
MUST_CHECK int history_line(const struct history *h, enum end_kind kind, const char *why, char line[END_LINE],
                            struct err *e);
/* How the last run ended; NULL when that is not known. */
const struct end *history_last(const struct history *h);
/* {"boots": [...]}, newest first. */
void history_json(const struct history *h, struct json *out);

#endif
