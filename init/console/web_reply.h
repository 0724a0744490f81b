/* One HTTP answer as bytes: a head that is built here, and a body that is borrowed or owned. It is taken piece by
 * piece, as fast as the client reads. Knows no sockets and no library. */
#ifndef HEARTH_CONSOLE_WEB_REPLY_H
#define HEARTH_CONSOLE_WEB_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define WEB_HEAD_MAX 1024

struct web_reply {
	char head[WEB_HEAD_MAX];
	size_t head_len;
	const char *body; /* borrowed from static data, or == owned */
	size_t body_len;
	size_t taken; /* bytes of head and body that are out */
	char *owned;  /* from malloc, freed by web_reply_drop; or NULL */
};

/* What goes into the head. */
struct web_top {
	int status;
	const char *type; /* content type */
	size_t len;       /* of the body that GET gets */
	bool keep;        /* the connection stays open */
	bool endless;     /* no length: the body lasts as long as the connection */
	const char *more; /* whole header lines for this answer, or NULL; never of a stranger's text */
};

/* Starts an answer: the head is built, the body is empty. */
MUST_CHECK int web_reply_start(struct web_reply *r, const struct web_top *top, struct err *e);
/* Sets a body that outlives the answer. */
void web_reply_borrow(struct web_reply *r, const char *body, size_t len);
/* Sets a copy of body; ENOMEM when there is no room. */
MUST_CHECK int web_reply_copy(struct web_reply *r, const char *body, size_t len, struct err *e);
/* Takes the next bytes, at most cap; 0: all are out. */
size_t web_reply_take(struct web_reply *r, unsigned char *dst, size_t cap);
bool web_reply_done(const struct web_reply *r);
/* Frees the body. The answer is empty then. */
void web_reply_drop(struct web_reply *r);

#endif
