/* The control protocol over a loop/chan socket (PATH_CONTROL, or a role's inherited descriptor 3).
 *
 *   request:  uint32 id | word NUL word NUL ...          (at most LIMIT_REQUEST bytes)
 *   reply:    uint32 id | uint8 kind | payload           (at most LIMIT_REPLY bytes)
 *
 * Integers are host order: both ends are the same program on the same box. Kinds:
 *   PROTO_OK     the command's JSON object; ends the request
 *   PROTO_ERROR  text for a person; ends the request
 *   PROTO_EVENT  one event as JSON, as long as the follower stays connected (`events -f`), after its PROTO_OK */
#ifndef HEARTH_CORE_PROTO_H
#define HEARTH_CORE_PROTO_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"

enum proto_kind { PROTO_OK = 1, PROTO_ERROR = 2, PROTO_EVENT = 3 };

#define PROTO_REPLY_HEAD 5

struct proto_reply {
	uint32_t id;
	enum proto_kind kind;
	const char *text; /* into the caller's buffer, NUL-terminated */
	size_t len;
};

/* Packs a request into msg (LIMIT_REQUEST); returns its length or -1. */
MUST_CHECK int proto_request(char *msg, size_t cap, uint32_t id, unsigned argc, const char *const *argv, struct err *e);
/* Splits a received reply in place; data[len] must be writable. Refuses a wrong length or kind and a NUL in the text.
 */
MUST_CHECK int proto_parse(char *data, size_t len, struct proto_reply *r, struct err *e);
/* Client side, blocking, for ctl and tests of roles: send one request over chan, wait up to timeout_ms for its end:
 * 0 with r->kind PROTO_OK or PROTO_ERROR, or -1 (ETIMEDOUT, ECONNRESET, ...). data needs cap LIMIT_REPLY + 1 to take
 * every reply. Event frames and late replies to earlier calls that come meanwhile are dropped. */
MUST_CHECK int proto_call(int chan, unsigned argc, const char *const *argv, char *data, size_t cap, int timeout_ms,
                          struct proto_reply *r, struct err *e);

#endif
