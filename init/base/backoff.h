/* How long to wait before the next try: exponential, with full jitter. Pure: knows no clock and no source of chance. */
#ifndef HEARTH_BASE_BACKOFF_H
#define HEARTH_BASE_BACKOFF_H

#include <stdint.h>

struct backoff_rule {
	uint32_t base_ms;  /* the first wait is between 0 and this */
	uint32_t cap_ms;   /* and no later one is longer */
	uint32_t floor_ms; /* chance may not make a busy loop */
	uint32_t after_s;  /* more is not believed of Retry-After */
};

/* Milliseconds, not before what the other side has asked for (after_s; 0: nothing) and some jitter behind that. Counts
 * the try in *tries: those in a row, without success. random: any bits. */
uint64_t backoff_next_ms(const struct backoff_rule *r, unsigned *tries, unsigned after_s, uint32_t random);

#endif
