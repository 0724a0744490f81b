/* A log file from its last lines on, and what is written to it after. Follows the name: when the log role has rotated
 * the file, the rest of the old one is read first, then the new one from its start. Reads are bounded; regular files
 * do not block for long. */
#ifndef HEARTH_CONSOLE_TAIL_H
#define HEARTH_CONSOLE_TAIL_H

#include <sys/stat.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/limits.h"

struct tail {
	char path[LIMIT_PATH];
	int fd; /* -1: not there (yet, or again) */
	ino_t inode;
	dev_t device;
	off_t at;
	off_t end; /* of the file when it was opened first: who does not follow stops there */
};

/* Stands `lines` lines before the end. -1 only when the file is there and cannot be read, or its path is too long; a
 * file that is not there yet is empty. */
MUST_CHECK int tail_open(struct tail *t, const char *path, unsigned lines, struct err *e);
/* Next bytes, 0 when there are none for now, -1 on error. */
MUST_CHECK ssize_t tail_read(struct tail *t, char *data, size_t cap, struct err *e);
void tail_close(struct tail *t);

#endif
