/* The HTTPS server itself: accepts connections, lets libwebsockets do TLS and HTTP, answers by console/web_route from
 * the page, from PID 1 (console/web_link) or from the feed of events (console/web_feed). */
#ifndef HEARTH_CONSOLE_WEB_SERVER_H
#define HEARTH_CONSOLE_WEB_SERVER_H

#include "console/cert_pair.h"
#include "console/web_conn.h"
#include "console/web_feed.h"
#include "console/web_link.h"
#include "console/web_pump.h"
#include "console/web_upload.h"

struct lws_vhost;

struct web_server {
	struct loop *loop;
	struct web_link *link;
	int listen_fd;
	struct lws_vhost *vhost;
	struct web_pump pump;
	struct web_feed feed;
	struct web_conns conns;
	struct web_upload upload;
	struct web_conn *uploader; /* whose it is; NULL: none under way */
	struct loop_timer deadline; /* of whichever connection comes first */
	struct loop_timer beat;     /* signs of life on the streams */
	unsigned complaints;        /* lines of the library that were logged in this minute */
	uint64_t complaints_since;
};

/* Everything that needs a file or a right is done when it returns 0. listen_fd: a listening TCP socket, stays the
 * caller's; pair: copied. */
MUST_CHECK int web_server_init(struct web_server *s, struct loop *loop, struct web_link *link, int listen_fd,
                               struct err *e);
/* Makes the library ready to serve with this key and certificate. */
MUST_CHECK int web_server_start(struct web_server *s, const struct cert_pair *pair, struct err *e);
/* One event of PID 1, for all streams. */
void web_server_event(struct web_server *s, const char *json, size_t len);

#endif
