/* uki.efi on its way to the ESP: which pieces of it the running slot's kernel has, which an interrupted install left,
 * and which are to be fetched.
 *
 * `uki.hashes`, in front of it in a bundle, is the SHA-256 of each KERNEL_PIECE bytes of uki.efi, the last piece as
 * long as it is. Most builds have the same Linux, and a new initramfs and command line: board/uki.py lets every section
 * end with a piece, so a section that is the same has the same pieces, wherever it lies. Of an 8 MiB kernel the list is
 * 16 KiB, and up to two pieces are fetched too much: 16 KiB is about where the sum of both is least.
 *
 * The list comes with its sum in the signed manifest, and the whole file is held against its own sum at the end, so
 * that a list which does not fit the file is a refusal and no other kernel. Nothing else is believed: pieces of the
 * running kernel, of the target and from outside count when their hash is right.
 *
 * Memory: 2 KiB for each MiB of uki.efi, and 32 KiB. */
#ifndef HEARTH_UPDATE_KERNEL_H
#define HEARTH_UPDATE_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "format/sha256.h"
#include "update/blockset.h"

#define KERNEL_PIECE 16384

/* Bytes of uki.hashes for a uki.efi of so many. */
uint64_t kernel_hash_bytes(uint64_t bytes);

/* All zero before kernel_init. */
struct kernel {
	int fd;               /* the temporary kernel; -1: nothing is written, only checked */
	uint64_t bytes;       /* of uki.efi */
	struct blockset done; /* pieces that are right */
	uint64_t copied;      /* bytes of them that the running kernel had */
	uint64_t next;        /* the piece that kernel_feed fills */
	size_t part;          /* bytes of it that are there, in piece */
	uint8_t *hashes;      /* uki.hashes */
	uint8_t *piece, *other;
};

/* Gives up what it had before. bytes: of uki.efi, from the manifest. The caller ends it with kernel_fini, also after a
 * failure. */
MUST_CHECK int kernel_init(struct kernel *k, uint64_t bytes, struct err *e);
void kernel_fini(struct kernel *k);
/* n bytes of uki.hashes from byte `at` on. */
MUST_CHECK int kernel_hashes(struct kernel *k, uint64_t at, const void *p, size_t n, struct err *e);
/* All of the list is there: it must have this sum. code EBADMSG: it has not. */
MUST_CHECK int kernel_check_hashes(const struct kernel *k, const uint8_t sum[SHA256_BYTES], struct err *e);
/* The pieces go to fd, which may have some of them. */
void kernel_resume(struct kernel *k, int fd);
/* Takes what another kernel, open for reading, has; what cannot be read of it is left out. An error is always that of
 * the file that is written. */
MUST_CHECK int kernel_copy(struct kernel *k, int other, struct err *e);
/* Bytes that are still missing. */
uint64_t kernel_missing(const struct kernel *k);
/* The next run of missing pieces from piece `from` on, as blockset_missing without gaps. */
bool kernel_run(const struct kernel *k, uint64_t from, uint64_t max, struct run *r);
/* The bytes that kernel_feed is given next begin with this piece. */
void kernel_seek(struct kernel *k, uint64_t piece);
/* The next n bytes. Pieces that are done already are passed over. code EBADMSG: a piece is not what the list says;
 * EFBIG: behind the end. */
MUST_CHECK int kernel_feed(struct kernel *k, const void *p, size_t n, struct err *e);
/* Cuts the file to its length and reads all of it back. code ENODATA: a piece is missing; EBADMSG: it has another sum.
 */
MUST_CHECK int kernel_finish(struct kernel *k, const uint8_t sum[SHA256_BYTES], struct err *e);

#endif
