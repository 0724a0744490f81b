/* Signs a file: sign KEY FILE >SIGNATURE. A tool of the build machine, not part of the system.
 *
 * ECDSA over P-256 with SHA-256, DER, deterministic (RFC 6979): the same key and file give the same bytes, and a bad
 * source of randomness cannot give the key away. OpenSSL has that from 3.2 on, which Debian 12 has not. KEY: a private
 * key in PEM, not encrypted. */
#include <errno.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/pk.h>
#include <mbedtls/sha256.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#ifndef MBEDTLS_ECDSA_DETERMINISTIC
#error "without it the same inputs give other bytes each time"
#endif

#define FILE_MAX 16384 /* bytes of a manifest */

/* Blinds the arithmetic; the signature does not depend on it. */
static int random_bytes(void *arg, unsigned char *p, size_t n)
{
	(void)arg;
	return getrandom(p, n, 0) == (ssize_t)n ? 0 : MBEDTLS_ERR_PK_BAD_INPUT_DATA;
}

/* The number of bytes, or -1 when it cannot be read or there are more than cap. */
static long read_file(const char *path, unsigned char *p, size_t cap)
{
	FILE *f = fopen(path, "rb");

	if (!f) {
		fprintf(stderr, "sign: %s: %s\n", path, strerror(errno));
		return -1;
	}
	size_t n = fread(p, 1, cap, f);
	int more = fgetc(f) != EOF || ferror(f);
	fclose(f);
	if (!more)
		return (long)n;
	fprintf(stderr, "sign: %s: cannot be read, or larger than %zu bytes\n", path, cap);
	return -1;
}

static int load_key(mbedtls_pk_context *pk, const char *path)
{
	unsigned char pem[4096 + 1] = {0};
	long n = read_file(path, pem, sizeof(pem) - 1);

	if (n < 0)
		return -1;
	/* The length that mbedTLS wants for PEM counts the terminator. */
	int rc = mbedtls_pk_parse_key(pk, pem, (size_t)n + 1, NULL, 0, random_bytes, NULL);
	memset(pem, 0, sizeof(pem));
	if (rc != 0)
		fprintf(stderr, "sign: %s: no private key in PEM that can be used (mbedTLS error -0x%04x)\n", path,
		        (unsigned)-rc);
	else if (mbedtls_pk_get_type(pk) != MBEDTLS_PK_ECKEY ||
	         mbedtls_ecp_keypair_get_group_id(mbedtls_pk_ec(*pk)) != MBEDTLS_ECP_DP_SECP256R1)
		fprintf(stderr, "sign: %s: not a key of the curve P-256\n", path);
	else
		return 0;
	return -1;
}

int main(int argc, char **argv)
{
	static unsigned char text[FILE_MAX];
	unsigned char digest[32], sig[MBEDTLS_ECDSA_MAX_LEN];
	mbedtls_pk_context pk;
	size_t len = 0;

	if (argc != 3) {
		fprintf(stderr, "usage: sign KEY FILE >SIGNATURE\n");
		return 2;
	}
	mbedtls_pk_init(&pk);
	long n = read_file(argv[2], text, sizeof(text));
	int rc = n < 0 ? -1 : load_key(&pk, argv[1]);
	if (rc == 0 && (mbedtls_sha256(text, (size_t)n, digest, 0) != 0 ||
	                mbedtls_ecdsa_write_signature(mbedtls_pk_ec(pk), MBEDTLS_MD_SHA256, digest, sizeof(digest), sig,
	                                              sizeof(sig), &len, random_bytes, NULL) != 0)) {
		fprintf(stderr, "sign: signing failed\n");
		rc = -1;
	}
	mbedtls_pk_free(&pk);
	if (rc == 0 && (fwrite(sig, 1, len, stdout) != len || fflush(stdout) != 0)) {
		fprintf(stderr, "sign: the signature cannot be written: %s\n", strerror(errno));
		rc = -1;
	}
	return rc == 0 ? 0 : 1;
}
