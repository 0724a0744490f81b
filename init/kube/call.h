/* A call to the API server: what is asked, and what comes of it. */
#ifndef HEARTH_KUBE_CALL_H
#define HEARTH_KUBE_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kube/incoming.h"

#define KCLIENT_PATH       2048         /* bytes of a path with its query, terminator included */
#define KCLIENT_ETAG       160          /* bytes; the API server's are 128 hex digits and two quotes */
#define KCLIENT_PAD        INCOMING_PAD /* zero bytes behind a body or a line, for a reader in place (yyjson) */
#define KCLIENT_WHY        256          /* bytes of what went wrong; as libcurl has it */
#define KCLIENT_MAX        (1 << 20)    /* `max` when the request says 0 */
#define KCLIENT_MAX_LINE   (4 << 20)    /* a watch's `max` when the request says 0; one object is at most 3 MiB */
#define KCLIENT_TIMEOUT_MS 30000        /* `timeout_ms` when the request says 0 */

/* How a call ended, below HTTP. */
enum kclient_fault {
	KCLIENT_OK,        /* an answer came, whole: look at its status */
	KCLIENT_REFUSED,   /* no connection: nobody listens, no route, no such name */
	KCLIENT_RESET,     /* the connection was lost before an answer began; the request may have been carried out */
	KCLIENT_CUT,       /* the answer began and did not end */
	KCLIENT_TIMEOUT,   /* timeout_ms went by */
	KCLIENT_TLS,       /* handshake: wrong authority, expired certificate, ours refused */
	KCLIENT_TOO_LARGE, /* the body or a line is longer than `max` */
	KCLIENT_MEMORY,    /* no memory on our side */
	KCLIENT_BROKEN,    /* the peer does not speak HTTP, or anything else; `why` tells */
	KCLIENT_FAULTS,
};

/* All of it is valid during the done callback only. */
struct kclient_reply {
	enum kclient_fault fault;
	int status;             /* of HTTP; 0: none came */
	unsigned retry_after_s; /* the header Retry-After; 0: absent (or a date) */
	const char *etag;       /* "": none */
	char *body;             /* never NULL; writable, followed by KCLIENT_PAD zero bytes. What came, when cut */
	size_t len;
	const char *why; /* one sentence for a person; "" when fault is KCLIENT_OK */
};

typedef void kclient_done_fn(const struct kclient_reply *r, void *arg);
/* line: without its newline, not empty; writable, followed by KCLIENT_PAD zero bytes; valid during the callback.
 * Must not call kclient_close (cancel, or remember it for later). */
typedef void kclient_line_fn(char *line, size_t len, void *arg);

struct kclient_request {
	const char *method; /* "GET", "PATCH"...; copied by the client, as every text here but the body */
	const char *path;   /* begins with '/', percent-encoded; see object_escape */
	const char *accept; /* NULL: "application/json" */
	const char *type;   /* of the body */
	const char *etag;   /* sent as If-None-Match, answered by 304; NULL: none */
	char *body;         /* NULL: none */
	size_t body_len;
	bool give_body;      /* true: body is from malloc and the client's from now on, also when kclient_call fails;
	                      * false: body is borrowed, until done was called or the call cancelled */
	uint32_t timeout_ms; /* of the whole call; with on_line of a silence: bookmarks come every minute */
	size_t max;
	kclient_line_fn *on_line;
	kclient_done_fn *done; /* required */
	void *arg;
};

#endif
