/* dm-verity: the superblock behind the root image, and opening it as a device.
 *
 * The system partition is an EROFS image followed by a superblock and the hash tree (veritysetup's layout with
 * --hash-offset at the end of the image). Everything the superblock says is checked by the kernel against the root
 * hash when blocks are read: a wrong salt or size gives read errors, never wrong data. */
#ifndef HEARTH_HOST_VERITY_H
#define HEARTH_HOST_VERITY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define VERITY_BLOCK    4096
#define VERITY_SALT_MAX 256
#define VERITY_EROFS_AT 1024 /* of the EROFS superblock in the image */
#define VERITY_NAME     "hearth-root"

struct verity {
	uint8_t uuid[16];
	uint64_t data_blocks;
	uint64_t hash_start; /* block of the tree's first block, counted from the partition's start */
	size_t salt_len;
	uint8_t salt[VERITY_SALT_MAX];
};

/* Pure. block: at least 512 bytes found at hash_offset (a multiple of VERITY_BLOCK) of the partition. */
MUST_CHECK int verity_parse(struct verity *v, const uint8_t *block, size_t len, uint64_t hash_offset, struct err *e);
/* Pure. Size of the EROFS image in bytes, from its first block; rounded up to VERITY_BLOCK it is the hash offset. */
MUST_CHECK int verity_image_bytes(const uint8_t *block, size_t len, uint64_t *bytes, struct err *e);
/* Pure. The target line of the device-mapper table. roothash: 64 hexadecimal digits. */
MUST_CHECK int verity_table(const struct verity *v, dev_t dev, const char *roothash, char *dst, size_t cap,
                            struct err *e);

/* Reads both superblocks of an open partition. code ENOENT: it is not one of ours at all. */
MUST_CHECK int verity_probe(int fd, struct verity *v, struct err *e);
/* Makes the device VERITY_NAME over partition `dev`; *out is its number. May block on the disk: stage 1 only. */
MUST_CHECK int verity_open(const struct verity *v, dev_t dev, const char *roothash, dev_t *out, struct err *e);
/* The device VERITY_NAME for reading what the disk says now: direct I/O. */
MUST_CHECK int verity_open_root(struct err *e);
/* Reads on from block *block of the open verity device, len bytes (a multiple of VERITY_BLOCK) at most, and moves
 * *block behind what was read. 0 at the end of the device. -1: *block is the first one that the kernel refuses.
 * p must be aligned as the descriptor wants it (O_DIRECT: VERITY_BLOCK). */
MUST_CHECK ssize_t verity_read(int fd, uint64_t *block, uint8_t *p, size_t len, struct err *e);
/* The number of the device VERITY_NAME itself; code ENXIO as below. */
MUST_CHECK int verity_device(dev_t *out, struct err *e);
/* The partition below VERITY_NAME; code ENXIO when there is no such device (a root that is not verified). */
MUST_CHECK int verity_backing(dev_t *out, struct err *e);

#endif
