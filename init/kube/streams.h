/* One watch for each kind of the manifests: keeps it running, tells the engine what it sees. And one for the nodes. */
#ifndef HEARTH_KUBE_STREAMS_H
#define HEARTH_KUBE_STREAMS_H

#include <stdbool.h>

#include "kube/apply.h"
#include "kube/inventory.h"
#include "kube/link.h"
#include "kube/watch.h"

#define STREAMS           (INVENTORY_KINDS + 1)
#define STREAMS_KEEP      16     /* places of the client that are left to applies, pruning and answers */
#define STREAM_SILENCE_MS 150000 /* bookmarks come about every minute */

struct streams;

struct stream {
	struct watch watch; /* watch.arg is this stream */
	struct streams *all;
	uint32_t call; /* 0: none */
	struct loop_timer timer;
	struct retry retry;
	bool listed;  /* on this connection */
	bool strange; /* its list, or an event since, had an object that is not in the manifests */
	bool broken;  /* a line was no event: the call is to be ended */
};

/* NODES_MAX nodes would be another product: one box is one node, a few more may join. */
#define STREAMS_NODES 16

struct streams {
	struct link *link;
	struct apply *apply;
	void (*seen)(void *arg); /* the engine has something to do */
	/* Numbers of nodes: ready ones, those that may have been so only before this boot, and all. */
	void (*node)(int ready, int stale, int nodes, void *arg);
	bool (*doubts)(yyjson_val *node, void *arg); /* what it says may be of before this boot; NULL: never */
	void *arg;
	struct stream stream[STREAMS];
	unsigned count;
	struct {
		uint32_t name; /* hash */
		bool ready;
		bool stale;
	} nodes[STREAMS_NODES];
	unsigned node_count;
	bool believe; /* stale or not */
	bool open;
};

/* Kinds of the inventory that are of the manifests. inv and the rest are borrowed. */
void streams_init(struct streams *s, struct link *link, struct apply *apply, const struct inventory *inv);
void streams_open(struct streams *s);
void streams_close(struct streams *s);
/* Tries those that wait: the server is there again, or kinds have been read. */
void streams_kick(struct streams *s);
/* Tells the numbers of nodes again, when they are known. */
void streams_tell_nodes(const struct streams *all);
/* The kind is watched, and no object but those of the manifests has been seen. */
bool streams_clean(const struct streams *s, const char *group, const char *kind);
void streams_fini(struct streams *s);

#endif
