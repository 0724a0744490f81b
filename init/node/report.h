/* Tells PID 1 one fact from a daemon role, over PATH_CONTROL, without ever waiting.
 *
 * The last value set is what counts: it is sent once, and again whenever the connection is new (PID 1's socket was not
 * there yet, or it closed the connection). Setting the same again sends nothing. */
#ifndef HEARTH_NODE_REPORT_H
#define HEARTH_NODE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/fact.h"
#include "loop/loop.h"

#define REPORT_RETRY_MIN_MS 200  /* at boot the socket appears within moments */
#define REPORT_RETRY_MAX_MS 5000 /* later a failure is not going away quickly */

/* Caller's storage; report_init before use. */
struct report {
	struct loop *loop;
	struct loop_timer timer; /* next try */
	int fd;                  /* -1: not connected */
	uint32_t id;             /* of the last request */
	uint32_t retry_ms;
	bool due; /* the value is not with PID 1 yet */
	enum fact_value value;
	char name[LIMIT_NAME];
	char detail[LIMIT_DETAIL];
};

void report_init(struct report *r, struct loop *l, const char *fact);
/* detail is one sentence; what does not fit is cut. */
void report_set(struct report *r, enum fact_value v, const char *detail);
void report_fini(struct report *r);

#endif
