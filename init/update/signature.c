/* Signatures of bundles, by mbedTLS. Runs in the worker and in `hearth bundle`; keys are read before anything of a
 * stranger is. Never makes a signature: no private key is near this code. */
#include "update/signature.h"

#include <errno.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>
#include <string.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/str.h"
#include "format/sha256.h"

#define SUFFIX ".pem"

struct listing {
	struct signature_keys *keys;
	const char *folder;
	struct err *e;
	int rc;
};

/* Names are kept in order: which key signed must not depend on the folder's own order. */
static bool add_name(const char *file, void *arg)
{
	struct listing *l = arg;
	struct signature_keys *k = l->keys;
	char name[LIMIT_NAME];
	unsigned at = 0;

	if (!str_ends(file, SUFFIX))
		return true;
	if (k->count == SIGNATURE_KEYS)
		l->rc = err_set(l->e, E2BIG, "%s: more than %d keys; remove some", l->folder, SIGNATURE_KEYS);
	else if (str_format(name, sizeof(name), "%.*s", (int)(strlen(file) - strlen(SUFFIX)), file) < 0)
		l->rc = err_set(l->e, ENAMETOOLONG, "%s/%s: the name is too long", l->folder, file);
	if (l->rc < 0)
		return false;
	while (at < k->count && strcmp(k->key[at].name, name) < 0)
		at++;
	memmove(&k->key[at + 1], &k->key[at], (k->count++ - at) * sizeof(k->key[0]));
	memcpy(k->key[at].name, name, sizeof(name));
	return true;
}

static int take_point(const mbedtls_pk_context *pk, uint8_t point[SIGNATURE_POINT], const char *path, struct err *e)
{
	size_t n = 0;

	if (mbedtls_pk_get_type(pk) != MBEDTLS_PK_ECKEY)
		return err_set(e, EINVAL, "%s: no key of an elliptic curve; a P-256 key is wanted", path);
	const mbedtls_ecp_keypair *pair = mbedtls_pk_ec(*pk);
	if (mbedtls_ecp_keypair_get_group_id(pair) != MBEDTLS_ECP_DP_SECP256R1)
		return err_set(e, EINVAL, "%s: a key of another curve; a P-256 key is wanted", path);
	if (mbedtls_ecp_write_public_key(pair, MBEDTLS_ECP_PF_UNCOMPRESSED, &n, point, SIGNATURE_POINT) != 0 ||
	    n != SIGNATURE_POINT)
		return err_set(e, EINVAL, "%s: the key cannot be used", path);
	return 0;
}

static int load_key(const char *path, uint8_t point[SIGNATURE_POINT], struct err *e)
{
	char text[SIGNATURE_KEY_FILE + 1];
	mbedtls_pk_context pk;
	struct buf b;

	buf_init(&b, text, sizeof(text));
	if (file_read(path, &b, e) < 0)
		return -1;
	mbedtls_pk_init(&pk);
	/* The length that mbedTLS wants for PEM counts the terminator. */
	int rc = mbedtls_pk_parse_public_key(&pk, (const unsigned char *)text, b.len + 1);
	if (rc != 0)
		rc = err_set(e, EINVAL, "%s: no public key in PEM (mbedTLS error -0x%04x)", path, (unsigned)-rc);
	else
		rc = take_point(&pk, point, path, e);
	mbedtls_pk_free(&pk);
	return rc;
}

int signature_load(struct signature_keys *keys, const char *folder, struct err *e)
{
	struct listing l = {.keys = keys, .folder = folder, .e = e};
	char path[LIMIT_PATH];

	memset(keys, 0, sizeof(*keys));
	if (dir_each(folder, add_name, &l, e) < 0 || l.rc < 0)
		return -1;
	if (keys->count == 0)
		return err_set(e, ENOENT, "%s: no keys (NAME" SUFFIX ")", folder);
	for (unsigned i = 0; i < keys->count; i++) {
		if (str_format(path, sizeof(path), "%s/%s" SUFFIX, folder, keys->key[i].name) < 0)
			return err_set(e, ENAMETOOLONG, "%s: the name is too long", folder);
		if (load_key(path, keys->key[i].point, e) < 0)
			return -1;
	}
	return 0;
}

/* 0: this key signed; else mbedTLS's error. */
static int check_one(const uint8_t point[SIGNATURE_POINT], const uint8_t digest[SHA256_BYTES], const uint8_t *sig,
                     size_t sig_len)
{
	mbedtls_ecdsa_context key;
	mbedtls_ecp_group group;
	mbedtls_ecp_point q;

	mbedtls_ecdsa_init(&key);
	mbedtls_ecp_group_init(&group);
	mbedtls_ecp_point_init(&q);
	int rc = mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_SECP256R1);
	if (rc == 0)
		rc = mbedtls_ecp_point_read_binary(&group, &q, point, SIGNATURE_POINT);
	if (rc == 0)
		rc = mbedtls_ecp_set_public_key(MBEDTLS_ECP_DP_SECP256R1, &key, &q);
	if (rc == 0)
		rc = mbedtls_ecdsa_read_signature(&key, digest, SHA256_BYTES, sig, sig_len);
	mbedtls_ecp_point_free(&q);
	mbedtls_ecp_group_free(&group);
	mbedtls_ecdsa_free(&key);
	return rc;
}

int signature_check(const struct signature_keys *keys, const void *text, size_t len, const uint8_t *sig, size_t sig_len,
                    const char **name, struct err *e)
{
	uint8_t digest[SHA256_BYTES];

	sha256(text, len, digest);
	for (unsigned i = 0; i < keys->count; i++) {
		if (check_one(keys->key[i].point, digest, sig, sig_len) == 0) {
			*name = keys->key[i].name;
			return 0;
		}
	}
	return err_set(e, EBADMSG, "wrong signature: none of this system's %u keys signed it", keys->count);
}
