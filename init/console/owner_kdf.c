/* Argon2id by its reference library. Runs in the auth role. */
#include "console/owner_kdf.h"

#include <argon2.h>
#include <errno.h>

int owner_kdf(const struct owner_record *r, const char *password, size_t len, uint8_t hash[OWNER_HASH], struct err *e)
{
	int rc = argon2id_hash_raw(r->cost.passes, r->cost.memory_kib, r->cost.lanes, password, len, r->salt,
	                           sizeof(r->salt), hash, OWNER_HASH);
	if (rc == ARGON2_OK)
		return 0;
	return err_set(e, rc == ARGON2_MEMORY_ALLOCATION_ERROR ? ENOMEM : EINVAL, "Argon2id: %s",
	               argon2_error_message(rc));
}

bool owner_kdf_equal(const uint8_t a[OWNER_HASH], const uint8_t b[OWNER_HASH])
{
	volatile unsigned differ = 0;
	for (size_t i = 0; i < OWNER_HASH; i++)
		differ |= (unsigned)(a[i] ^ b[i]);
	return differ == 0;
}
