/* The control protocol over a loop/chan socket (PATH_CONTROL, or a role's inherited descriptor 3).
 *
 *   request:  uint32 id | word NUL word NUL ...              (at most LIMIT_REQUEST bytes)
 *   reply:    uint32 id | uint8 kind | payload               (at most LIMIT_REPLY bytes)
 *   ask:      uint32 id | PROTO_ASK | word NUL word NUL ...  (at most LIMIT_REQUEST + 1 bytes)
 *
 * Integers are host order: both ends are the same program on the same box. Kinds:
 *   PROTO_OK     the command's JSON object; ends the request
 *   PROTO_ERROR  text for a person; ends the request
 *   PROTO_EVENT  one event as JSON, as long as the follower stays connected (`events -f`), after its PROTO_OK
 *   PROTO_ASK    from PID 1 to a role that answers commands of its own (boot/control): the words of a request. The role
 *                sends a reply (PROTO_OK or PROTO_ERROR) with the ask's id over the same channel. PID 1 tells replies
 *                from the role's own requests by the byte behind the id: a word never begins with a control character.
 */
#ifndef HEARTH_CORE_PROTO_H
#define HEARTH_CORE_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"

enum proto_kind { PROTO_OK = 1, PROTO_ERROR = 2, PROTO_EVENT = 3, PROTO_ASK = 4 };

#define PROTO_REPLY_HEAD 5

struct proto_reply {
	uint32_t id;
	enum proto_kind kind;
	const char *text; /* into the caller's buffer, NUL-terminated */
	size_t len;
};

/* Packs a request into msg (LIMIT_REQUEST); returns its length or -1. */
MUST_CHECK int proto_request(char *msg, size_t cap, uint32_t id, unsigned argc, const char *const *argv, struct err *e);
/* Packs an ask; words is the request's text behind its id. Returns the length, or -1 when it does not fit. */
MUST_CHECK int proto_ask(char *msg, size_t cap, uint32_t id, const char *words, size_t len, struct err *e);
/* A message from a role: a reply to an ask, and no request of its own. */
bool proto_is_reply(const char *data, size_t len);
/* The other way round, for roles. An ask, and no reply to what the role itself has requested; its id and words: */
bool proto_is_ask(const char *data, size_t len);
/* The words of an ask (n bytes behind PROTO_REPLY_HEAD), each ended by NUL: how many there are, 0 when that is
 * malformed, most + 1 when there are more than `most`. They stay where they are. */
unsigned proto_words(const char *text, size_t n, const char **words, unsigned most);
/* Packs the answer to an ask into frame (LIMIT_REPLY); what does not fit is cut. Returns its length. text must not lie
 * in frame. */
size_t proto_answer(char *frame, uint32_t id, enum proto_kind kind, const char *text, size_t len);
/* Splits a received reply in place; data[len] must be writable. Refuses a wrong length or kind and a NUL in the text.
 */
MUST_CHECK int proto_parse(char *data, size_t len, struct proto_reply *r, struct err *e);
/* Client side, blocking, for ctl and tests of roles: send one request over chan, wait up to timeout_ms for its end:
 * 0 with r->kind PROTO_OK or PROTO_ERROR, or -1 (ETIMEDOUT, ECONNRESET, ...). data needs cap LIMIT_REPLY + 1 to take
 * every reply. Event frames and late replies to earlier calls that come meanwhile are dropped. */
MUST_CHECK int proto_call(int chan, unsigned argc, const char *const *argv, char *data, size_t cap, int timeout_ms,
                          struct proto_reply *r, struct err *e);

#endif
