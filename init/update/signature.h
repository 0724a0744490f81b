/* Whose bundle it is: ECDSA over P-256 with SHA-256, by mbedTLS.
 *
 * The image carries the public keys of its updates in PATH_UPDATE_KEYS: current.pem and next.pem. A bundle signed by
 * either is good; the next image then carries (next, the one after). Keys are read once, as points of the curve, so
 * that a worker can load them before it gives its rights away and check afterwards without a file. */
#ifndef HEARTH_UPDATE_SIGNATURE_H
#define HEARTH_UPDATE_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"

#define SIGNATURE_KEYS     4    /* current, next, and room for a longer rotation */
#define SIGNATURE_KEY_FILE 2048 /* bytes of one PEM file; a P-256 key and some lines of comment are 300 */
#define SIGNATURE_POINT    65   /* uncompressed point of P-256 */

struct signature_keys {
	unsigned count;
	struct {
		char name[LIMIT_NAME]; /* of the file, without ".pem" */
		uint8_t point[SIGNATURE_POINT];
	} key[SIGNATURE_KEYS];
};

/* Every NAME.pem of the folder, in the order of the names. A folder without one, with more than SIGNATURE_KEYS, or with
 * a file that is no public key of P-256 is an error that names it. */
MUST_CHECK int signature_load(struct signature_keys *keys, const char *folder, struct err *e);
/* Did one of the keys sign text (a manifest, a channel index)? sig: DER, nothing behind it. *name gets the key's name.
 */
MUST_CHECK int signature_check(const struct signature_keys *keys, const void *text, size_t len, const uint8_t *sig,
                               size_t sig_len, const char **name, struct err *e);

#endif
