/* The slow hash itself: Argon2id (RFC 9106). Takes the memory that the record's cost names, for as long as it runs:
 * for the auth role, and for no process that has anything else to do. */
#ifndef HEARTH_CONSOLE_OWNER_KDF_H
#define HEARTH_CONSOLE_OWNER_KDF_H

#include "console/owner_record.h"

/* The hash of a password with the cost and the salt of r. */
MUST_CHECK int owner_kdf(const struct owner_record *r, const char *password, size_t len, uint8_t hash[OWNER_HASH],
                         struct err *e);
/* In a time that says nothing about where they differ. */
bool owner_kdf_equal(const uint8_t a[OWNER_HASH], const uint8_t b[OWNER_HASH]);

#endif
