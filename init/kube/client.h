/* HTTPS to the API server: many calls in flight over one kept-alive HTTP/2 connection, from one loop.
 *
 * The kube role has one `struct kclient` in static storage. A call is started with kclient_call, runs by itself and
 * ends exactly once, with its done callback, unless it is cancelled or the client is closed. Callbacks are never called
 * from inside kclient_call, kclient_cancel or kclient_close; they run from the loop, one at a time, and may start and
 * cancel any call, their own included.
 *
 * Two kinds of call:
 *   - without on_line: the whole body is collected, at most `max` bytes, and handed to done;
 *   - with on_line (a watch, a log that is followed): each line of a 2xx answer is handed over as it comes, at most
 *     `max` bytes a line; a body that is not 2xx is collected for done as above. done tells how the stream ended:
 *     KCLIENT_OK when the server ended it in order.
 *
 * Memory: a call holds its body or its longest line while it runs, and nothing after it has ended.
 * A request that was lost with a connection it had reused, before any answer, is sent once more by libcurl itself.
 * When a call times out and nothing at all has come from the server meanwhile, the connection is given up and every
 * other call ends with it (KCLIENT_RESET or KCLIENT_CUT): the next one makes a new connection.
 * HTTP/2 is what k3s speaks. A peer that speaks HTTP/1.1 only gets up to KCLIENT_CONNECTIONS connections, and calls
 * beyond that wait for a free one: every watch holds one. */
#ifndef HEARTH_KUBE_CLIENT_H
#define HEARTH_KUBE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "kube/call.h"
#include "kube/credentials.h"
#include "kube/incoming.h"
#include "loop/loop.h"

#define KCLIENT_CALLS                                                                                                  \
	96 /* in flight or waiting: a watch per kind, and applies; below the server's limit of streams per connection  \
	    */
#define KCLIENT_CONNECTIONS 8 /* HTTP/1.1 only */

/* One place for a call; private to the client. */
struct kclient_slot {
	struct kclient *client;
	void *easy;    /* CURL *; NULL: free */
	void *headers; /* struct curl_slist * */
	uint32_t id;
	bool added;               /* known to curl */
	bool dropped;             /* cancelled in its own on_line: ends in silence */
	enum kclient_fault fault; /* decided by us; KCLIENT_OK: as curl says */
	uint32_t timeout_ms;
	uint64_t since; /* when the time-out began to run, clock_ms */
	struct loop_timer timeout;
	char *body;         /* what is sent, when it was given */
	struct incoming in; /* the body, or the line so far */
	int status;
	unsigned retry_after_s;
	char etag[KCLIENT_ETAG];
	char why[KCLIENT_WHY];
	kclient_line_fn *on_line;
	kclient_done_fn *done;
	void *arg;
};

struct kclient {
	struct loop *loop;
	const struct credentials *credentials;
	void *multi; /* CURLM *; NULL: closed */
	uint32_t last_id;
	uint64_t heard;          /* when anything came from the server, clock_ms */
	bool busy;               /* inside curl, which may not be called from its own callbacks */
	struct loop_timer timer; /* curl's */
	struct loop_timer work;  /* calls to start, calls to end */
	struct kclient_slot slot[KCLIENT_CALLS];
};

/* Takes no connection yet: that is the first call's. `c` is zeroed or closed; credentials are borrowed until
 * kclient_close. */
MUST_CHECK int kclient_open(struct kclient *c, struct loop *l, const struct credentials *credentials, struct err *e);
/* Ends every call without its callback, and the connection. May be called from a done callback, not from on_line;
 * afterwards kclient_open makes it new, as after the credentials have been read again. A closed client stays closed. */
void kclient_close(struct kclient *c);
/* The number of the call, or 0 with e: closed, all places taken (ENOSPC), out of memory, path too long. */
uint32_t kclient_call(struct kclient *c, const struct kclient_request *r, struct err *e);
/* No callback of this call any more. 0, a number that has ended and an unknown one are ignored. */
void kclient_cancel(struct kclient *c, uint32_t id);
/* Places left: who starts many calls keeps some for others. */
unsigned kclient_free(const struct kclient *c);

#endif
