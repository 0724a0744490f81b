/* stringData to data. Runs in the kube role. Values are secret: no message quotes one. */
#include "kube/secret.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include <yyjson.h>

/* RFC 4648, section 4; out has room for 4 characters of each 3 bytes begun. */
static size_t base64(const unsigned char *in, size_t n, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = 0;
	for (size_t i = 0; i < n; i += 3) {
		uint32_t bits = 0;
		for (size_t k = i; k < i + 3; k++)
			bits = bits << 8 | (k < n ? in[k] : 0);
		for (unsigned k = 0; k < 4; k++)
			out[len++] = i + k > n ? '=' : digits[bits >> (18 - 6 * k) & 63];
	}
	return len;
}

static yyjson_mut_val *encoded(yyjson_mut_doc *doc, yyjson_val *text)
{
	size_t n = yyjson_get_len(text);
	char *out = malloc(n / 3 * 4 + 4);
	if (!out)
		return NULL;
	size_t len = base64((const unsigned char *)yyjson_get_str(text), n, out);
	yyjson_mut_val *v = yyjson_mut_strncpy(doc, out, len);
	free(out);
	return v;
}

static int check(yyjson_val *root, struct err *e)
{
	yyjson_val *from = yyjson_obj_get(root, "stringData"), *data = yyjson_obj_get(root, "data"), *key;
	yyjson_obj_iter it;
	if (from && !yyjson_is_obj(from) && !yyjson_is_null(from))
		return err_set(e, EINVAL, "stringData is no mapping");
	if (data && !yyjson_is_obj(data) && !yyjson_is_null(data))
		return err_set(e, EINVAL, "data is no mapping");
	yyjson_obj_iter_init(from, &it);
	while ((key = yyjson_obj_iter_next(&it)) != NULL) {
		if (!yyjson_is_str(yyjson_obj_iter_get_val(key)))
			return err_set(e, EINVAL, "stringData.%.60s is no text; write it in quotes",
			               yyjson_get_str(key));
	}
	return 0;
}

/* The mapping `data` of the copy, made when it is not there. NULL: no memory. */
static yyjson_mut_val *data_of(yyjson_mut_doc *doc, yyjson_mut_val *root)
{
	yyjson_mut_val *data = yyjson_mut_obj_get(root, "data");
	if (yyjson_mut_is_obj(data))
		return data;
	data = yyjson_mut_obj(doc);
	return data && yyjson_mut_obj_put(root, yyjson_mut_str(doc, "data"), data) ? data : NULL;
}

/* False: no memory. */
static bool move(yyjson_mut_doc *doc, yyjson_val *from)
{
	yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
	yyjson_obj_iter it;
	yyjson_val *key;
	yyjson_mut_obj_remove_key(root, "stringData");
	if (yyjson_obj_size(from) == 0)
		return true;
	yyjson_mut_val *data = data_of(doc, root);
	if (!data)
		return false;
	yyjson_obj_iter_init(from, &it);
	while ((key = yyjson_obj_iter_next(&it)) != NULL) {
		yyjson_mut_val *name = yyjson_val_mut_copy(doc, key);
		yyjson_mut_val *value = encoded(doc, yyjson_obj_iter_get_val(key));
		if (!name || !value || !yyjson_mut_obj_put(data, name, value))
			return false;
	}
	return true;
}

static char *rewrite(yyjson_doc *doc, size_t *len, struct err *e)
{
	yyjson_val *root = yyjson_doc_get_root(doc);
	if (check(root, e) < 0)
		return NULL;
	yyjson_mut_doc *copy = yyjson_doc_mut_copy(doc, NULL);
	bool moved = copy && move(copy, yyjson_obj_get(root, "stringData"));
	char *text = moved ? yyjson_mut_write(copy, 0, len) : NULL;
	yyjson_mut_doc_free(copy);
	if (!text)
		err_put(e, ENOMEM, "no memory for its stringData");
	return text;
}

char *secret_data(const char *json, size_t *len, struct err *e)
{
	yyjson_doc *doc = yyjson_read(json, *len, YYJSON_READ_NUMBER_AS_RAW);
	if (!yyjson_is_obj(yyjson_doc_get_root(doc))) {
		yyjson_doc_free(doc);
		err_put(e, EINVAL, "its JSON cannot be read");
		return NULL;
	}
	char *text = rewrite(doc, len, e);
	yyjson_doc_free(doc);
	return text;
}
