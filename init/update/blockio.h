/* Whole reads and writes at a place of a partition or file, by way of the page cache or past it. */
#ifndef HEARTH_UPDATE_BLOCKIO_H
#define HEARTH_UPDATE_BLOCKIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "format/sha256.h"

/* All n bytes at byte `at`, or an error; code ENODATA: fd ends before. */
MUST_CHECK int blockio_read(int fd, void *p, size_t n, uint64_t at, struct err *e);
MUST_CHECK int blockio_write(int fd, const void *p, size_t n, uint64_t at, struct err *e);
/* From now on reads go to the disk, past the page cache (p, n and at are multiples of the disk's block then), or by way
 * of it again. A file system that cannot do that is an error. */
MUST_CHECK int blockio_direct(int fd, bool on, struct err *e);
/* SHA-256 and number of all bytes of an open file, from its start. */
MUST_CHECK int blockio_sum(int fd, uint8_t digest[SHA256_BYTES], uint64_t *bytes, struct err *e);
/* The size of an open partition or file. */
MUST_CHECK int blockio_size(int fd, uint64_t *bytes, struct err *e);

#endif
