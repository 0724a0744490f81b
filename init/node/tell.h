/* Tells PID 1 one fact and waits for its answer: for one-shot roles, which may block. (Daemons use node/report.) */
#ifndef HEARTH_NODE_TELL_H
#define HEARTH_NODE_TELL_H

#include "base/err.h"
#include "core/fact.h"

#define TELL_TRIES   3
#define TELL_WAIT_MS 5000 /* each; PID 1 answers within milliseconds unless something is very wrong */

/* detail is one sentence; what does not fit is cut. */
MUST_CHECK int tell_fact(const char *name, enum fact_value v, const char *detail, struct err *e);

#endif
