/* What a browser holds to be the owner's session: 256 random bits from the kernel, as text. Two things follow from it,
 * neither of which leads back: the digest by which the role knows it, and the text that has to come in a header with
 * everything that changes something (a page of another site can make a browser send the cookie, but knows no such
 * header). */
#ifndef HEARTH_CONSOLE_OWNER_TOKEN_H
#define HEARTH_CONSOLE_OWNER_TOKEN_H

#include <stdint.h>

#include "base/err.h"
#include "console/owner_sessions.h"

#define OWNER_TOKEN 64 /* characters: small hexadecimal digits */

MUST_CHECK int owner_token_make(char token[OWNER_TOKEN + 1], struct err *e);
/* Any text has a digest. */
void owner_token_digest(const char *token, uint8_t digest[OWNER_DIGEST]);
void owner_token_csrf(const char *token, char csrf[OWNER_TOKEN + 1]);

#endif
