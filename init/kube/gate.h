/* Are the pods that the API server tells of those of this boot? After a warm boot it tells what was true before, until
 * the kubelet has looked: everything is "healthy" long before anything runs.
 *
 * Until it is known, the pods are listed every GATE_EVERY_MS, no workload counts as healthy (items.unseen), and no node
 * as ready of which nothing has been heard since this boot began. The first list without a stale pod (kube/stale) ends
 * that for good, if no workload tells of more Ready pods than there are: its controller may look much later than the
 * kubelet. When there have been stale ones, the list behind it: what else follows from pods takes a moment. A clock
 * that tells nonsense cannot hold it for ever: GATE_LIMIT_MS after a node was Ready it ends in any case, and says so in
 * the log. */
#ifndef HEARTH_KUBE_GATE_H
#define HEARTH_KUBE_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "kube/items.h"
#include "kube/link.h"
#include "kube/watch.h"

#define GATE_EVERY_MS 3000
#define GATE_AGAIN_MS 1000 /* between the first list without a stale pod and the one that confirms it */
#define GATE_LIMIT_MS 300000
#define GATE_PAGE     20 /* pods of one answer, some 10 KiB each */

struct gate {
	struct link *link;
	struct items *items;       /* the workloads; borrowed */
	void (*passed)(void *arg); /* once: they are those of this boot */
	void *arg;
	struct watch list;       /* in pages; its stream is never opened */
	struct loop_timer timer; /* of the next list */
	struct loop_timer limit;
	uint32_t call;
	int64_t began;  /* this boot, in seconds since 1970, as far as is known */
	unsigned stale; /* pods of the list under way */
	bool suspect;   /* the last list had some */
	bool running;   /* there is a connection */
	bool open;      /* passed has been called */
};

/* Nothing is asked before gate_start. */
void gate_init(struct gate *g, struct link *link, struct items *t, void (*passed)(void *arg), void *arg);
/* There is a connection; or it is gone. */
void gate_start(struct gate *g);
void gate_stop(struct gate *g);
/* A node is Ready, or was before this boot. */
void gate_node(struct gate *g);
/* What a node says may be of the last boot. */
bool gate_doubts(const struct gate *g, yyjson_val *node);
void gate_fini(struct gate *g);

#endif
