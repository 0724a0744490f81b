/* Names of Kubernetes objects and fields of JSON documents. Pure; runs in the kube role.
 * Documents come from the API server: nothing here trusts that a field is there or of the right type. */
#include "kube/object.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* The end counts too: "ab","c" is not "a","bc". */
static uint32_t hash(uint32_t h, const char *s)
{
	return str_hash(h, s, strlen(s) + 1);
}

struct object_id object_id_of(yyjson_val *object, const char *group, const char *kind)
{
	struct object_id id = {group, kind, object_str(object, "/metadata/namespace"),
	                       object_str(object, "/metadata/name")};
	return id;
}

bool object_same(const struct object_id *a, const struct object_id *b)
{
	return str_eq(a->name, b->name) && str_eq(a->kind, b->kind) && str_eq(a->ns, b->ns) &&
	       str_eq(a->group, b->group);
}

uint32_t object_hash(const struct object_id *id)
{
	return hash(hash(hash(hash(STR_HASH, id->name), id->ns), id->kind), id->group);
}

void object_text(struct buf *b, const struct object_id *id)
{
	buf_addf(b, "%s %s%s%s", id->kind, id->ns, id->ns[0] ? "/" : "", id->name);
}

void object_group_kind(struct buf *b, const char *group, const char *kind)
{
	buf_addf(b, "%s%s%s", kind, group[0] ? "." : "", group);
}

void object_escape(struct buf *b, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:";
	for (; *text; text++) {
		if (strchr(plain, *text))
			buf_add_char(b, *text);
		else
			buf_addf(b, "%%%02X", (unsigned char)*text);
	}
}

const char *object_str(yyjson_val *object, const char *pointer)
{
	const char *s = yyjson_get_str(yyjson_ptr_get(object, pointer));
	return s ? s : "";
}

int64_t object_int(yyjson_val *object, const char *pointer, int64_t fallback)
{
	yyjson_val *v = yyjson_ptr_get(object, pointer);
	return yyjson_is_int(v) ? yyjson_get_sint(v) : fallback;
}

const char *object_key(yyjson_val *object, const char *pointer, const char *key)
{
	const char *s = yyjson_get_str(yyjson_obj_get(yyjson_ptr_get(object, pointer), key));
	return s ? s : "";
}

yyjson_val *object_condition(yyjson_val *object, const char *type)
{
	yyjson_arr_iter it;
	yyjson_val *c;
	/* An iterator over what is no list is empty. */
	yyjson_arr_iter_init(yyjson_ptr_get(object, "/status/conditions"), &it);
	while ((c = yyjson_arr_iter_next(&it)) != NULL) {
		if (yyjson_equals_str(yyjson_obj_get(c, "type"), type))
			return c;
	}
	return NULL;
}

bool object_is(yyjson_val *object, const char *type, const char *status)
{
	return yyjson_equals_str(yyjson_obj_get(object_condition(object, type), "status"), status);
}

uint64_t object_revision(yyjson_val *object)
{
	const char *text = object_str(object, "/metadata/resourceVersion");
	uint64_t n = 0;
	if (text[0] == '\0')
		return 0;
	if (str_u64(text, UINT64_MAX, &n) == 0 && n != 0)
		return n;
	return (uint64_t)hash(STR_HASH, text) | (uint64_t)1 << 63; /* the text is opaque, by contract */
}

/* Fields of the status are written through the subresource: no change of what the object should be. */
static bool of_spec(yyjson_val *entry)
{
	return !str_eq(object_str(entry, "/subresource"), "status");
}

static uint32_t hash_of(yyjson_val *value)
{
	size_t len = 0;
	char *text = yyjson_val_write(value, 0, &len);
	uint32_t h = text ? hash(STR_HASH, text) : 0;
	free(text);
	return h;
}

uint32_t object_owned(yyjson_val *object, const char *manager)
{
	yyjson_arr_iter it;
	yyjson_val *entry;
	yyjson_arr_iter_init(yyjson_ptr_get(object, "/metadata/managedFields"), &it);
	while ((entry = yyjson_arr_iter_next(&it)) != NULL) {
		if (str_eq(object_str(entry, "/manager"), manager) &&
		    str_eq(object_str(entry, "/operation"), "Apply") && of_spec(entry))
			return hash_of(yyjson_obj_get(entry, "fieldsV1"));
	}
	return 0;
}

const char *object_last_manager(yyjson_val *object, const char *manager)
{
	yyjson_arr_iter it;
	yyjson_val *entry;
	const char *last = "", *when = "";
	yyjson_arr_iter_init(yyjson_ptr_get(object, "/metadata/managedFields"), &it);
	while ((entry = yyjson_arr_iter_next(&it)) != NULL) {
		const char *who = object_str(entry, "/manager"), *time = object_str(entry, "/time");
		if (str_eq(who, manager) || !of_spec(entry) || strcmp(time, when) < 0) /* RFC 3339 sorts as text */
			continue;
		last = who;
		when = time;
	}
	return last;
}
