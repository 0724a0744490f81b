/* What a plain YAML scalar is: the JSON token for it. Pure.
 *
 * The rules are those of go-yaml v2, which kubectl reads manifests with, but for words that YAML 1.1 and 1.2 read
 * differently: those are YAMLTYPE_UNCLEAR, for the caller to refuse. Numbers longer than YAMLTYPE_LONGEST characters
 * are strings. Integers keep all their digits; a fraction that is a whole number ("1.0", "1e3") is written as one,
 * since the API server takes no "1.0" for an integer field. */
#ifndef HEARTH_FORMAT_YAMLTYPE_H
#define HEARTH_FORMAT_YAMLTYPE_H

#include <stddef.h>

#include "base/buf.h"

#define YAMLTYPE_LONGEST 63

enum yamltype {
	YAMLTYPE_STRING,  /* nothing is written */
	YAMLTYPE_UNCLEAR, /* yes, no, on, off, y, n, .inf, .nan: nothing is written */
	YAMLTYPE_NULL,
	YAMLTYPE_BOOL,
	YAMLTYPE_NUMERIC,
};

enum yamltype yamltype_write(const char *text, size_t len, struct buf *out);

#endif
