/* Names kept once: equal texts get the same pointer, which stays valid until all are freed. */
#ifndef HEARTH_KUBE_INTERN_H
#define HEARTH_KUBE_INTERN_H

#include <stddef.h>

#define INTERN_TEXTS 16384 /* slots of the index, a power of two */
#define INTERN_TEXT  254   /* 253 bytes of a name (RFC 1123) and the end */

struct intern_block;

struct intern {
	struct intern_block *blocks;
	const char **slot; /* the index; only while texts are added */
	unsigned count;
};

/* The text of len bytes, terminated; NULL: out of memory or more than INTERN_TEXTS / 2 texts. An all-zero struct is
 * ready. */
const char *intern_add(struct intern *n, const char *text, size_t len);
/* Frees the index: nothing is added any more, what is there stays. */
void intern_seal(struct intern *n);
void intern_free(struct intern *n);

#endif
