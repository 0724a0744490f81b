/* The engine that makes the objects of the manifests so and keeps them so. Pure: answers and watch events in, requests
 * out through apply_ops; the clock is clock_ms. kube/kube joins it to the network.
 *
 * Each object goes by itself through the steps of enum apply_step, by a table of step and outcome (apply.c). Objects
 * whose turn has come are sent, up to APPLY_FLIGHTS at a time:
 *   - turns are taken in the order of the manifests: within a wave Namespaces, then CRDs, then the rest. CRDs wait
 * until they are established, and the kinds that they bring are looked up; a wave waits until the one before is
 * healthy. A wave that does not get there within APPLY_WAVE_MS is passed over, and named: one broken app must not hold
 * the others for ever. Nothing is given up: what failed is tried again, more and more seldom.
 *   - whose field is it: a field of an object that carries our label is ours, and taken back from whoever changed it,
 *     by name; an object that somebody else made is not taken: the conflict is reported, unless the manifest's
 *     annotation APPLY_FORCE says so.
 *   - what cannot be changed on a living object (422, "immutable") is replaced when it is a Job or carries
 *     APPLY_REPLACE: deleted, waited for, made again. Others are reported.
 *   - drift: an event that shows that our entry in managedFields is not what our last apply left means that somebody
 *     changed a field of ours; the object is applied again within APPLY_SETTLE_MS, later when that happens again and
 *     again. One that is deleted is made again; a Job that had completed is not.
 *   - what the last run left is not sent again when its body is the same (kube/applied) and the first list shows that
 *     nobody has changed a field of ours since; waves of which nothing is to be sent wait for nobody;
 *   - while the server does not answer, or asks for patience, nothing is sent but one request now and then. */
#ifndef HEARTH_KUBE_APPLY_H
#define HEARTH_KUBE_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include <yyjson.h>

#include "base/err.h"
#include "base/limits.h"
#include "kube/items.h"
#include "kube/outcome.h"
#include "kube/watch.h"

#define APPLY_FLIGHTS    8
#define APPLY_WAVE_MS    300000 /* first pulls of images are the slowest thing that a wave waits for */
#define APPLY_SETTLE_MS  300    /* events come in bursts */
#define APPLY_CALM_MS    600000 /* without a repair for so long, an object's repairs are forgotten */
#define APPLY_REPAIRS    8      /* repairs that are made at once; then each waits twice as long as the one before */
#define APPLY_REPAIR_MAX 60000
#define APPLY_REFUSED_MS 60000 /* what was refused for good may have been allowed since */
#define APPLY_POLL_MS    500   /* is a deleted object gone? */
#define APPLY_LIST_MS    2000  /* for the first list of a kind, when it may spare a request */
#define APPLY_FORCE      "hearth.dev/force"
#define APPLY_REPLACE    "hearth.dev/replace"

enum apply_step {
	APPLY_PATCH,  /* server-side apply */
	APPLY_OWNER,  /* GET: is the object in conflict ours? */
	APPLY_TAKE,   /* server-side apply with force */
	APPLY_LOOK,   /* GET: may the object that cannot be changed be replaced, and which one is it? */
	APPLY_DELETE, /* DELETE with that uid */
	APPLY_GONE,   /* GET until it is not there */
	APPLY_STEPS,
};

/* A request to send; text is valid during the call. */
struct apply_call {
	unsigned flight; /* comes back with the answer */
	unsigned item;   /* index into the manifest */
	enum apply_step step;
	const char *uid; /* APPLY_DELETE */
};

enum apply_sent { APPLY_ON_ITS_WAY, APPLY_NO_ROOM /* later */, APPLY_CANNOT /* why, in e */ };

struct apply_ops {
	enum apply_sent (*send)(const struct apply_call *c, void *arg, struct err *e);
	/* Look up the kinds again; apply_discovered tells of the end. */
	void (*discover)(void *arg);
	/* The manifest's annotation is "true". */
	bool (*allows)(unsigned item, const char *annotation, void *arg);
	/* One sentence for the log about an object. */
	void (*tell)(unsigned item, const char *text, void *arg);
};

struct apply_flight {
	bool used;
	bool before; /* sent before the trouble began: tells nothing of whether it is over */
	unsigned item;
	char uid[64];
	char rival[HEALTH_TEXT]; /* "kubectl-edit on .spec.replicas" */
};

struct apply {
	struct items t;
	const struct apply_ops *ops;
	void *arg;
	struct apply_flight flight[APPLY_FLIGHTS];
	bool open;        /* requests may be sent */
	bool discovering; /* a step waits for the kinds */
	unsigned first;   /* of the step whose turn it is */
	unsigned end;     /* behind it; all before have had their turn */
	uint64_t since;   /* clock_ms when its turn came */
	uint64_t hold;    /* nothing is sent before */
	struct retry patience;
	uint32_t random;
	char passed[LIMIT_DETAIL];  /* the last wave that was passed over, and why; "": none */
	char trouble[LIMIT_DETAIL]; /* why nothing can be sent; "": it can */
};

/* As items_init. */
MUST_CHECK int apply_init(struct apply *a, const struct manifest *m, const struct apply_ops *ops, void *arg,
                          struct err *e);
void apply_free(struct apply *a);
/* There is a connection, kinds are known. Goes on where it was. */
void apply_open(struct apply *a);
/* The connection is gone: answers that are under way will not come. */
void apply_close(struct apply *a);
/* Sends what is due. Returns in how many ms it wants to be called again; UINT64_MAX: after the next event. */
uint64_t apply_run(struct apply *a);
void apply_answered(struct apply *a, unsigned flight, const struct outcome_answer *r);
/* The kinds have been read: what could not be sent is tried at once. */
void apply_discovered(struct apply *a);
/* What a watch has seen. Objects that are not in the manifests are ignored. */
void apply_seen(struct apply *a, const struct object_id *id, enum watch_event ev, yyjson_val *object);
/* A list of that kind begins, or is complete: objects that are not in it are not there. */
void apply_listed(struct apply *a, const char *group, const char *kind, bool complete);
/* What is known of that kind may be of another time: a server that was put back to an earlier state counts anew. What
 * is seen from now on is true, whatever its number. */
void apply_relist(struct apply *a, const char *group, const char *kind);
/* A paused app is neither applied nor repaired. Resuming applies it again. False: no such app. */
bool apply_pause(struct apply *a, const char *app, bool paused);
/* Every object of every app that is not paused has been applied. */
bool apply_complete(const struct apply *a);
/* The wave whose turn it is; false: all have had theirs. */
bool apply_wave(const struct apply *a, int *wave);

#endif
