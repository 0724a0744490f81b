/* SHA-256 (FIPS 180-4) for hash trees and files. An install hashes the image twice (before it is written, and when
 * it is read back), so the SHA instructions of the processor are used where there are any (AMD since Zen, Intel since
 * Goldmont and Ice Lake), and plain C elsewhere. mbedTLS has no such path for x86: it is as fast as the plain C here.
 *
 * A running hash is a plain value: copying it clones it. A hash tree begins each of its blocks with the same salt; the
 * state after the salt is computed once and copied. */
#ifndef HEARTH_FORMAT_SHA256_H
#define HEARTH_FORMAT_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32
#define SHA256_BLOCK 64

struct sha256 {
	uint32_t state[8];
	uint64_t bytes; /* taken in so far; what does not fill a block waits in rest */
	uint8_t rest[SHA256_BLOCK];
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t n);
/* s is used up. */
void sha256_end(struct sha256 *s, uint8_t digest[SHA256_BYTES]);
/* All at once. */
void sha256(const void *p, size_t n, uint8_t digest[SHA256_BYTES]);
/* Goes on from a copy of start (the state after a salt), which stays as it is. */
void sha256_from(const struct sha256 *start, const void *p, size_t n, uint8_t digest[SHA256_BYTES]);
/* The same of two that are equally long (at least SHA256_BLOCK): with SHA instructions, of which each waits for the one
 * before, two take little longer than one. */
void sha256_pair(const struct sha256 *start, const void *a, const void *b, size_t n, uint8_t a_digest[SHA256_BYTES],
                 uint8_t b_digest[SHA256_BYTES]);

/* For tests and benchmarks: which of the two ways is used from now on; false when the machine does not have it. */
enum sha256_way { SHA256_PLAIN, SHA256_NI };
bool sha256_use(enum sha256_way way);

#endif
