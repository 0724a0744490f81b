/* The objects that the engine looks after: one item for each object of the manifests, at the same index, found by id;
 * and the apps that they belong to. Data and looking up only: apply.c alone changes what an item says. */
#ifndef HEARTH_KUBE_ITEMS_H
#define HEARTH_KUBE_ITEMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "kube/health.h"
#include "kube/manifest.h"
#include "kube/object.h"
#include "kube/retry.h"

#define ITEMS_APPS 96 /* facts and lists of the consoles have room for no more */

enum item_state {
	ITEM_WAITING, /* its turn has not come */
	ITEM_DUE,     /* to be sent at item.due */
	ITEM_SENT,    /* a request is under way */
	ITEM_DONE,    /* the server has it as we want it */
	ITEM_OVER,    /* a Job that completed and is gone: its work is done */
};

enum item_drift { ITEM_TRUE, ITEM_CHANGED, ITEM_DELETED };

/* About 90 bytes an object, and its two sentences where there are such. */
struct item {
	uint64_t due;        /* clock_ms */
	uint64_t revision;   /* that our last apply left; 0: never applied */
	uint64_t seen;       /* newest one seen; 0: not there */
	uint64_t before;     /* what was seen when the request under way was sent */
	uint64_t repaired;   /* clock_ms of the last repair */
	uint32_t owned;      /* object_owned after our last apply */
	uint32_t seen_owned; /* ... of what was seen last */
	uint8_t state;       /* enum item_state */
	uint8_t step;        /* enum apply_step: the next request, or the one under way */
	uint8_t health;      /* enum health */
	uint8_t drift;       /* enum item_drift: why it is applied again */
	uint8_t repairs;     /* not forgotten yet */
	uint8_t app;         /* into items.app */
	uint16_t claims;     /* pods that are Ready, as the status of a workload says; see kube/stale.h */
	uint16_t found;      /* ... and as they say themselves, in the last list of kube/gate */
	bool marked;         /* seen in the list under way */
	bool known;          /* the last run applied this same body, and left `owned` */
	bool unsent;         /* the last try could not be sent: its kind may not be known yet */
	struct retry retry;
	char *why;     /* the health in a sentence; NULL: none. Like problem from malloc, at most HEALTH_TEXT bytes. */
	char *problem; /* why it is not as it should be on the server */
};

struct item_app {
	const char *name; /* the manifest's */
	bool paused;
};

struct items {
	const struct manifest *m;
	struct item *item; /* m->count of them */
	uint16_t *slot;    /* hash of an id to its index + 1; 0: free */
	uint32_t slots;    /* a power of two */
	struct item_app app[ITEMS_APPS];
	unsigned apps;
	bool unseen; /* what follows from pods may be of the last boot; see kube/gate.h */
};

/* m must outlive t and have at most MANIFEST_OBJECTS objects. An error: memory, too many apps, an object twice. */
MUST_CHECK int items_init(struct items *t, const struct manifest *m, struct err *e);
void items_free(struct items *t);
/* Index of the object in the manifests, or -1. */
int items_find(const struct items *t, const struct object_id *id);
int items_find_app(const struct items *t, const char *app); /* index or -1 */
struct object_id items_id(const struct items *t, unsigned index);
/* Replaces a sentence of an item; "" forgets it. Out of memory: the sentence is lost, nothing else. */
void items_say(char **text, const char *value);
/* Its health as far as it can be believed: while t->unseen no workload is Current. */
enum health items_health(const struct items *t, const struct item *it);
/* Why, in a sentence; "": nothing to say. */
const char *items_why(const struct items *t, const struct item *it);
/* Has been applied, and nothing is known against it. */
bool items_is_applied(const struct item *it);

#endif
