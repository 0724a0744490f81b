/* libyaml events to a bounded tree with line numbers. Pure: text in, tree out.
 *
 * The subset that configuration needs: mappings with scalar keys, sequences, scalars. Anchors,
 * aliases, tags, several documents, duplicate keys, nesting deeper than LIMIT_YAML_DEPTH and
 * more than LIMIT_YAML_NODES nodes are errors. Every error reads "FILE:LINE: what; what to do".
 * The tree borrows nothing from the text: all storage is in struct yaml, which one caller owns
 * (about 130 KiB, so static or short-lived; PID 1 keeps one, in service/def). */
#ifndef HEARTH_FORMAT_YAML_H
#define HEARTH_FORMAT_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/limits.h"

enum yaml_kind { YAML_SCALAR, YAML_MAP, YAML_LIST };

struct yaml_node {
	enum yaml_kind kind;
	int line;                /* 1-based */
	const char *key;         /* in a mapping; else NULL */
	const char *text;        /* scalar text; "" for null */
	struct yaml_node *first; /* first child, in file order */
	struct yaml_node *next;  /* next sibling */
};

struct yaml {
	char file[LIMIT_PATH]; /* name for messages */
	struct yaml_node node[LIMIT_YAML_NODES];
	size_t nodes;
	char text[LIMIT_FILE];
	size_t text_len;
};

/* Parses text; root gets the top node (a mapping; an empty file is an empty mapping). */
MUST_CHECK int yaml_parse(struct yaml *y, const char *file, const char *text, size_t len, struct yaml_node **root,
                          struct err *e);

/* One row of "which keys may stand here and what to do with each". */
struct yaml_key {
	const char *name; /* NULL ends the table */
	int (*set)(const struct yaml *y, const struct yaml_node *value, void *into, struct err *e);
	bool required;
};

/* Walks a mapping by the table: unknown key = error with "did you mean", missing required key = error. */
MUST_CHECK int yaml_walk(const struct yaml *y, const struct yaml_node *map, const struct yaml_key *keys, void *into,
                         struct err *e);
/* "FILE:LINE: message" into e; returns -1. */
int yaml_error(const struct yaml *y, const struct yaml_node *at, struct err *e, const char *fmt, ...) PRINTF_LIKE(4, 5);

#endif
