/* Time for every role: milliseconds that only grow, and wall time to show and store.
 * It reads clocks through base/sys so that tests turn them by hand; it never sets one. */
#include "base/clock.h"

#include <time.h>

#include "base/str.h"
#include "base/sys.h"

uint64_t clock_ms(void)
{
	return sys_clock_ms();
}

int64_t clock_wall(void)
{
	return sys_clock_wall();
}

void clock_format(int64_t wall, char *dst, size_t cap)
{
	time_t t = (time_t)wall;
	struct tm tm;
	/* A year beyond four digits means a broken clock; dst is cleared when even that does not fit. */
	int bad = !gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099;
	if (!bad)
		bad = str_format(dst, cap, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
		                 tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (bad && str_copy(dst, cap, "unknown") < 0 && cap > 0)
		dst[0] = '\0';
}
