/* The HTTPS server itself: accepts connections, lets libwebsockets do TLS and HTTP, answers by console/web_route from
 * the page, from PID 1 (console/web_link) or from the feed of events (console/web_feed). */
#ifndef HEARTH_CONSOLE_WEB_SERVER_H
#define HEARTH_CONSOLE_WEB_SERVER_H

#include "console/cert_pair.h"
#include "console/web_state.h"

/* Everything that needs a file or a right is done when it returns 0. listen_fd: a listening TCP socket, stays the
 * caller's; pair: copied. */
MUST_CHECK int web_server_init(struct web_server *s, struct loop *loop, struct web_link *link, int listen_fd,
                               struct err *e);
/* Makes the library ready to serve with this key and certificate. */
MUST_CHECK int web_server_start(struct web_server *s, const struct cert_pair *pair, struct err *e);
/* No newcomers from now on; the loop ends when all that were asked for are answered, after two seconds at the latest.
 */
void web_server_leave(struct web_server *s);
/* One event of PID 1, for all streams. */
void web_server_event(struct web_server *s, const char *json, size_t len);

#endif
