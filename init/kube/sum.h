/* How an app, or everything, is doing: the objects of the engine counted and judged for people. Pure. */
#ifndef HEARTH_KUBE_SUM_H
#define HEARTH_KUBE_SUM_H

#include "kube/apply.h"

/* The app as a whole, worst first. */
enum sum_verdict {
	SUM_FAILED,      /* something cannot be applied */
	SUM_DEGRADED,    /* something is failed */
	SUM_PROGRESSING, /* something is not there or not healthy yet */
	SUM_HEALTHY,
};

struct sum {
	enum sum_verdict verdict;
	unsigned objects;
	unsigned applied; /* are on the server as they should be, as far as known */
	unsigned ready;   /* of them, healthy */
	int worst;        /* index of the object that the verdict comes from; -1: healthy */
};

/* app: index, or -1 for all apps that are not paused. */
struct sum sum_of(const struct apply *a, int app);
const char *sum_name(enum sum_verdict v); /* "failed", "degraded", "progressing", "healthy" */
/* Adds one sentence: "3 objects", "Deployment htpc/x: available: 0/1", for a paused app "paused; ...". */
void sum_text(const struct apply *a, int app, const struct sum *s, struct buf *b);
/* Adds how the apps are doing: "8 of 8 apps healthy", "6 of 8 apps healthy, 1 paused; waiting for coredns, traefik".
 * True: every one that is not paused is healthy. */
bool sum_apps(const struct apply *a, struct buf *b);
/* One object: "current", "progressing", "failed", "missing", "drifted". */
const char *sum_item_name(const struct apply *a, const struct item *it);
/* And why: the problem, else the health's sentence, else "". */
const char *sum_item_text(const struct apply *a, const struct item *it);

#endif
