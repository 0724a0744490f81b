/* Tokens of sessions; see owner_token.h. Runs in the owner role. Keeps none. */
#include "console/owner_token.h"

#include <mbedtls/sha256.h>
#include <string.h>

#include "base/buf.h"
#include "base/sys.h"

/* A hash that cannot be computed is zero, which no session has but by guessing 2^256. */
static void hash(char purpose, const char *token, uint8_t out[OWNER_DIGEST])
{
	mbedtls_sha256_context c;
	memset(out, 0, OWNER_DIGEST);
	mbedtls_sha256_init(&c);
	if (mbedtls_sha256_starts(&c, 0) == 0 && mbedtls_sha256_update(&c, (const uint8_t *)&purpose, 1) == 0 &&
	    mbedtls_sha256_update(&c, (const uint8_t *)token, strlen(token)) == 0)
		(void)mbedtls_sha256_finish(&c, out);
	mbedtls_sha256_free(&c);
}

static void hex(const uint8_t data[OWNER_DIGEST], char text[OWNER_TOKEN + 1])
{
	struct buf b;
	buf_init(&b, text, OWNER_TOKEN + 1);
	buf_add_hex(&b, data, OWNER_DIGEST);
}

int owner_token_make(char token[OWNER_TOKEN + 1], struct err *e)
{
	uint8_t random[OWNER_DIGEST];
	if (sys_getrandom(random, sizeof(random), 0) != sizeof(random))
		return err_sys(e, "randomness");
	hex(random, token);
	return 0;
}

void owner_token_digest(const char *token, uint8_t digest[OWNER_DIGEST])
{
	hash('s', token, digest);
}

void owner_token_csrf(const char *token, char csrf[OWNER_TOKEN + 1])
{
	uint8_t digest[OWNER_DIGEST];
	hash('c', token, digest);
	hex(digest, csrf);
}

_Static_assert(OWNER_TOKEN == 2 * OWNER_DIGEST, "hexadecimal");
