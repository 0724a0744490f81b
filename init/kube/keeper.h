/* Keeps the books: reads and writes the parent of our set before anything is applied, and when all is, prunes what left
 * the set, writes the parent as it is now, and the revision into the history. Also remembers which apps are paused. */
#ifndef HEARTH_KUBE_KEEPER_H
#define HEARTH_KUBE_KEEPER_H

#include <stdbool.h>

#include "kube/apply.h"
#include "kube/history.h"
#include "kube/inventory.h"
#include "kube/link.h"

#define KEEPER_PRUNE_MS 600000 /* until the next try to prune what could not be */
#define KEEPER_TRIES    6      /* of one prune request, before its object or kind waits for the next time */

enum keeper_phase {
	KEEPER_CLOSED,
	KEEPER_READ,    /* the parent is being read */
	KEEPER_CLAIM,   /* and written, with the kinds of the last run and of this one */
	KEEPER_APPLY,   /* the engine is at work; nothing to do until it is complete */
	KEEPER_PRUNE,   /* the walk over the kinds */
	KEEPER_RELEASE, /* the parent is written as it is now */
	KEEPER_SYNCED,
};

/* e NULL: it is written. Else it holds for this run only, or not at all. */
typedef void keeper_done_fn(const struct err *e, void *arg);

struct keeper {
	struct link *link;
	struct apply *apply;
	struct inventory inventory;
	struct history history;
	char applied[LIMIT_PATH]; /* file of kube/applied; "": none */
	struct prune prune;
	enum keeper_phase phase;
	bool pruned; /* nothing of this revision is left to prune */
	bool exact;  /* the parent lists the kinds of this run alone */
	struct loop_timer timer;
	struct retry retry;
	uint32_t call;
	bool (*clean)(const char *group, const char *kind, void *arg); /* as prune_ops; NULL: never */
	void (*claimed)(void *arg);                                    /* applying may begin, or goes on */
	void (*changed)(void *arg); /* synced, problem, or what is paused: the engine may have something to do */
	void *arg;
	char problem[LIMIT_DETAIL]; /* of the inventory or of pruning; "": none */
	/* A change of what is paused, on its way to the server. */
	uint32_t pause_call;
	keeper_done_fn *pause_done;
	void *pause_arg;
	bool synced; /* all of this revision has been applied once */
};

MUST_CHECK int keeper_init(struct keeper *k, struct link *link, struct apply *apply, struct err *e);
void keeper_open(struct keeper *k);
void keeper_close(struct keeper *k);
/* Looks whether the engine is complete. Cheap enough to be called after each of its events. */
void keeper_look(struct keeper *k);
/* done is called once, later. An error: no such app, another change is under way, no connection. */
MUST_CHECK int keeper_pause(struct keeper *k, const char *app, bool paused, keeper_done_fn *done, void *arg,
                            struct err *e);
void keeper_fini(struct keeper *k);

#endif
