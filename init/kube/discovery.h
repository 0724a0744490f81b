/* Which kinds the API server knows: (group, version, kind) to the path of its resource.
 *
 * Read from aggregated discovery: two documents, /api (the core group, named "") and /apis. Each is kept as a compact
 * table, with its ETag, so that a refresh costs two answers of 304 when nothing has changed. Refresh after CRDs or
 * APIServices have been applied, and when a kind is not found. Never asks by itself. */
#ifndef HEARTH_KUBE_DISCOVERY_H
#define HEARTH_KUBE_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "kube/client.h"

#define DISCOVERY_KINDS 384       /* per document; k3s has 70, a large set of CRDs 200 more */
#define DISCOVERY_TEXT  24576     /* bytes of all their names */
#define DISCOVERY_BODY  (1 << 20) /* bytes of a document; k3s sends 60 KiB */

#define DISCOVERY_GET               (1u << 0)
#define DISCOVERY_LIST              (1u << 1)
#define DISCOVERY_WATCH             (1u << 2)
#define DISCOVERY_CREATE            (1u << 3)
#define DISCOVERY_UPDATE            (1u << 4)
#define DISCOVERY_PATCH             (1u << 5)
#define DISCOVERY_DELETE            (1u << 6)
#define DISCOVERY_DELETE_COLLECTION (1u << 7)

/* A row; names are offsets into the document's text. Subresources have none. */
struct discovery_row {
	uint16_t group;
	uint16_t version;
	uint16_t kind;   /* "" (with plural ""): a version whose server did not answer, so its kinds are not known */
	uint16_t plural; /* the resource: "deployments" */
	uint8_t verbs;
	bool namespaced;
};

struct discovery_doc {
	size_t rows;
	struct discovery_row row[DISCOVERY_KINDS]; /* in the server's order: a group's preferred version first */
	size_t text_len;
	char text[DISCOVERY_TEXT];
	char etag[KCLIENT_ETAG]; /* "": never fetched */
};

/* What a lookup gives; names are valid until the next refresh. */
struct discovery_kind {
	const char *group; /* "": core */
	const char *version;
	const char *kind;
	const char *plural;
	unsigned verbs; /* DISCOVERY_* */
	bool namespaced;
};

enum discovery_source { DISCOVERY_CORE, DISCOVERY_GROUPS, DISCOVERY_SOURCES };

/* r: of the document that failed, valid during the call, or NULL; e: what went wrong, or NULL: both documents are
 * current, `changed` tells whether either is a new one. A document that failed keeps its old table. */
typedef void discovery_done_fn(bool changed, const struct kclient_reply *r, const struct err *e, void *arg);

struct discovery;
/* Which of the two an answer belongs to; private. */
struct discovery_ask {
	struct discovery *discovery;
	uint32_t call; /* 0: none */
};

/* About 90 KiB; zero-initialise (an empty table); the kube role has one in static storage. */
struct discovery {
	struct discovery_doc doc[DISCOVERY_SOURCES];
	struct discovery_doc scratch; /* a document while it is read */
	struct kclient *client;
	struct discovery_ask ask[DISCOVERY_SOURCES]; /* the refresh under way */
	bool changed;
	discovery_done_fn *done;
	void *arg;
};

/* Asks for both documents; done is called once, when both are there or one has failed. One refresh at a time (EBUSY):
 * discovery_cancel ends one, as must be done before the client is closed. */
MUST_CHECK int discovery_refresh(struct discovery *d, struct kclient *c, discovery_done_fn *done, void *arg,
                                 struct err *e);
void discovery_cancel(struct discovery *d);
/* Something has been read. */
bool discovery_ready(const struct discovery *d);

/* version NULL: the one that the server prefers. Not there: -1, ENOENT, and a message that says what is: another
 * version, a kind of nearly this name, an API server that did not answer. */
MUST_CHECK int discovery_find(const struct discovery *d, const char *group, const char *version, const char *kind,
                              struct discovery_kind *out, struct err *e);
/* The i-th kind, for walks over all: 0, or -1 behind the last. Every version of a kind has its own row. */
int discovery_at(const struct discovery *d, size_t i, struct discovery_kind *out);
/* Adds "/api/v1" or "/apis/apps/v1": the path up to "/namespaces/" or the plural. */
void discovery_prefix(const struct discovery_kind *k, struct buf *b);
/* "apps/v1", or "v1" for the core group, into (group, version); borrowed storage in dst. 0, or -1. */
MUST_CHECK int discovery_split(const char *api_version, char *group, size_t group_cap, char *version,
                               size_t version_cap);

/* One document of aggregated discovery into doc; json is overwritten (read in place), with KCLIENT_PAD zero bytes
 * behind it. On failure doc is empty. Pure. */
MUST_CHECK int discovery_parse(struct discovery_doc *doc, char *json, size_t len, struct err *e);

#endif
