/* The TLS key and certificate, by mbedTLS. Runs in the cert and web roles, before anything of a stranger is read.
 * Randomness is the kernel's alone; no generator of our own. */
#include "console/cert_pair.h"

#include <errno.h>
#include <mbedtls/ecp.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/sys.h"

#define YEARS      20
#define SERIAL_LEN 16
#define TIME_TEXT  32 /* "20260131120000", with room for any year that the clock can name */

static int random_bytes(void *arg, unsigned char *p, size_t n)
{
	(void)arg;
	while (n > 0) {
		ssize_t got = sys_getrandom(p, n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return MBEDTLS_ERR_PK_BAD_INPUT_DATA;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

static int failed(int rc, const char *what, struct err *e)
{
	return err_set(e, EINVAL, "%s: mbedTLS error -0x%04x", what, (unsigned)-rc);
}

void cert_wipe(void *p, size_t n)
{
	explicit_bzero(p, n);
}

/* Reads one file whole; the length that mbedTLS wants for PEM counts the terminator. */
static int read_pem(const char *folder, const char *name, struct buf *b, struct err *e)
{
	char path[LIMIT_PATH];
	if (str_format(path, sizeof(path), "%s/%s", folder, name))
		return err_set(e, ENAMETOOLONG, "%s: name too long", folder);
	return file_read(path, b, e);
}

/* key_pem and cert_pem to DER, checked against each other. */
static int decode(const struct buf *key_pem, const struct buf *cert_pem, struct cert_pair *p, struct err *e)
{
	mbedtls_pk_context pk;
	mbedtls_x509_crt crt;
	mbedtls_pk_init(&pk);
	mbedtls_x509_crt_init(&crt);
	int rc = mbedtls_pk_parse_key(&pk, (const unsigned char *)key_pem->data, key_pem->len + 1, NULL, 0,
	                              random_bytes, NULL);
	int result = rc ? failed(rc, "key.pem", e) : 0;
	if (!result && (rc = mbedtls_x509_crt_parse(&crt, (const unsigned char *)cert_pem->data, cert_pem->len + 1)))
		result = failed(rc, "cert.pem", e);
	if (!result && (rc = mbedtls_pk_check_pair(&crt.pk, &pk, random_bytes, NULL)))
		result = err_set(e, EINVAL, "key.pem and cert.pem do not belong together");
	if (!result && crt.raw.len > sizeof(p->cert))
		result = err_set(e, EFBIG, "cert.pem: longer than %zu bytes", sizeof(p->cert));
	if (!result && (rc = mbedtls_pk_write_key_der(&pk, p->key, sizeof(p->key))) < 0)
		result = failed(rc, "key.pem", e);
	if (!result) {
		memcpy(p->cert, crt.raw.p, crt.raw.len);
		p->cert_len = crt.raw.len;
		/* mbedTLS writes to the end of the buffer. */
		p->key_len = (size_t)rc;
		memmove(p->key, p->key + sizeof(p->key) - p->key_len, p->key_len);
	}
	mbedtls_x509_crt_free(&crt);
	mbedtls_pk_free(&pk);
	return result;
}

int cert_pair_load(const char *folder, struct cert_pair *p, struct err *e)
{
	struct cert_pem pem = {0};
	struct buf key, cert;
	buf_init(&key, pem.key, sizeof(pem.key));
	buf_init(&cert, pem.cert, sizeof(pem.cert));
	int rc = read_pem(folder, "key.pem", &key, e);
	if (!rc)
		rc = read_pem(folder, "cert.pem", &cert, e);
	if (!rc && decode(&key, &cert, p, e))
		rc = err_prefix(e, "%s", folder);
	cert_wipe(&pem, sizeof(pem));
	return rc;
}

static int time_text(int64_t t, char text[TIME_TEXT])
{
	time_t seconds = t;
	struct tm tm;
	if (!gmtime_r(&seconds, &tm))
		return -1;
	return str_format(text, TIME_TEXT, "%04d%02d%02d%02d%02d%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
	                  tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static int set_validity(mbedtls_x509write_cert *crt, int64_t from)
{
	char first[TIME_TEXT], last[TIME_TEXT];
	if (time_text(from, first) || time_text(from + YEARS * INT64_C(31557600), last))
		return MBEDTLS_ERR_X509_BAD_INPUT_DATA;
	return mbedtls_x509write_crt_set_validity(crt, first, last);
}

static int set_names(mbedtls_x509write_cert *crt, const char *hostname)
{
	char local[LIMIT_PATH], subject[LIMIT_PATH];
	if (str_format(local, sizeof(local), "%s.local", hostname) ||
	    str_format(subject, sizeof(subject), "CN=%s,O=Hearth", hostname))
		return MBEDTLS_ERR_X509_BAD_INPUT_DATA;
	const char *names[] = {"localhost", local, hostname}; /* mbedTLS writes them from the end */
	mbedtls_x509_san_list san[COUNT_OF(names)] = {0};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		san[i].node.type = MBEDTLS_X509_SAN_DNS_NAME;
		/* mbedTLS only reads it; its structure serves parsing too. */
		memcpy(&san[i].node.san.unstructured_name.p, &names[i], sizeof(names[i]));
		san[i].node.san.unstructured_name.len = strlen(names[i]);
		san[i].next = i + 1 < COUNT_OF(names) ? &san[i + 1] : NULL;
	}
	int rc = mbedtls_x509write_crt_set_subject_name(crt, subject);
	if (!rc)
		rc = mbedtls_x509write_crt_set_issuer_name(crt, subject);
	return rc ? rc : mbedtls_x509write_crt_set_subject_alternative_name(crt, san);
}

static int set_serial(mbedtls_x509write_cert *crt)
{
	unsigned char serial[SERIAL_LEN];
	int rc = random_bytes(NULL, serial, sizeof(serial));
	if (rc)
		return rc;
	serial[0] = (serial[0] & 0x3f) | 0x40; /* RFC 5280: positive and not longer than it looks */
	return mbedtls_x509write_crt_set_serial_raw(crt, serial, sizeof(serial));
}

/* A server's and nothing else: who trusts this certificate gives the box's key no power over other names. */
static int set_uses(mbedtls_x509write_cert *crt)
{
	static unsigned char server_auth[] = MBEDTLS_OID_SERVER_AUTH;
	const mbedtls_asn1_sequence uses = {
		.buf = {.tag = MBEDTLS_ASN1_OID, .len = MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH), .p = server_auth},
	};
	int rc = mbedtls_x509write_crt_set_basic_constraints(crt, 0, -1);
	if (!rc)
		rc = mbedtls_x509write_crt_set_key_usage(crt, MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
	if (!rc)
		rc = mbedtls_x509write_crt_set_ext_key_usage(crt, &uses);
	return rc ? rc : mbedtls_x509write_crt_set_subject_key_identifier(crt);
}

static int write_cert(mbedtls_x509write_cert *crt, mbedtls_pk_context *pk, const char *hostname, int64_t from)
{
	mbedtls_x509write_crt_set_version(crt, MBEDTLS_X509_CRT_VERSION_3);
	mbedtls_x509write_crt_set_md_alg(crt, MBEDTLS_MD_SHA256);
	mbedtls_x509write_crt_set_subject_key(crt, pk);
	mbedtls_x509write_crt_set_issuer_key(crt, pk);
	int rc = set_names(crt, hostname);
	if (!rc)
		rc = set_serial(crt);
	if (!rc)
		rc = set_validity(crt, from);
	return rc ? rc : set_uses(crt);
}

int cert_pair_make(const char *hostname, int64_t from, struct cert_pem *pem, struct err *e)
{
	mbedtls_pk_context pk;
	mbedtls_x509write_cert crt;
	mbedtls_pk_init(&pk);
	mbedtls_x509write_crt_init(&crt);
	const char *step = "making a key";
	int rc = mbedtls_pk_setup(&pk, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
	if (!rc)
		rc = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(pk), random_bytes, NULL);
	if (!rc)
		rc = mbedtls_pk_write_key_pem(&pk, (unsigned char *)pem->key, sizeof(pem->key));
	if (!rc) {
		step = "making a certificate";
		rc = write_cert(&crt, &pk, hostname, from);
	}
	if (!rc)
		rc = mbedtls_x509write_crt_pem(&crt, (unsigned char *)pem->cert, sizeof(pem->cert), random_bytes, NULL);
	mbedtls_x509write_crt_free(&crt);
	mbedtls_pk_free(&pk);
	return rc ? failed(rc, step, e) : 0;
}
