/* The embedded manifests: files of YAML documents to a table of objects, in the order in which they are applied.
 *
 * The table holds what is needed to decide (some 150 bytes and the names for each object); an object's JSON is rendered
 * again from its file when it is to be sent. Loading takes memory for the largest single document, not for a file.
 * One error ends loading: half a platform is not applied. Errors read "FILE:LINE: what; what to do".
 *
 * An object has apiVersion, kind and metadata.name, all in characters that are sound in a URL; a List is refused, and
 * so is the same object twice, named with both places. Empty documents are passed over.
 *
 * Order: wave (annotation argocd.argoproj.io/sync-wave, lower first), then kind (Namespace, CustomResourceDefinition,
 * then the usual order of installation, unknown kinds last), namespace, name. */
#ifndef HEARTH_KUBE_MANIFEST_H
#define HEARTH_KUBE_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "core/settings.h"
#include "kube/intern.h"

#define MANIFEST_OBJECTS 2000
#define MANIFEST_FILES   32
#define MANIFEST_WAVE    1000       /* waves are -1000 to 1000 */
#define MANIFEST_APP     "platform" /* of objects without the label */
#define MANIFEST_LABEL   "app.kubernetes.io/name"
#define MANIFEST_HASH    33 /* 32 hexadecimal digits and the end */

struct manifest_object {
	const char *group;     /* "": the core group */
	const char *version;   /* "v1" */
	const char *kind;      /* "Deployment" */
	const char *namespace; /* "": none written */
	const char *name;
	const char *app; /* label app.kubernetes.io/name, else MANIFEST_APP */
	int wave;
	bool prune;   /* annotation hearth.dev/prune: "true" */
	uint8_t file; /* index into manifest.file */
	int line;     /* of its first field */
	uint32_t at;  /* bytes of the document in its file */
	uint32_t len;
	int doc_line;  /* of its first byte */
	uint32_t size; /* bytes of its JSON */
	/* FNV-1a 128 of the JSON, variables filled in. It only has to tell a changed object from an unchanged one: the
	 * texts are our own, so nobody makes collisions, and by chance there is none among 2^64 texts. */
	unsigned __int128 hash;
};

struct manifest {
	struct manifest_object *object; /* sorted */
	unsigned count;
	char *file[MANIFEST_FILES]; /* paths */
	unsigned files;
	char revision[MANIFEST_HASH]; /* hash over all ids and hashes: the same objects have the same revision */
	const struct settings *site;
	struct intern names;
	unsigned room;
};

/* path: a file, or a folder whose *.yaml files are read in the order of their names. site must outlive m.
 * m needs no earlier set-up; on an error it is empty. No file, or no object at all, is an error. */
MUST_CHECK int manifest_load(struct manifest *m, const char *path, const struct settings *site, struct err *e);
void manifest_free(struct manifest *m);

/* Writes the JSON of an object behind what is in out, which needs room for its size and one byte. An error when the
 * file has changed since it was loaded (ESTALE). Takes memory for the document while it works. */
MUST_CHECK int manifest_body(const struct manifest *m, unsigned index, struct buf *out, struct err *e);

/* "Deployment htpc/transmission" for people; cut to cap. */
void manifest_name(const struct manifest_object *o, char *text, size_t cap);
void manifest_hash(unsigned __int128 hash, char text[MANIFEST_HASH]);

#endif
