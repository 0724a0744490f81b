/* Pure checks on the headers of a request that changes something, before anybody is asked about it. */
#ifndef HEARTH_CONSOLE_WEB_GUARD_H
#define HEARTH_CONSOLE_WEB_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define WEB_TOKEN       64 /* characters of a session's token and of its CSRF text: small hexadecimal digits */
#define WEB_COOKIE      "__Host-hearth"
#define WEB_CSRF_HEADER "x-hearth-csrf:"

/* The prefix makes a browser insist on Secure, Path=/ and no Domain. */
#define WEB_COOKIE_SET   "Set-Cookie: " WEB_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict\r\n"
#define WEB_COOKIE_CLEAR "Set-Cookie: " WEB_COOKIE "=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict\r\n"

/* Is it a token as the owner role makes them? */
bool web_guard_is_token(const char *text);
/* The session's token in the value of a Cookie header; false: none, or more than one. */
bool web_guard_cookie(const char *header, char token[WEB_TOKEN + 1]);
/* Was it sent by a page of this box, or by no page at all? Each "" where the header is missing. Browsers send Origin
 * with whatever is no GET, and Sec-Fetch-Site; programs send neither. */
bool web_guard_origin(const char *origin, const char *host, const char *site);
/* A Content-Length between 1 and max. */
bool web_guard_length(const char *text, uint64_t max, uint64_t *length);
/* The status that begins a refusal ("401 not logged in"), and *text behind it; `other` when none does. */
int web_guard_status(const char **text, int other);
/* The text of an address of a client: IPv4 as such where IPv6 carries it. "?": none. */
struct sockaddr;
void web_guard_address(const struct sockaddr *a, char *text, unsigned cap);

#endif
