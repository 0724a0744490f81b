/* The connections of the HTTPS console as a table of slots: what each is doing, and by when it must have done it.
 * Pure: no sockets, no clock of its own, so that a test walks it by hand.
 *
 * Every phase has a deadline, and no byte from outside moves it: a client that sends one header byte a second, or reads
 * one byte a second, is closed like one that does nothing. When all slots are taken, a newcomer gets the slot of
 * whoever has asked for nothing, or has not asked to the end, for the longest time, so that silent connections cannot
 * shut others out. */
#ifndef HEARTH_CONSOLE_WEB_CONN_H
#define HEARTH_CONSOLE_WEB_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console/web_body.h"
#include "console/web_reply.h"
#include "console/web_route.h"

#define WEB_CONNS       32         /* a household's browsers, six connections each at most */
#define WEB_STREAMS     16         /* of these; the rest stays for requests */
#define WEB_TAKES_MS    5000       /* for an answer, when others wait: the page over a bad line takes one second */
#define WEB_UPLOAD_STEP (20 << 10) /* bytes: a sender slower than 1 KiB/s is given up */

enum web_phase {
	WEB_FREE,
	WEB_ASKING,    /* new: handshake and first request are not complete yet */
	WEB_READING,   /* the head was good; its body is not complete yet */
	WEB_IDLE,      /* answered before; the next request is not complete yet */
	WEB_WORKING,   /* PID 1 was asked */
	WEB_SENDING,   /* the answer is on its way */
	WEB_UPLOADING, /* a large body goes on as it comes; each WEB_UPLOAD_STEP of it renews the deadline */
	WEB_STALLED,   /* likewise, but who takes it has no room: the sender is not read */
	WEB_STREAMING, /* gets events as they come; each one that it takes renews the deadline */
	WEB_LINGERING, /* answered and refused; whatever else it sends is thrown away */
	WEB_CLOSING,   /* given up; the library still flushes */
	WEB_PHASES
};

struct lws;
struct web_server;

struct web_conn {
	enum web_phase phase;
	uint64_t since; /* clock_ms of the last change of phase */
	struct web_server *server;
	struct lws *wsi;               /* the library's handle; NULL before it exists */
	const struct web_route *route; /* of the request under way */
	uint32_t call;                 /* number of the question to PID 1, 0: none */
	bool head;                     /* HEAD: no body is sent */
	bool keep;                     /* the connection stays open after the answer */
	uint64_t cursor;               /* next event of the feed, when streaming */
	bool beat;                     /* a sign of life is to be sent on the stream */
	struct web_reply reply;
	char address[46];                               /* of the client, as text */
	char token[WEB_TOKEN + 1], csrf[WEB_TOKEN + 1]; /* that the request under way carries; "" for none */
	char more[192];                                 /* header lines of the answer */
	size_t body_len;
	char body[WEB_BODY];
	bool whole;       /* all of the body has come */
	uint64_t stepped; /* bytes of an upload since the deadline was renewed */
};

struct web_conns {
	struct web_conn slot[WEB_CONNS];
};

/* A free slot, now WEB_ASKING, or NULL. */
struct web_conn *web_conns_take(struct web_conns *t, uint64_t now);
/* Gives it back; its reply is dropped, and what could be a secret is wiped. */
void web_conn_free(struct web_conn *c);
/* Forgets what the last request carried. */
void web_conn_wipe(struct web_conn *c);
void web_conn_set(struct web_conn *c, enum web_phase phase, uint64_t now);
/* Whom to close for a newcomer: the longest in WEB_IDLE, else WEB_LINGERING, WEB_ASKING, WEB_READING, else in
 * WEB_SENDING, if it has not taken its answer for WEB_TAKES_MS; NULL: nobody. */
struct web_conn *web_conns_spare(struct web_conns *t, uint64_t now);
unsigned web_conns_count(const struct web_conns *t, enum web_phase phase);
/* Somebody is owed an answer, or has not heard all of it. */
bool web_conns_busy(const struct web_conns *t);
/* clock_ms of the earliest deadline; UINT64_MAX: none. */
uint64_t web_conns_due(const struct web_conns *t);
/* One whose deadline has passed, or NULL. */
struct web_conn *web_conns_overdue(struct web_conns *t, uint64_t now);

#endif
