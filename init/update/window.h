/* When updates may be installed: a time of the day, on some days of the week. Pure.
 *
 *   any                       always (also "")
 *   03:00-05:00               every night
 *   sat,sun 22:00-04:00       over midnight: the days are those of the beginning
 *   mon-fri 01:30-02:00
 *
 * Times are local ones. Pure functions know no time zones, so the caller says how far local time is from UTC at the
 * moment (0: UTC). When that changes between now and the window (summer time), the answer is off by that hour, until it
 * is asked again. */
#ifndef HEARTH_UPDATE_WINDOW_H
#define HEARTH_UPDATE_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct window {
	bool any;
	uint8_t days;  /* bit 0: Monday ... bit 6: Sunday */
	uint16_t from; /* minutes since midnight */
	uint16_t to;   /* up to or below `from`: of the next day */
};

struct window_span {
	int64_t from, to; /* seconds since 1970, UTC: [from, to) */
};

MUST_CHECK int window_parse(struct window *w, const char *text, struct err *e);
/* The span that now lies in, else the next one. `any`: from now to INT64_MAX. offset: seconds east of UTC. */
struct window_span window_next(int64_t now, const struct window *w, int32_t offset);

#endif
