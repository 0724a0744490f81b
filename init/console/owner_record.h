/* What is kept about the owner's login: one line in one file, so that one replacement of it decides and no power cut
 * leaves half of a change:
 *
 *   code XXXXXXXX                                     no password yet; this code may set one
 *   argon2id v=19 m=19456 t=2 p=1 SALT HASH           the password's hash, with what it was made with; hexadecimal
 *
 * The parameters stand in the record so that they can be raised later: see owner_record_is_old. Pure. */
#ifndef HEARTH_CONSOLE_OWNER_RECORD_H
#define HEARTH_CONSOLE_OWNER_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "console/owner_code.h"

#define OWNER_SALT     16
#define OWNER_HASH     32
#define OWNER_RECORD   192    /* bytes of a record's line */
#define OWNER_PASSWORD 256    /* bytes of a password at most; what a hash costs does not follow from it */
#define OWNER_SHORTEST 10     /* characters */
#define OWNER_MEMORY   262144 /* KiB that a hash may take at most: a box of 1 GiB can pay that */

/* What a hash costs. The one for new passwords is OWASP's advice: 19 MiB, two passes, one lane. */
struct owner_cost {
	uint32_t memory_kib, passes, lanes;
};
#define OWNER_COST ((struct owner_cost){19456, 2, 1})

enum owner_kind { OWNER_CODE, OWNER_ARGON2ID };

struct owner_record {
	enum owner_kind kind;
	struct owner_code code; /* OWNER_CODE */
	struct owner_cost cost; /* OWNER_ARGON2ID */
	uint8_t salt[OWNER_SALT], hash[OWNER_HASH];
};

/* Refuses what owner_record_write does not write, and costs that would bring a small box down. */
MUST_CHECK int owner_record_parse(struct owner_record *r, const char *text, size_t len, struct err *e);
/* One line with its end. */
void owner_record_write(const struct owner_record *r, struct buf *b);
/* Made with another cost than new ones are: to be made anew at the next login. */
bool owner_record_is_old(const struct owner_record *r);
/* Is this a password that may be set? Its length is all that is asked. */
MUST_CHECK int owner_password_check(const char *text, size_t len, struct err *e);

#endif
