/* Who we are to the API server, and how to know it: a kubeconfig as k3s writes it, with client certificate.
 *
 * Certificates and the key stand inline (…-data: base64 of PEM) or in files beside it (relative to its folder). Tokens,
 * passwords and helper programs are refused with a message. Errors read "FILE:LINE: what; what to do".
 * k3s renews the certificate by writing the file anew: read it again when the server answers 401. */
#ifndef HEARTH_KUBE_CREDENTIALS_H
#define HEARTH_KUBE_CREDENTIALS_H

#include <stddef.h>

#include "base/err.h"
#include "base/limits.h"
#include "format/yaml.h"

#define CREDENTIALS_PEM 16384 /* a chain of a few RSA certificates is 6 KiB */

struct credentials_pem {
	size_t len; /* without the terminator */
	char text[CREDENTIALS_PEM];
};

/* Owned by the caller, 48 KiB. */
struct credentials {
	char server[LIMIT_PATH]; /* "https://127.0.0.1:6443", without a slash at the end */
	struct credentials_pem ca;
	struct credentials_pem cert;
	struct credentials_pem key;
};

/* The file of the current context. On failure c keeps what it had. Takes about 250 KiB while it runs. */
MUST_CHECK int credentials_read(struct credentials *c, const char *path, struct err *e);
/* The same of a text; y is scratch. file names it in messages and is where relative paths start from. */
MUST_CHECK int credentials_parse(struct credentials *c, struct yaml *y, const char *file, const char *text, size_t len,
                                 struct err *e);
/* Overwrites the key. */
void credentials_wipe(struct credentials *c);

#endif
