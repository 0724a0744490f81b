/* Writes JSON text into a struct buf: commas and escapes are taken care of, nesting is checked.
 * Output is ASCII: control and all other characters come out as \u escapes (RFC 8259), a byte that is no UTF-8 as
 * U+FFFD. Reading JSON is for worker roles only, with yyjson. */
#ifndef HEARTH_FORMAT_JSON_H
#define HEARTH_FORMAT_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define JSON_DEPTH 8

struct json {
	struct buf *out;
	unsigned depth;
	bool comma[JSON_DEPTH + 1]; /* this level already holds a value; level 0 is the top */
	bool list[JSON_DEPTH];      /* the open level is a list, else an object */
	bool broken;                /* misuse or nesting too deep: nothing more is written, json_ok is false */
};

void json_init(struct json *j, struct buf *out);
/* key is NULL in lists and at the top. */
void json_open_object(struct json *j, const char *key);
void json_close_object(struct json *j);
void json_open_list(struct json *j, const char *key);
void json_close_list(struct json *j);
/* A NULL value is written as null. */
void json_string(struct json *j, const char *key, const char *value);
void json_int(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
/* One value, all closed, nothing overflowed. */
bool json_ok(const struct json *j);

#endif
