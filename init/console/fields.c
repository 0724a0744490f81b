/* Members of JSON objects with neutral values for what is not there. Runs in the console and ctl roles. */
#include "console/fields.h"

#include <string.h>

#include "console/text.h"

yyjson_doc *fields_read(const char *json)
{
	yyjson_doc *doc = yyjson_read(json, strlen(json), YYJSON_READ_NOFLAG);
	if (doc && yyjson_is_obj(yyjson_doc_get_root(doc)))
		return doc;
	yyjson_doc_free(doc);
	return NULL;
}

const char *field_str(yyjson_val *object, const char *key)
{
	const char *s = yyjson_get_str(yyjson_obj_get(object, key));
	return s ? s : "";
}

uint64_t field_u64(yyjson_val *object, const char *key)
{
	yyjson_val *v = yyjson_obj_get(object, key);
	if (yyjson_is_uint(v))
		return yyjson_get_uint(v);
	return 0;
}

bool field_bool(yyjson_val *object, const char *key)
{
	return yyjson_get_bool(yyjson_obj_get(object, key));
}

unsigned fields_widest(yyjson_val *list, const char *key, const char *header)
{
	unsigned most = text_columns(header);
	size_t i, n;
	yyjson_val *v;
	yyjson_arr_foreach(list, i, n, v)
	{
		unsigned columns = text_columns(field_str(v, key));
		most = columns > most ? columns : most;
	}
	return most;
}
