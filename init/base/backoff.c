/* Exponential back-off. Whoever tries again. */
#include "base/backoff.h"

#define DOUBLINGS 16 /* past any cap long before */

uint64_t backoff_next_ms(const struct backoff_rule *r, unsigned *tries, unsigned after_s, uint32_t random)
{
	uint64_t ceiling = (uint64_t)r->base_ms << (*tries < DOUBLINGS ? *tries : DOUBLINGS);
	uint64_t after = (uint64_t)(after_s < r->after_s ? after_s : r->after_s) * 1000;

	if (*tries < DOUBLINGS)
		(*tries)++;
	if (ceiling > r->cap_ms)
		ceiling = r->cap_ms;
	uint64_t wait = random % (ceiling + 1);
	if (wait < r->floor_ms)
		wait = r->floor_ms;
	return wait >= after ? wait : after + random % (r->base_ms + 1ULL);
}
