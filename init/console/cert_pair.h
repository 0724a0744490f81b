/* The box's TLS key and certificate: made, checked and read as one thing, because one is worthless without the other.
 * ECDSA on P-256, self-signed. Valid from the build's date on, so that a box whose clock is wrong still serves, for
 * 20 years, so that nobody has to renew it. */
#ifndef HEARTH_CONSOLE_CERT_PAIR_H
#define HEARTH_CONSOLE_CERT_PAIR_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CERT_PEM_MAX 2048
#define CERT_DER_MAX 1024

/* As a TLS library wants them. Hold no resources; the owner wipes the key when it has been passed on. */
struct cert_pair {
	unsigned char cert[CERT_DER_MAX];
	unsigned char key[CERT_DER_MAX];
	size_t cert_len, key_len;
};

/* As the files hold them. */
struct cert_pem {
	char cert[CERT_PEM_MAX];
	char key[CERT_PEM_MAX];
};

/* Reads FOLDER/cert.pem and FOLDER/key.pem; an error when one is missing, broken, or does not belong to the other. */
MUST_CHECK int cert_pair_load(const char *folder, struct cert_pair *p, struct err *e);
/* Makes a new pair for HOSTNAME, HOSTNAME.local and localhost; from: its first second, since 1970. */
MUST_CHECK int cert_pair_make(const char *hostname, int64_t from, struct cert_pem *pem, struct err *e);
/* Forgets what p or pem held, in a way that a compiler cannot leave out. */
void cert_wipe(void *p, size_t n);

#endif
