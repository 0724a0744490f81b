/* Reading PID 1's answers with yyjson: members by name, with a neutral value when they are absent or of another type,
 * so that an older console shows a newer answer and the other way round. Values are borrowed from the document. */
#ifndef HEARTH_CONSOLE_FIELDS_H
#define HEARTH_CONSOLE_FIELDS_H

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

/* A document whose root is an object, or NULL; free with yyjson_doc_free. */
yyjson_doc *fields_read(const char *json);
const char *field_str(yyjson_val *object, const char *key); /* "" */
uint64_t field_u64(yyjson_val *object, const char *key);    /* 0 */
bool field_bool(yyjson_val *object, const char *key);       /* false */
/* Columns of the widest member `key` of a list's objects, or of the header. */
unsigned fields_widest(yyjson_val *list, const char *key, const char *header);

#endif
