/* Time. Monotonic milliseconds order everything inside; wall time is only shown and stored. */
#ifndef HEARTH_BASE_CLOCK_H
#define HEARTH_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* CLOCK_BOOTTIME in ms: never goes back, counts suspend. Tests replace sys_clock_ms. */
uint64_t clock_ms(void);
/* CLOCK_REALTIME in whole seconds since 1970. */
int64_t clock_wall(void);
/* The same in milliseconds. */
int64_t clock_wall_ms(void);
/* RFC 3339 UTC, "2026-01-31T12:00:00Z"; cap >= 21. */
void clock_format(int64_t wall, char *dst, size_t cap);
/* With milliseconds, "2026-01-31T12:00:00.123Z"; cap >= 25. */
void clock_format_ms(int64_t wall_ms, char *dst, size_t cap);

#endif
