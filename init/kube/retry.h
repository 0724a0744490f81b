/* What to do after an answer of the API server, and how long to wait. Pure. */
#ifndef HEARTH_KUBE_RETRY_H
#define HEARTH_KUBE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "kube/call.h"

#define RETRY_BASE_MS  250   /* the first wait is between 0 and this */
#define RETRY_CAP_MS   30000 /* and no later one is longer */
#define RETRY_FLOOR_MS 50    /* chance may not make a busy loop */
#define RETRY_AFTER_S  60    /* more is not believed of Retry-After */

enum retry_what {
	RETRY_DONE,     /* 2xx, 304: it worked */
	RETRY_LATER,    /* wait, then the same call again */
	RETRY_LOGIN,    /* read the credentials again, open the client anew, then as RETRY_LATER */
	RETRY_RELIST,   /* 410: what we know is too old: list, then watch from there */
	RETRY_MISSING,  /* 404: the object, its namespace or its kind is not there */
	RETRY_CONFLICT, /* 409: somebody else's field, or a version that has moved on */
	RETRY_GIVE_UP,  /* the same call would be refused for ever: report it */
};

struct retry_rule {
	enum retry_what what;
	bool tell;        /* a person should hear of it at once, even when it is tried again */
	const char *text; /* what it means, for a message: "the API server does not answer" */
};

/* Any combination has a rule; never NULL. */
const struct retry_rule *retry_rule(enum kclient_fault fault, int status);

/* One per thing that is tried: zero-initialise, retry_reset when it worked. */
struct retry {
	unsigned tries; /* in a row, without success */
};

/* Milliseconds to wait before the next try, and counts it: exponential with full jitter, but not before Retry-After
 * (capped at RETRY_AFTER_S, some jitter behind it). random: any bits. */
uint64_t retry_next_ms(struct retry *r, unsigned retry_after_s, uint32_t random);
void retry_reset(struct retry *r);

#endif
