/* The ApplySet (KEP-3659) that says which objects are ours, and the removal of those that left it. Pure: requests out,
 * answers in; kube/kube sends them.
 *
 * One set, whose parent is the ConfigMap kube-system/hearth-platform. Each object of ours carries the label
 * INVENTORY_LABEL with the set's id. The parent's annotations list the group-kinds that may hold such objects: before
 * objects are applied, those of the last run and of this one; after pruning, those of this one. The parent also keeps
 * which apps are paused (INVENTORY_PAUSED), so that they are so after the next boot.
 *
 * Pruning lists our objects of each group-kind (metadata only) twice: first it counts, then it deletes. Kinds whose
 * watch has seen no stranger are left out. Between the two
 * stands the guard: with no object wanted, or more than half of what is there to be deleted, nothing is, unless the
 * parent carries INVENTORY_SHRINK with (the first digits of) this revision of the manifests: leave for one change is
 * none for the next. Claims, volumes, namespaces and CRDs go only when they carry
 * INVENTORY_PRUNE: "true" themselves. Objects of paused apps and of other sets are never touched. */
#ifndef HEARTH_KUBE_INVENTORY_H
#define HEARTH_KUBE_INVENTORY_H

#include <stdbool.h>
#include <stdint.h>

#include <yyjson.h>

#include "base/buf.h"
#include "base/err.h"
#include "kube/manifest.h"
#include "kube/object.h"

/* "applyset-" base64url(sha256("hearth-platform.kube-system.ConfigMap.")) "-v1": name, namespace, kind, group of the
 * parent. There is one parent, so there is one id. */
#define INVENTORY_ID      "applyset-AGsTyweisKNx8PeinHyJbT4tO3RuiFSRWp79IMForUM-v1"
#define INVENTORY_NAME    "hearth-platform"
#define INVENTORY_NS      "kube-system"
#define INVENTORY_LABEL   "applyset.kubernetes.io/part-of"
#define INVENTORY_TOOLING "hearth/v1"
#define INVENTORY_PAUSED  "hearth.dev/paused"
#define INVENTORY_SHRINK  "hearth.dev/shrink"
#define INVENTORY_PRUNE   "hearth.dev/prune"
#define INVENTORY_MANAGER "hearth" /* our field manager */
/* The query that selects the set's objects. */
#define INVENTORY_SELECTOR "labelSelector=applyset.kubernetes.io%2Fpart-of%3D" INVENTORY_ID

#define INVENTORY_SHORT 8    /* digits of a revision that tell it from others */
#define INVENTORY_KINDS 96   /* group-kinds; the whole platform with its CRDs has about 60 */
#define INVENTORY_TEXT  4096 /* names of group-kinds, namespaces or paused apps, in one annotation */

struct inventory_kind {
	const char *group; /* into inventory.text or the manifest */
	const char *kind;
	bool now; /* of the manifests; else only of an earlier run */
};

struct inventory {
	const struct manifest *m;
	struct inventory_kind kind[INVENTORY_KINDS];
	unsigned kinds;
	char text[INVENTORY_TEXT]; /* "Kind\0group\0..." of earlier runs */
	size_t text_len;
	char paused[INVENTORY_TEXT]; /* "htpc,utils" */
	bool shrink;                 /* the parent says that a smaller set is meant */
};

/* Group-kinds of the manifests; m is borrowed. An error: more than INVENTORY_KINDS. */
MUST_CHECK int inventory_init(struct inventory *inv, const struct manifest *m, struct err *e);
/* Takes in the parent as the server has it. A parent of another tool is an error: nothing of it is taken. */
MUST_CHECK int inventory_read(struct inventory *inv, yyjson_val *parent, struct err *e);
/* The parent's body for server-side apply. exact: the group-kinds of this run only, as after pruning. An error:
 * does not fit. */
MUST_CHECK int inventory_body(const struct inventory *inv, bool exact, struct buf *out, struct err *e);

bool inventory_paused(const struct inventory *inv, const char *app);
/* Idempotent. An error: the list is full, or a name that the list cannot hold. */
MUST_CHECK int inventory_pause(struct inventory *inv, const char *app, bool paused, struct err *e);

/* --- pruning ---------------------------------------------------------------------------------- */

#define PRUNE_PAGE     100 /* objects of one list answer; metadata of one is about 1 KiB */
#define PRUNE_CONTINUE 1024

enum prune_phase { PRUNE_IDLE, PRUNE_COUNT, PRUNE_DELETE };

enum prune_do {
	PRUNE_END,    /* nothing (more) to do; see prune.deleted, kept, refused */
	PRUNE_LIST,   /* GET the collection of (group, kind), with query */
	PRUNE_REMOVE, /* DELETE (group, kind, ns, name), with body */
};

struct prune_request {
	enum prune_do what;
	const char *group, *kind;
	const char *ns, *name;
	const char *text; /* PRUNE_LIST: the query; PRUNE_REMOVE: the body, JSON. Valid until the next call. */
};

struct prune_ops {
	/* Is the object in the set that we want? */
	bool (*wanted)(const struct object_id *id, void *arg);
	/* It is known without asking that no other object of this kind carries our label. */
	bool (*clean)(const char *group, const char *kind, void *arg);
	/* One line for the log about an object. */
	void (*tell)(const struct object_id *id, const char *what, void *arg);
};

struct prune_doomed {
	char *ns, *name, *uid; /* one allocation, at ns */
};

struct prune {
	const struct inventory *inv;
	const struct prune_ops *ops;
	void *arg;
	enum prune_phase phase;
	unsigned at; /* kind */
	char more[PRUNE_CONTINUE];
	struct prune_doomed doomed[PRUNE_PAGE];
	unsigned dooms, next; /* of this page; the one being deleted */
	unsigned members;     /* of the set: the wanted ones, and those that would be deleted */
	unsigned leaving;     /* of them, not wanted and deletable */
	unsigned kept;        /* of them, not wanted but protected */
	unsigned deleted;
	bool refused;    /* the guard said no */
	bool incomplete; /* something could not be listed or deleted: the inventory must stay wide */
	char text[PRUNE_CONTINUE * 3 + 512];
};

/* Begins anew, whatever state it was in; zero-initialise before the first time. */
void prune_begin(struct prune *p, const struct inventory *inv, const struct prune_ops *ops, void *arg);
/* What is to be asked now; the same until it is answered. */
struct prune_request prune_next(struct prune *p);
/* The answer: a list for PRUNE_LIST. skip: the kind is not served (any more), or the object is gone already.
 * failed: gives the kind or object up for this time. */
void prune_listed(struct prune *p, yyjson_val *list);
void prune_removed(struct prune *p);
void prune_skip(struct prune *p, bool failed);
/* Frees what a run under way holds. */
void prune_stop(struct prune *p);

#endif
