/* The clock's floor: the time that this box never starts before, found before any network is there.
 *
 * The floor is the latest of three: when the image was built, the last time known to be good (kept in the state
 * partition), and the battery clock. Each may be missing. The clock is only ever set forward here: a box whose battery
 * is dead still starts with a time at which its certificates are valid; NTP then does the rest, in both directions. */
#ifndef HEARTH_HOST_TIME_H
#define HEARTH_HOST_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum time_source { TIME_BUILD, TIME_KNOWN, TIME_RTC, TIME_SOURCES };

/* Seconds since 1970; 0 and below: not known. */
struct time_floor {
	int64_t at[TIME_SOURCES];
};

/* Pure. The latest one; *which names it. 0 when nothing is known (then *which is TIME_BUILD). */
int64_t time_latest(const struct time_floor *f, enum time_source *which);
/* "build", "last known", "battery clock": for the sentence on the console. */
const char *time_source_name(enum time_source s);
/* Pure. Decimal seconds, a newline may follow; 0 or -1. */
MUST_CHECK int time_parse(const char *text, int64_t *out);
/* Reads one such number from a small file (PATH_BUILD_EPOCH, PATH_SYS_RTC, PATH_STATE_CLOCK). */
MUST_CHECK int time_read(const char *path, int64_t *out, struct err *e);
/* Sets the clock when it is behind `floor`; *raised tells whether it did. Never sets it back. */
MUST_CHECK int time_raise(int64_t floor, bool *raised, struct err *e);

#endif
