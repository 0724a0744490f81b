/* Which events a person at the prompt is told about without asking: services that fail and come back, the system's own
 * steps (shutdown above all), who logs in as the owner or fails to. Stages and problems are told by progress.h, from
 * the status, where they stand in full. Pure. A service that crashes again and again is told at growing intervals. */
#ifndef HEARTH_CONSOLE_NOTICE_H
#define HEARTH_CONSOLE_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"

#define NOTICE_QUIET_MS      10000  /* after the first failure that was told */
#define NOTICE_QUIET_MOST_MS 600000 /* doubling up to here; forgotten after as long without failure */

struct notices {
	struct {
		char name[LIMIT_NAME];
		bool told;        /* its failure was told, its recovery was not */
		uint64_t last_ms; /* when a failure was told */
		uint64_t quiet_ms;
	} service[LIMIT_SERVICES];
	unsigned services;
};

enum notice_result {
	NOTICE_NONE,
	NOTICE_LINE,     /* a line was added */
	NOTICE_STOPPING, /* a line was added; shutdown has begun, and PID 1 writes its steps on the terminal itself */
	NOTICE_STATUS    /* a stage or problem: fetch the status and tell what is new in it */
};

void notice_init(struct notices *ns);
enum notice_result notice_event(struct notices *ns, const char *event, uint64_t now_ms, unsigned width,
                                struct buf *out);

#endif
