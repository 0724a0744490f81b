/* What the role tells PID 1: named facts, over its control channel (descriptor 3), without ever waiting.
 *
 * The last value of each fact counts. Changes are sent together, at most every FACTS_EVERY_MS; a channel that is full
 * is tried again. Without a channel (a test, a hand) they go to the log. */
#ifndef HEARTH_KUBE_FACTS_H
#define HEARTH_KUBE_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/fact.h"
#include "kube/apply.h"
#include "loop/loop.h"

#define FACTS_EVERY_MS 200
#define FACTS_SOON_MS  50               /* several changes of one event go together */
#define FACTS          (ITEMS_APPS + 8) /* one per app, and those of the role itself */

struct kfact {
	char name[LIMIT_NAME];
	enum fact_value value;
	bool due; /* PID 1 does not know it yet */
	char detail[LIMIT_DETAIL];
};

struct kfacts {
	struct loop *loop;
	int chan; /* -1: none */
	uint32_t id;
	struct loop_timer timer;
	uint64_t sent; /* clock_ms of the last batch */
	unsigned count;
	struct kfact fact[FACTS];
};

/* chan stays the caller's, who reads the answers from it. */
void kfacts_init(struct kfacts *f, struct loop *l, int chan);
/* detail is one sentence; what does not fit is cut. */
void kfacts_set(struct kfacts *f, const char *name, enum fact_value v, const char *detail);
/* "app-NAME"; what may not stand in the name of a fact becomes '-', what does not fit is cut. */
void kfacts_app_name(const char *app, char name[LIMIT_NAME]);
void kfacts_fini(struct kfacts *f);

#endif
