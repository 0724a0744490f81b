/* Writes JSON text into a struct buf: commas and escapes are taken care of, nesting is checked.
 * Output is ASCII-safe: control bytes and invalid UTF-8 come out as \u escapes (RFC 8259).
 * Reading JSON is for worker roles only, with yyjson. */
#ifndef HEARTH_FORMAT_JSON_H
#define HEARTH_FORMAT_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define JSON_DEPTH 8

struct json {
	struct buf *out;
	unsigned depth;
	bool comma[JSON_DEPTH]; /* this level already holds a value */
	bool broken;            /* misuse or nesting too deep: json_ok is false */
};

void json_init(struct json *j, struct buf *out);
/* key is NULL in lists and at the top. */
void json_open_object(struct json *j, const char *key);
void json_close_object(struct json *j);
void json_open_list(struct json *j, const char *key);
void json_close_list(struct json *j);
void json_string(struct json *j, const char *key, const char *value);
void json_int(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
/* All closed, nothing overflowed. */
bool json_ok(const struct json *j);

#endif
