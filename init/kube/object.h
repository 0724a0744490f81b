/* What a Kubernetes object is called, and careful reading of one: ids, their text, fields of a JSON document.
 * Pure. Strings are borrowed: an id made from a document lives as long as the document. */
#ifndef HEARTH_KUBE_OBJECT_H
#define HEARTH_KUBE_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include <yyjson.h>

#include "base/buf.h"

#define OBJECT_NAME 254 /* RFC 1123 subdomain and the end: the longest name the server takes */

/* Which object it is; in which version it is written does not matter. No member is NULL. */
struct object_id {
	const char *group; /* "": core */
	const char *kind;
	const char *ns; /* "": not in a namespace */
	const char *name;
};

/* Namespace and name of a document; its kind is said by the caller: elements of lists do not carry it. */
struct object_id object_id_of(yyjson_val *object, const char *group, const char *kind);
bool object_same(const struct object_id *a, const struct object_id *b);
/* Equal for objects that are the same. */
uint32_t object_hash(const struct object_id *id);
/* "Deployment infra/prometheus", "Namespace infra". */
void object_text(struct buf *b, const struct object_id *id);
/* "Deployment.apps", "ConfigMap": a group-kind as ApplySets write it. */
void object_group_kind(struct buf *b, const char *group, const char *kind);
/* Percent-encodes what may not stand in a path or a query as it is (RFC 3986: everything but unreserved and ':'). */
void object_escape(struct buf *b, const char *text);

/* Fields by JSON pointer ("/status/phase"). A field that is absent or of another type is "" or the fallback. */
const char *object_str(yyjson_val *object, const char *pointer);
int64_t object_int(yyjson_val *object, const char *pointer, int64_t fallback);
/* The value of a key in the mapping at pointer; keys may hold '/' and '~'. "" when absent. */
const char *object_key(yyjson_val *object, const char *pointer, const char *key);
/* The element of /status/conditions with that type, or NULL. */
yyjson_val *object_condition(yyjson_val *object, const char *type);
/* Some condition of that type has that status. */
bool object_is(yyjson_val *object, const char *type, const char *status);
/* metadata.resourceVersion as one number, 0 only when it is absent. The server's are numbers that grow (promised since
 * Kubernetes 1.35); another text gives a number that is only good for "the same or not". */
uint64_t object_revision(yyjson_val *object);
/* A number over what `manager` owns by server-side apply (its entry in managedFields): another number means that
 * somebody changed or removed a field of ours, the same one that nobody did. 0: owns nothing. Takes memory for the
 * text of one entry while it works. */
uint32_t object_owned(yyjson_val *object, const char *manager);
/* The other manager that wrote last, status aside; "" when there is none. */
const char *object_last_manager(yyjson_val *object, const char *manager);

#endif
