/* The kernel of a bundle, piece by verified piece. Runs in the update's worker, without privileges, on descriptors that
 * it was given; `hearth bundle` holds a bundle's list against its kernel with it. */
#include "update/kernel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"
#include "update/blockio.h"
#include "update/delta.h"

static uint64_t pieces(uint64_t bytes)
{
	return (bytes + KERNEL_PIECE - 1) / KERNEL_PIECE;
}

uint64_t kernel_hash_bytes(uint64_t bytes)
{
	return pieces(bytes) * SHA256_BYTES;
}

int kernel_init(struct kernel *k, uint64_t bytes, struct err *e)
{
	kernel_fini(k);
	*k = (struct kernel){.fd = -1, .bytes = bytes};
	k->hashes = calloc(1, (size_t)kernel_hash_bytes(bytes));
	k->piece = malloc(KERNEL_PIECE);
	k->other = malloc(KERNEL_PIECE);
	if (!k->hashes || !k->piece || !k->other)
		return err_set(e, ENOMEM, "no memory for the kernel's hashes");
	return blockset_init(&k->done, pieces(bytes), e);
}

void kernel_fini(struct kernel *k)
{
	blockset_fini(&k->done);
	free(k->hashes);
	free(k->piece);
	free(k->other);
	k->hashes = k->piece = k->other = NULL;
}

int kernel_hashes(struct kernel *k, uint64_t at, const void *p, size_t n, struct err *e)
{
	uint64_t all = kernel_hash_bytes(k->bytes);

	if (at > all || n > all - at)
		return err_set(e, EFBIG, "uki.hashes has more than %llu bytes", (unsigned long long)all);
	memcpy(k->hashes + at, p, n);
	return 0;
}

int kernel_check_hashes(const struct kernel *k, const uint8_t sum[SHA256_BYTES], struct err *e)
{
	uint8_t is[SHA256_BYTES];

	sha256(k->hashes, (size_t)kernel_hash_bytes(k->bytes), is);
	if (memcmp(is, sum, sizeof(is)) != 0)
		return err_set(e, EBADMSG, "uki.hashes: its SHA-256 is not the one in the manifest");
	return 0;
}

static size_t length(const struct kernel *k, uint64_t piece)
{
	uint64_t left = k->bytes - piece * KERNEL_PIECE;

	return left < KERNEL_PIECE ? (size_t)left : KERNEL_PIECE;
}

static bool is_piece(const struct kernel *k, uint64_t piece, const uint8_t *p)
{
	uint8_t is[SHA256_BYTES];

	sha256(p, length(k, piece), is);
	return memcmp(is, k->hashes + piece * SHA256_BYTES, sizeof(is)) == 0;
}

void kernel_resume(struct kernel *k, int fd)
{
	struct err unread;

	k->fd = fd;
	kernel_seek(k, 0);
	for (uint64_t i = 0; i < k->done.blocks; i++) {
		if (blockio_read(fd, k->piece, length(k, i), i * KERNEL_PIECE, &unread) == 0 &&
		    is_piece(k, i, k->piece))
			blockset_add(&k->done, i);
	}
}

static int put(struct kernel *k, uint64_t piece, const uint8_t *p, struct err *e)
{
	if (k->fd >= 0 && blockio_write(k->fd, p, length(k, piece), piece * KERNEL_PIECE, e) < 0)
		return err_prefix(e, "write the kernel to the ESP");
	blockset_add(&k->done, piece);
	return 0;
}

/* --- from the running kernel ------------------------------------------------------------------ */

/* Where the other kernel has which piece. */
static int read_index(const struct kernel *k, int other, struct delta *d, struct err *e)
{
	uint8_t hash[SHA256_BYTES];
	struct err unread;
	uint64_t bytes;

	if (blockio_size(other, &bytes, e) < 0 || delta_init(d, pieces(bytes), e) < 0)
		return -1;
	for (uint64_t i = 0; i < d->blocks; i++) {
		uint64_t left = bytes - i * KERNEL_PIECE;
		size_t n = left < KERNEL_PIECE ? (size_t)left : KERNEL_PIECE;
		if (blockio_read(other, k->other, n, i * KERNEL_PIECE, &unread) < 0)
			continue;
		sha256(k->other, n, hash);
		delta_add(d, hash, i);
	}
	return 0;
}

int kernel_copy(struct kernel *k, int other, struct err *e)
{
	struct delta d = {0};
	struct err unread;
	uint64_t from;
	int rc = 0;

	if (read_index(k, other, &d, &unread) < 0) {
		delta_fini(&d);
		return 0;
	}
	for (uint64_t i = 0; rc == 0 && i < k->done.blocks; i++) {
		if (blockset_has(&k->done, i) || !delta_find(&d, k->hashes + i * SHA256_BYTES, &from) ||
		    blockio_read(other, k->other, length(k, i), from * KERNEL_PIECE, &unread) < 0 ||
		    !is_piece(k, i, k->other))
			continue;
		k->copied += length(k, i);
		rc = put(k, i, k->other, e);
	}
	delta_fini(&d);
	return rc;
}

/* --- from outside ----------------------------------------------------------------------------- */

uint64_t kernel_missing(const struct kernel *k)
{
	uint64_t last = k->done.blocks - 1, n = (k->done.blocks - k->done.count) * KERNEL_PIECE;

	return blockset_has(&k->done, last) ? n : n - (KERNEL_PIECE - length(k, last));
}

bool kernel_run(const struct kernel *k, uint64_t from, uint64_t max, struct run *r)
{
	return blockset_missing(&k->done, from, 0, max, r);
}

void kernel_seek(struct kernel *k, uint64_t piece)
{
	k->next = piece;
	k->part = 0;
}

static int feed_piece(struct kernel *k, struct err *e)
{
	uint64_t piece = k->next++;

	k->part = 0;
	if (blockset_has(&k->done, piece))
		return 0;
	if (!is_piece(k, piece, k->piece))
		return err_set(e, EBADMSG, "uki.efi: the bytes from %llu on are not what uki.hashes says",
		               (unsigned long long)(piece * KERNEL_PIECE));
	return put(k, piece, k->piece, e);
}

int kernel_feed(struct kernel *k, const void *data, size_t n, struct err *e)
{
	const uint8_t *p = data;

	while (n > 0) {
		if (k->next >= k->done.blocks)
			return err_set(e, EFBIG, "uki.efi has more than %llu bytes", (unsigned long long)k->bytes);
		size_t want = length(k, k->next) - k->part;
		size_t take = n < want ? n : want;
		memcpy(k->piece + k->part, p, take);
		k->part += take;
		p += take;
		n -= take;
		if (take == want && feed_piece(k, e) < 0)
			return -1;
	}
	return 0;
}

int kernel_finish(struct kernel *k, const uint8_t sum[SHA256_BYTES], struct err *e)
{
	uint8_t is[SHA256_BYTES];
	uint64_t bytes;

	if (k->done.count < k->done.blocks)
		return err_set(e, ENODATA, "%llu bytes of uki.efi are missing", (unsigned long long)kernel_missing(k));
	if (sys_ftruncate(k->fd, (off_t)k->bytes) < 0)
		return err_sys(e, "cut the kernel to its length");
	if (blockio_sum(k->fd, is, &bytes, e) < 0)
		return err_prefix(e, "read the kernel back");
	if (bytes != k->bytes || memcmp(is, sum, sizeof(is)) != 0)
		return err_set(e, EBADMSG, "uki.efi: its SHA-256 is not the one in the manifest");
	return 0;
}
