/* Requests that PID 1 has passed on to a role and that wait for its answer: whose they are, and how long yet.
 * Knows no sockets. Peers are told apart by address; a peer that goes must be forgotten before its place is used again.
 *
 * At most ASKS at a time, ASKS_EACH of one peer to one role: pages that wait for a slow role do not keep their own peer
 * from another one. Each ends once: with asks_take, or with `end` after ASKS_MS or when
 * the role has gone. Where the peer that asked has gone, an ask keeps its place until then, but nobody is told: so a
 * peer that asks and leaves over and over cannot pile up work for a role. */
#ifndef HEARTH_BOOT_ASKS_H
#define HEARTH_BOOT_ASKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "loop/loop.h"

#define ASKS      16
#define ASKS_EACH 4
#define ASKS_MS   23000

struct asks;

struct ask {
	struct asks *all;
	uint32_t id; /* with the role; 0: free */
	void *from;  /* peer that asked; NULL: gone */
	uint32_t from_id;
	const void *to;        /* the role's peer; NULL: gone */
	char name[LIMIT_NAME]; /* of the role */
	struct loop_timer timer;
};

/* Called from the loop; why is for a person. from may be dropped meanwhile. */
typedef void asks_end_fn(void *from, uint32_t from_id, const char *why, void *arg);

struct asks {
	struct loop *loop;
	asks_end_fn *end;
	void *arg;
	uint32_t last_id;
	struct ask ask[ASKS];
};

/* An all-zero struct with loop, end and arg is ready. Fills in from, to and name of *a; returns its place or NULL with
 * e. */
struct ask *asks_add(struct asks *as, void *from, uint32_t from_id, const void *to, const char *name, struct err *e);
/* The ask `id` of the role `to` is answered: true and the peer to tell (NULL: gone). False: no such ask (any more). */
bool asks_take(struct asks *as, uint32_t id, const void *to, void **from, uint32_t *from_id);
void asks_cancel(struct ask *a);
void asks_forget(struct asks *as, const void *peer);

#endif
