/* What PID 1 knows of the owner's login: what the owner role told. The code of the first login is for eyes in front of
 * the box: it is in the answers to PEER_LOCAL alone, and never in a fact, an event or a log. */
#ifndef HEARTH_BOOT_OWNER_H
#define HEARTH_BOOT_OWNER_H

#include "core/command.h"
#include "core/event.h"

enum owner_login { OWNER_UNKNOWN, OWNER_FIRST, OWNER_SET };

struct owner {
	enum owner_login login;
	char code[16]; /* OWNER_FIRST: as people read it */
};

/* The role's words behind "owner":
 *   code CODE    no password is set; this code may set one
 *   code         a password is set
 *   event TEXT   something to tell on the consoles */
MUST_CHECK int owner_hear(struct owner *o, struct events *evs, const struct request *rq, struct err *e);
/* For a person at the box: what to do now. url: of the console, or "". */
void owner_text(const struct owner *o, const char *url, struct buf *b);
/* "owner": is a password set? and for PEER_LOCAL "first_login": the code, where there is one. */
void owner_json(const struct owner *o, enum peer peer, struct json *out);

#endif
