/* One service's log on the disk: raw output in, stamped lines out, bounded in size.
 *
 * Files are NAME.log and the older NAME.log.1 ... NAME.log.LIMIT_LOG_OLD in the current folder of the process: that is
 * what lets the role go on in a folder that another one is mounted over. A line is "2026-01-31T12:00:00.123Z text";
 * one longer than LIMIT_LOG_LINE is cut and marked. When the disk does not take a line it is dropped and counted, and
 * the count stands before the next line that is taken. Nothing here ever waits or fails towards the caller. */
#ifndef HEARTH_NODE_LOGFILE_H
#define HEARTH_NODE_LOGFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"

#define LOGFILE_CUT " [cut]"

struct logfile {
	char name[LIMIT_NAME];
	int fd;        /* of NAME.log, -1: not open */
	uint64_t size; /* of NAME.log */
	uint64_t max;  /* NAME.log is turned over before it grows beyond */
	uint64_t lost; /* lines dropped since the last one written */
	bool torn;     /* the file ends within a line: a write was cut short */
	bool cutting;  /* the rest of a line that is too long is passed over */
	size_t len;    /* of the line that has not ended yet */
	char line[LIMIT_LOG_LINE];
};

void logfile_init(struct logfile *f, const char *name, uint64_t max);
/* Takes output as it comes. wall_ms stamps every line that begins in it. */
void logfile_put(struct logfile *f, const char *data, size_t n, int64_t wall_ms);
/* Writes a line that has no end yet. */
void logfile_flush(struct logfile *f, int64_t wall_ms);
/* The file is opened anew with the next line. */
void logfile_close(struct logfile *f);
/* Puts the files of this log from `folder` behind what the current folder has, oldest first, and removes them there.
 * No files there is no error. */
MUST_CHECK int logfile_take_over(struct logfile *f, const char *folder, struct err *e);

#endif
