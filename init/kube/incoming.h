/* The bytes of an answer while they come: a whole body, or one line at a time. Bounded, grows by doubling, and holds
 * nothing between lines. Pure but for the memory it takes. */
#ifndef HEARTH_KUBE_INCOMING_H
#define HEARTH_KUBE_INCOMING_H

#include <stdbool.h>
#include <stddef.h>

#define INCOMING_PAD 4 /* zero bytes behind a body or a line, for a reader in place (yyjson) */

/* Zero-initialise, with max set; incoming_free when done. */
struct incoming {
	size_t max; /* bytes of the body, or of one line */
	char *data; /* NULL while empty; else followed by INCOMING_PAD zero bytes */
	size_t len;
	size_t cap;
	size_t seen; /* bytes known to have no newline */
};

enum incoming_result { INCOMING_OK, INCOMING_TOO_LARGE, INCOMING_MEMORY, INCOMING_STOPPED };

/* line is writable and followed by INCOMING_PAD zero bytes. False: no more lines, please. */
typedef bool incoming_line_fn(char *line, size_t len, void *arg);

enum incoming_result incoming_body(struct incoming *in, const char *p, size_t n);
/* Hands over every line that has become whole, without its newline; empty ones are left out. */
enum incoming_result incoming_lines(struct incoming *in, const char *p, size_t n, incoming_line_fn *fn, void *arg);
/* At the end: the line that has no newline, if there is one. */
void incoming_rest(struct incoming *in, incoming_line_fn *fn, void *arg);
/* Forgets the bytes and gives back the memory. */
void incoming_free(struct incoming *in);

#endif
