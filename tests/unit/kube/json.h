/* For tests: JSON written with single quotes, so that it can be read. */
#ifndef HEARTH_TESTS_UNIT_KUBE_JSON_H
#define HEARTH_TESTS_UNIT_KUBE_JSON_H

#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

static inline char *json_quoted(const char *text)
{
	char *copy = strdup(text);
	assert_non_null(copy);
	for (char *p = copy; *p; p++) {
		if (*p == '\'')
			*p = '"';
	}
	return copy;
}

/* The caller frees the document. */
static inline yyjson_doc *json_doc(const char *text)
{
	char *copy = json_quoted(text);
	yyjson_doc *doc = yyjson_read(copy, strlen(copy), 0);
	if (!doc)
		fail_msg("no JSON: %s", copy);
	free(copy);
	return doc;
}

#endif
