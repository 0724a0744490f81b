/* The start of the box as lines for a person, made from successive `status` answers: each stage once when it ends, each
 * problem once and in full, and one line that says what is being waited for. Pure; it only remembers what it has said.
 *
 * When the first status says that booting is over (the console was restarted, or the box was quick), nothing in it is
 * told: the status screen shows it. */
#ifndef HEARTH_CONSOLE_PROGRESS_H
#define HEARTH_CONSOLE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"

#define PROGRESS_STAGES   32
#define PROGRESS_PROBLEMS 64

struct progress {
	struct {
		char name[LIMIT_NAME];
		char told; /* 0, 'o': ok, 'f': failed */
	} stage[PROGRESS_STAGES];
	unsigned stages;
	uint64_t problem[PROGRESS_PROBLEMS]; /* hashes of those told */
	unsigned problems;
	bool known;   /* a status was seen */
	bool booting; /* as of the last status */
};

void progress_init(struct progress *p);
/* lines: what is new, whole lines. waiting: one line without a line break, at most width columns, or nothing.
 * 0, or -1 when status is no JSON object. */
int progress_update(struct progress *p, const char *status, unsigned width, struct buf *lines, struct buf *waiting);

#endif
