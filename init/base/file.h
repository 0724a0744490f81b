/* Small files. Writes that matter are temp + fsync + rename + fsync of the folder. */
#ifndef HEARTH_BASE_FILE_H
#define HEARTH_BASE_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Reads the whole file behind what is in b; a file larger than the room left is an error. */
MUST_CHECK int file_read(const char *path, struct buf *b, struct err *e);
/* The first line of a small file; "" when there is none, or it does not fit cap bytes. An error is one of the disk. */
MUST_CHECK int file_read_line(const char *path, char *text, size_t cap, struct err *e);
/* Replaces the file or leaves the old one whole; survives a power cut at any point. */
MUST_CHECK int file_replace(const char *path, const void *data, size_t len, mode_t mode, struct err *e);
/* What was renamed, made or removed in the folder is on the disk when it returns 0. */
MUST_CHECK int file_flush_folder(const char *path, struct err *e);
/* One write(2) into an existing file: /proc, /sys and cgroup attributes. */
MUST_CHECK int file_write_attr(const char *path, const char *text, struct err *e);
/* mkdir -p with mode for every folder made. */
MUST_CHECK int file_mkdirs(const char *path, mode_t mode, struct err *e);

#endif
