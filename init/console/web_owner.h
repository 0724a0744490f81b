/* What a browser may do as the owner: log in and out, send commands, upload a bundle. This side only asks: that a
 * session is one is proven by the owner role (console/owner_desk.h), with every request anew. What is checked here is
 * what only a browser's request has: that it came from our own page (console/web_guard.h).
 *
 *   GET  /api/v1/session           {"owner": is a password set?, "session": is this one?, "csrf": for the header}
 *   POST /api/v1/session           {"password"}           logs in
 *   POST /api/v1/session/first     {"code", "password"}   sets the first password, logs in
 *   POST /api/v1/session/end       {}                     logs out
 *   POST /api/v1/command           {"words": [...]}       see the list in console/owner_desk.c
 *   PUT  /api/v1/update/upload     a bundle               see console/web_upload.h
 *   PUT  /api/v1/update/upload?from=N   a part of a bundle, as `want` in /api/v1/update asks for it, behind the command
 *                                  ["update", "install", "upload:SIZE"]
 *
 * The last four need the header X-Hearth-CSRF beside the cookie; all POSTs are application/json. */
#ifndef HEARTH_CONSOLE_WEB_OWNER_H
#define HEARTH_CONSOLE_WEB_OWNER_H

#include "console/web_conn.h"

/* For the table of starts in console/web_server; -1: close the connection. */
MUST_CHECK int web_owner_session(struct web_conn *c, const struct web_match *m);
MUST_CHECK int web_owner_post(struct web_conn *c, const struct web_match *m);
MUST_CHECK int web_owner_put(struct web_conn *c, const struct web_match *m);
/* More of the body has come; all of it has. */
MUST_CHECK int web_owner_data(struct web_conn *c, const void *data, size_t len);
MUST_CHECK int web_owner_whole(struct web_conn *c);

#endif
