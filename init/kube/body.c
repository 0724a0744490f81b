/* Bodies of requests. Runs in the kube role. The JSON is our own converter's: compact, valid. It is spliced rather than
 * read and written again, because the largest objects would then take several times their size. */
#include "kube/body.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "base/str.h"
#include "kube/inventory.h"
#include "kube/object.h"
#include "kube/secret.h"

#define LABEL_ROOM 192 /* label, id, quotes, and "labels":{} */

/* Behind the string whose first quote is at `at`. */
static size_t skip_string(const struct buf *b, size_t at)
{
	for (at++; at < b->len && b->data[at] != '"'; at++)
		at += b->data[at] == '\\';
	return at + 1;
}

/* Behind the value that begins at `at`. */
static size_t skip_value(const struct buf *b, size_t at)
{
	unsigned depth = 0;
	for (; at < b->len; at++) {
		char c = b->data[at];
		if (c == '"')
			at = skip_string(b, at) - 1;
		else if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && depth-- == 0)
			return at;
		else if (c == ',' && depth == 0)
			return at;
	}
	return at;
}

/* Where the value of key begins in the mapping whose '{' is at `at`; 0: it has no such key. */
static size_t find(const struct buf *b, size_t at, const char *key)
{
	size_t len = strlen(key);
	for (at++; at < b->len && b->data[at] == '"';) {
		size_t behind = skip_string(b, at);
		if (behind >= b->len || b->data[behind] != ':')
			return 0;
		if (behind - at == len + 2 && memcmp(b->data + at + 1, key, len) == 0)
			return behind + 1;
		at = skip_value(b, behind + 1);
		at += at < b->len && b->data[at] == ',';
	}
	return 0;
}

static int insert(struct buf *b, size_t at, const char *text, struct err *e)
{
	size_t n = strlen(text);
	if (n >= b->cap - b->len)
		return err_set(e, ENOSPC, "no room for its label");
	memmove(b->data + at + n, b->data + at, b->len - at + 1);
	memcpy(b->data + at, text, n);
	b->len += n;
	return 0;
}

/* Is there a mapping at `at`? *comma: what goes behind a member that is put at its front. */
static bool is_map(const struct buf *b, size_t at, const char **comma)
{
	if (at == 0 || at + 1 >= b->len || b->data[at] != '{')
		return false;
	*comma = b->data[at + 1] == '}' ? "" : ",";
	return true;
}

int body_label(struct buf *json, const char *label, const char *value, struct err *e)
{
	char text[LABEL_ROOM];
	const char *comma = "";
	struct buf b;
	buf_init(&b, text, sizeof(text));
	size_t metadata = json->len > 0 && json->data[0] == '{' ? find(json, 0, "metadata") : 0;
	if (!is_map(json, metadata, &comma))
		return err_set(e, EINVAL, "metadata is no mapping");
	size_t at = metadata, labels = find(json, metadata, "labels");
	if (labels == 0) {
		buf_addf(&b, "\"labels\":{\"%s\":\"%s\"}%s", label, value, comma);
	} else {
		if (!is_map(json, labels, &comma))
			return err_set(e, EINVAL, "metadata.labels is no mapping");
		at = labels;
		buf_addf(&b, "\"%s\":\"%s\"%s", label, value, comma);
	}
	if (!buf_ok(&b))
		return err_set(e, EINVAL, "the label %s is too long", label);
	return insert(json, at + 1, text, e);
}

static char *render(const struct manifest *m, unsigned index, struct buf *b, struct err *e)
{
	size_t cap = (size_t)m->object[index].size + LABEL_ROOM + YYJSON_PADDING_SIZE;
	char *text = malloc(cap);
	if (!text) {
		err_put(e, ENOMEM, "no memory for %zu bytes", cap);
		return NULL;
	}
	buf_init(b, text, cap);
	if (manifest_body(m, index, b, e) == 0)
		return text;
	free(text);
	return NULL;
}

static bool has_string_data(const struct manifest_object *o, const struct buf *json)
{
	return o->group[0] == '\0' && str_eq(o->kind, "Secret") && find(json, 0, "stringData") > 0;
}

char *body_render(const struct manifest *m, unsigned index, size_t *len, struct err *e)
{
	struct buf b;
	char *text = render(m, index, &b, e);
	if (!text)
		return NULL;
	if (body_label(&b, INVENTORY_LABEL, INVENTORY_ID, e) < 0) {
		free(text);
		return NULL;
	}
	*len = b.len;
	if (!has_string_data(&m->object[index], &b))
		return text;
	char *data = secret_data(text, len, e);
	free(text);
	return data;
}

bool body_allows(const struct manifest *m, unsigned index, const char *annotation)
{
	struct err e = {0};
	struct buf b;
	char *text = render(m, index, &b, &e);
	yyjson_doc *doc = text ? yyjson_read(text, b.len, 0) : NULL;
	bool allows = str_eq(object_key(yyjson_doc_get_root(doc), "/metadata/annotations", annotation), "true");
	yyjson_doc_free(doc);
	free(text);
	return allows;
}
