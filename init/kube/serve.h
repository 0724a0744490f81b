/* Answers what the consoles ask about apps and pods. PID 1 passes their words on over the role's control channel
 * (descriptor 3), on which the answers to the role's own facts come, too:
 *
 *   apps                        all apps
 *   apps NAME                   one, with its objects and the history
 *   apps diff NAME              where the server's objects differ from ours: a dry run of each object
 *   apps pause|resume NAME
 *   pods                        of all namespaces
 *   logs pod/[NS/]NAME [CONTAINER]
 *
 * Works from the start: while there is no server, apps tells why. */
#ifndef HEARTH_KUBE_SERVE_H
#define HEARTH_KUBE_SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include <yyjson.h>

#include "core/inbox.h"
#include "kube/apply.h"
#include "kube/keeper.h"
#include "kube/link.h"

#define SERVE_ASKS    8     /* more are told to ask again */
#define SERVE_CALL_MS 20000 /* PID 1 waits 23 s (ASKS_MS) */

struct serve;

struct serve_ask {
	struct serve *serve;
	uint32_t id;
	bool used;
	char text[LIMIT_REQUEST + 1];
	unsigned argc;
	const char *argv[INBOX_WORDS];
	uint32_t call;
	/* apps diff */
	int app;
	unsigned item;
	yyjson_doc *live;
	unsigned left; /* differences that did not fit */
};

struct serve {
	struct loop *loop;
	struct inbox inbox;
	struct link *link;
	struct apply *apply;   /* NULL: no manifests */
	struct keeper *keeper; /* likewise */
	const char *trouble;   /* why there are no manifests, else what to say about the whole; never NULL */
	struct serve_ask ask[SERVE_ASKS];
	struct serve_ask *differ; /* the one diff under way */
	struct buf diff;          /* its list so far */
	char diff_text[LIMIT_REPLY];
	char out[LIMIT_REPLY];
};

/* chan: see core/inbox. */
MUST_CHECK int serve_init(struct serve *s, struct loop *l, int chan, struct link *link, struct err *e);
/* The connection is gone: what waits for an answer gets one now. */
void serve_close(struct serve *s);
void serve_fini(struct serve *s);

#endif
