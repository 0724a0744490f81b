/* update/kernel: from whatever running kernel and whatever an earlier install left, what is missing is what neither
 * has, and the whole is the one that the list says, or a refusal.
 *
 * Input: uint8 pieces of the new kernel, uint8 of the running one, uint16 length of the last piece of both, uint8 the
 * piece that the list lies about (from 1 on), then a byte for each piece (its content), the new kernel's first. The
 * highest bit of a new one's: it is there already. */
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/check.h"
#include "update/kernel.h"

#define PIECES 32

static struct kernel k;
static uint8_t uki[PIECES * KERNEL_PIECE], piece[KERNEL_PIECE], list[PIECES * SHA256_BYTES];

static size_t length(unsigned i, unsigned n, size_t last)
{
	return i + 1 < n ? KERNEL_PIECE : last;
}

static void write_pieces(int fd, const uint8_t *of, unsigned n, size_t last, bool marked)
{
	for (unsigned i = 0; i < n; i++) {
		size_t len = length(i, n, last);
		memset(piece, of[i] & 0x7f, len);
		if (!marked || of[i] & 0x80)
			FUZZ_CHECK(pwrite(fd, piece, len, (off_t)i * KERNEL_PIECE) == (ssize_t)len);
	}
}

/* Of a piece that is the first of no other's length: has the running kernel it? */
static bool has(const uint8_t *old, unsigned old_n, uint8_t content, size_t len, size_t last)
{
	for (unsigned i = 0; i < old_n; i++) {
		if ((old[i] & 0x7f) == (content & 0x7f) && length(i, old_n, last) == len)
			return true;
	}
	return false;
}

static uint64_t make_list(const uint8_t *new, unsigned n, size_t last)
{
	for (unsigned i = 0; i < n; i++) {
		memset(uki + (size_t)i * KERNEL_PIECE, new[i] & 0x7f, KERNEL_PIECE);
		sha256(uki + (size_t)i * KERNEL_PIECE, length(i, n, last), list + (size_t)i * SHA256_BYTES);
	}
	return (uint64_t)(n - 1) * KERNEL_PIECE + last;
}

static bool feed(uint64_t bytes)
{
	struct err e = {0};
	struct run r;

	for (uint64_t from = 0; kernel_run(&k, from, 3, &r); from = r.first + r.count) {
		uint64_t at = r.first * KERNEL_PIECE, n = r.count * KERNEL_PIECE;
		kernel_seek(&k, r.first);
		if (kernel_feed(&k, uki + at, n < bytes - at ? n : bytes - at, &e) < 0) {
			FUZZ_CHECK(e.text[0]);
			return false;
		}
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t sum[SHA256_BYTES];
	struct err e = {0};
	uint16_t tail;
	uint64_t missing = 0;

	if (size < 5 || data[0] == 0 || data[0] > PIECES || data[1] > PIECES || size - 5 < (size_t)data[0] + data[1])
		return 0;
	const unsigned n = data[0], old_n = data[1], lie = data[4] % (n + 1);
	const uint8_t *new = data + 5, *old = new + n;
	memcpy(&tail, data + 2, 2);
	size_t last = tail % KERNEL_PIECE + 1;
	uint64_t bytes = make_list(new, n, last);
	sha256(uki, bytes, sum);
	if (lie)
		list[(lie - 1) * SHA256_BYTES] ^= 1;
	int fd = memfd_create("new", 0), other = memfd_create("old", 0);
	write_pieces(fd, new, n, last, true);
	write_pieces(other, old, old_n, last, false);
	FUZZ_CHECK(kernel_init(&k, bytes, &e) == 0 && kernel_hashes(&k, 0, list, (size_t)n * SHA256_BYTES, &e) == 0);
	kernel_resume(&k, fd);
	FUZZ_CHECK(kernel_copy(&k, other, &e) == 0);
	for (unsigned i = 0; i < n; i++) {
		size_t len = length(i, n, last);
		bool here = i + 1 != lie && (new[i] & 0x80 || has(old, old_n, new[i], len, last));
		/* What nobody wrote there is zeros. */
		FUZZ_CHECK(blockset_has(&k.done, i) == here || (!(new[i] & 0x7f) && i + 1 != lie));
		missing += blockset_has(&k.done, i) ? 0 : len;
	}
	FUZZ_CHECK(kernel_missing(&k) == missing);
	bool whole = feed(bytes);
	FUZZ_CHECK(whole == (lie == 0));
	FUZZ_CHECK((kernel_finish(&k, sum, &e) == 0) == whole);
	kernel_fini(&k);
	close(fd);
	close(other);
	return 0;
}
