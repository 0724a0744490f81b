/* List and watch of one kind of objects, as a machine: what to ask next; what an answer means. Pure; kube/kube sends.
 *
 * A list in pages, then a watch from the list's resourceVersion on, with bookmarks, so that a watch that was cut goes
 * on where it was; a version that is too old (410, as an answer or inside the stream) begins with the list again. What
 * was deleted between two lists is found by the owner: it is told when a list begins and when it is complete. */
#ifndef HEARTH_KUBE_WATCH_H
#define HEARTH_KUBE_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <yyjson.h>

#include "base/buf.h"
#include "base/err.h"

#define WATCH_PAGE     50   /* objects of one list answer: some 300 KiB of workloads */
#define WATCH_PAGE_CRD 4    /* a CRD may be a megabyte */
#define WATCH_VERSION  64   /* a resourceVersion; 20 digits today */
#define WATCH_CONTINUE 1024 /* a continue token; some 200 bytes today */

enum watch_state {
	WATCH_LIST, /* wants, or waits for, a page of the list */
	WATCH_OPEN, /* wants, or has, a watch stream */
};

enum watch_event { WATCH_ADDED, WATCH_MODIFIED, WATCH_DELETED, WATCH_LISTED /* element of a list */ };

struct watch;

struct watch_ops {
	/* object is good during the call. */
	void (*object)(struct watch *w, enum watch_event ev, yyjson_val *object);
	/* A list begins (complete false): forget what was seen; is complete: what was not seen is not there. */
	void (*list)(struct watch *w, bool complete);
};

struct watch {
	const struct watch_ops *ops;
	void *arg;         /* the owner's */
	const char *group; /* "": core; borrowed */
	const char *kind;
	const char *version;  /* NULL: the one that the server prefers */
	const char *selector; /* of the query: "labelSelector=..."; "": all objects */
	bool full;            /* objects with spec and status, else their metadata alone */
	enum watch_state state;
	bool first;    /* no page of this list has come yet */
	unsigned page; /* objects of one answer */
	char since[WATCH_VERSION];
	char *more; /* continue token, from malloc; NULL: first page */
};

void watch_init(struct watch *w, const struct watch_ops *ops, void *arg);
void watch_free(struct watch *w);
/* The query of the next call; w->state tells whether it is a list or a stream. */
void watch_query(const struct watch *w, struct buf *b);
/* What to send as Accept. */
const char *watch_accept(const struct watch *w);
/* A page of the list. An error: it is none; the list begins anew. */
MUST_CHECK int watch_page(struct watch *w, yyjson_val *list, struct err *e);
/* A line of the stream; changed in place, followed by YYJSON_PADDING_SIZE zero bytes. An error ends the stream: what
 * came is no event, or the server reports one (e->code ESTALE: a list is due). */
MUST_CHECK int watch_line(struct watch *w, char *line, size_t len, struct err *e);
/* A page was too large for us: the list begins anew with smaller ones. */
void watch_shrink(struct watch *w);
/* All is forgotten: a list comes next. For 410, and for a new connection to a server that may be another one. */
void watch_restart(struct watch *w);

#endif
