/* What is wrong right now, as sentences for people: bounded, without doubles, in the order of their appearance.
 * A problem of a *source* ("root-intact", "settings", "" for none) is replaced by the next one of that source and can
 * be cleared; those without a source (refused service files) stay until the next boot. */
#ifndef HEARTH_BOOT_PROBLEM_H
#define HEARTH_BOOT_PROBLEM_H

#include <stdbool.h>

#include "base/err.h"
#include "base/limits.h"
#include "core/event.h"

#define PROBLEMS 32

struct problem {
	char source[LIMIT_NAME];
	char text[ERR_TEXT];
};

struct problems {
	struct problem list[PROBLEMS];
	unsigned count;
	unsigned lost; /* did not fit */
};

/* True when the list changed; a text that is too long is kept as far as it goes. */
bool problem_add(struct problems *ps, const char *source, const char *text);
/* problem_add, and an event when the list changed. */
void problem_tell(struct problems *ps, struct events *evs, const char *source, const char *text);
bool problem_clear(struct problems *ps, const char *source);

#endif
