/* A YAML document to compact JSON text, as a Kubernetes API server takes it. Pure: text in, text out; no memory is
 * taken beside libyaml's own.
 *
 * Every scalar gets the type that Kubernetes' own reader (sigs.k8s.io/yaml) gives it:
 * - quoted and block scalars are strings;
 * - plain ones: nothing, ~, null, Null, NULL are null; true, True, TRUE, false, False, FALSE booleans; decimal, 0x, 0o,
 * 0b and 0-led (octal) integers and decimal fractions are numbers (format/yamltype); all others are strings, dates too.
 * - yes, no, on, off, y, n and their capital forms are booleans to some readers and strings to others, so a plain one
 *   is an error, as key too; kustomize quotes them. The same with .inf and .nan, which JSON cannot say.
 * A key is always a string; what would be no string as a value stays as it is written ("1": ..., "true": ...).
 *
 * Errors read "FILE:LINE: what; what to do": anchors, aliases, tags, merge keys, directives, a key twice in one
 * mapping, nesting deeper than YAMLJSON_DEPTH, more than YAMLJSON_KEYS keys in the mappings that are open at a time,
 * text that is not UTF-8, a NUL, a top that is no mapping, more JSON than the buffer holds. No recursion. */
#ifndef HEARTH_FORMAT_YAMLJSON_H
#define HEARTH_FORMAT_YAMLJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define YAMLJSON_DEPTH 64   /* an OpenAPI schema in a CRD goes to about 40 */
#define YAMLJSON_KEYS  4096 /* of the mappings from the top to where the reader stands */
#define YAMLJSON_OBJECT                                                                                                \
	(3 << 19)       /* 1.5 MiB: etcd takes no larger request; a buffer of one more byte takes every object */
#define YAMLJSON_PICK 4 /* keys in the path of a field that the caller wants to know */

/* One document of a stream. */
struct yamljson_doc {
	size_t at, len; /* bytes in the text, its "---" line included */
	int line;       /* 1-based, of its first byte */
};

/* Steps through the documents of a text: *d is the one behind the last (all zero, with line 1, before the first).
 * A document begins with a line "---" and ends before the next one; so it may be empty. `whole`: nothing follows the
 * text; else the last document is not there until the line that ends it is. False: none is left. */
bool yamljson_next(const char *text, size_t len, bool whole, struct yamljson_doc *d);

/* A piece of a scalar that gets another text. */
struct yamljson_piece {
	size_t at, len; /* in the scalar */
	const char *value;
	size_t value_len;
};

/* The first piece to replace in text: 1 and *p, 0: none, -1: a message without a place, which is given the file and
 * line. Called again with what stands behind a piece. A plain scalar that is one piece and
 * nothing else has the type that the value would have in its place, one that is more than the piece is a string. Keys
 * are asked for, too. */
typedef int yamljson_find_fn(const char *text, size_t len, struct yamljson_piece *p, void *arg, struct err *e);

/* A field that the caller wants to know, by its keys from the top; NULL ends them, none is the top itself. */
struct yamljson_pick {
	const char *key[YAMLJSON_PICK];
	size_t at, len; /* out: its JSON text within the buffer: a scalar, or the first byte of a mapping or list; 0:
	                   none */
	int line;
};

struct yamljson_key {
	uint32_t at, len; /* its JSON text within the buffer, without quotation marks */
	uint32_t hash;
	int line;
};

struct yamljson_level {
	bool list;
	unsigned keys;  /* of all levels above */
	unsigned count; /* values so far */
};

/* Storage of a conversion, about 66 KiB, free again afterwards. */
struct yamljson {
	struct yamljson_level level[YAMLJSON_DEPTH];
	struct yamljson_key key[YAMLJSON_KEYS];
};

struct yamljson_in {
	const char *file; /* name for messages */
	int line;         /* of the first byte of text in its file */
	const char *text; /* one document; need not be terminated */
	size_t len;
	yamljson_find_fn *find; /* NULL: scalars stay as they are */
	void *arg;
	struct yamljson_pick *pick;
	unsigned picks;
};

/* Writes the document behind what is in out. Nothing written: the document is empty. On an error out holds rubbish. */
MUST_CHECK int yamljson_convert(struct yamljson *y, const struct yamljson_in *in, struct buf *out, struct err *e);

#endif
