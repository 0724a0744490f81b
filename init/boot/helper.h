/* Short-lived children of PID 1 itself: `hearth ROLE ARGUMENT...` with a deadline, for what may block (writing to a
 * disk, unmounting). Their stderr is the kernel log. */
#ifndef HEARTH_BOOT_HELPER_H
#define HEARTH_BOOT_HELPER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "loop/child.h"
#include "loop/loop.h"

#define HELPER_ARGS 4

/* ok: ended with status 0 in time. */
typedef void helper_fn(bool ok, void *arg);

struct helper {
	struct loop *loop;
	struct child child;
	struct loop_timer deadline;
	bool running;
	char name[LIMIT_NAME];
	helper_fn *fn; /* may be NULL */
	void *arg;
};

/* words: the role and its arguments, NULL ended, copied by the kernel at exec. One run at a time per struct. */
MUST_CHECK int helper_run(struct helper *h, const char *const *words, uint32_t deadline_ms, struct err *e);

#endif
