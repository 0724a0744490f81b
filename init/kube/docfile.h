/* Reads the documents of a YAML file one by one, with memory for the largest of them, not for the file. */
#ifndef HEARTH_KUBE_DOCFILE_H
#define HEARTH_KUBE_DOCFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "format/yamljson.h"

#define DOCFILE_DOCUMENT (4 << 20)    /* bytes of one: indentation makes it larger than its JSON */
#define DOCFILE_BYTES    (256u << 20) /* of a file: a place fits in 32 bits */

struct docfile {
	const char *path;
	int fd;
	bool end;   /* all is read */
	char *text; /* a part of the file */
	size_t len, cap;
	uint32_t base;           /* place of text in the file */
	struct yamljson_doc doc; /* in text */
};

struct docfile_doc {
	const char *text; /* valid until the next call */
	size_t len;
	uint32_t at; /* in the file */
	int line;
};

/* path must stay as long as f. */
MUST_CHECK int docfile_open(struct docfile *f, const char *path, struct err *e);
/* 1: the next document, which may be empty; 0: none is left; -1. */
MUST_CHECK int docfile_next(struct docfile *f, struct docfile_doc *d, struct err *e);
void docfile_close(struct docfile *f);

/* One document again: len bytes at `at` into text. A file that is shorter now is ESTALE. */
MUST_CHECK int docfile_again(const char *path, uint32_t at, char *text, size_t len, struct err *e);

#endif
