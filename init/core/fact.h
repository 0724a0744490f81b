/* Named facts: what is known about the box, as on, off or unknown, with one sentence of detail.
 * Rooms that must not know each other meet here: one sets "data-mounted", another waits for it.
 * In memory only. One table per process, owned by main and passed by pointer. */
#ifndef HEARTH_CORE_FACT_H
#define HEARTH_CORE_FACT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"

enum fact_value { FACT_UNKNOWN, FACT_OFF, FACT_ON };

struct fact {
	char name[LIMIT_NAME]; /* str_is_name */
	enum fact_value value;
	uint64_t since; /* clock_ms of the last change of value */
	char detail[LIMIT_DETAIL];
};

struct facts;
/* Called after a value or detail changed, with the fact as it is now. May call fact_set: nested changes are delivered
 * after, in order. A fact that changes twice before its turn is delivered once, with the value from before the first
 * change: subscribers act on what is, not on edges. */
typedef void fact_fn(const struct fact *f, enum fact_value before, void *arg);

#define FACT_SUBSCRIBERS 8
#define FACT_QUEUE       LIMIT_FACTS /* each fact waits at most once: nothing can be lost */

struct facts {
	struct fact fact[LIMIT_FACTS];
	unsigned count;
	struct {
		fact_fn *fn;
		void *arg;
	} subscriber[FACT_SUBSCRIBERS];
	unsigned subscribers;
	struct {
		unsigned index;
		enum fact_value before;
	} queue[FACT_QUEUE];
	unsigned queued;
	bool delivering;
	bool full; /* said so already */
};

void facts_init(struct facts *fs);
/* Every change of any fact goes to every subscriber; subscribers filter. */
MUST_CHECK int facts_subscribe(struct facts *fs, fact_fn *fn, void *arg, struct err *e);
/* detail may be "" but not NULL; a longer one than LIMIT_DETAIL - 1 is cut and ends in "...". Setting the same value
 * and detail again is silent. A bad name is logged and dropped; a table that is full loses the fact and logs once. */
void fact_set(struct facts *fs, const char *name, enum fact_value v, const char *detail);
/* NULL for names never set. Valid as long as the table: facts are changed in place and never removed. */
const struct fact *fact_find(const struct facts *fs, const char *name);
/* FACT_UNKNOWN for names never set. */
enum fact_value fact_get(const struct facts *fs, const char *name);
const char *fact_value_name(enum fact_value v);

#endif
