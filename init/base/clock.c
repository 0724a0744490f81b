/* Time for every role: milliseconds that only grow, and wall time to show and store.
 * It reads clocks through base/sys so that tests turn them by hand; it never sets one. */
#include "base/clock.h"

#include <string.h>
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

int64_t clock_wall_ms(void)
{
	return sys_clock_wall_ms();
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

void clock_format_ms(int64_t wall_ms, char *dst, size_t cap)
{
	char text[32];
	int64_t ms = wall_ms % 1000;
	int64_t wall = wall_ms / 1000;
	if (ms < 0) { /* before 1970: count up from the second below */
		ms += 1000;
		wall--;
	}
	clock_format(wall, text, sizeof(text));
	char *end = strchr(text, 'Z'); /* "unknown" has none */
	if (end)
		*end = '\0';
	if ((end ? str_format(dst, cap, "%s.%03dZ", text, (int)ms) : str_copy(dst, cap, text)) < 0 && cap > 0)
		dst[0] = '\0';
}
