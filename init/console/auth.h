/* The auth role: `hearth auth` hashes one password and ends. The owner role starts it, at most one at a time, as the
 * user auth, with descriptor 0   the password, up to the end; a pipe that the web role wrote into, so that neither PID
 * 1 nor the owner role ever holds it, and no argument or environment shows it descriptor 3   a channel: one order
 * comes, one reply goes
 *
 *   "check RECORD"   is it this one?      "yes", "no"; "yes RECORD": and the record should be this one from now on
 *   "make"           a record for it      "made RECORD"
 *                    either of them       "refused TEXT": it is no password that may be set; "failed TEXT"
 *
 * RECORD is a line of console/owner_record without its end. */
#ifndef HEARTH_CONSOLE_AUTH_H
#define HEARTH_CONSOLE_AUTH_H

#include "base/buf.h"
#include "console/owner_record.h"

#define AUTH_USER    "auth"
#define AUTH_MESSAGE (OWNER_RECORD + 256)

/* The reply to an order; whatever goes wrong is one, too. */
void auth_reply(const char *order, const char *password, size_t len, struct buf *reply);
/* argv[0] is the role's name. Returns the exit code. */
int auth_main(int argc, char **argv);

#endif
