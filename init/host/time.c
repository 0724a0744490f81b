/* The clock's floor: pure choice, small reads, and setting the clock forward. PID 1 runs it at start and when the
 * state partition is there. It must never set the clock back. */
#include "host/time.h"

#include <errno.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "base/sys.h"

/* The year 9999: what RFC 3339 can still show. */
#define TIME_MAX INT64_C(253402300799)

static const char *const source_names[TIME_SOURCES] = {
	[TIME_BUILD] = "build",
	[TIME_KNOWN] = "last known",
	[TIME_RTC] = "battery clock",
};

const char *time_source_name(enum time_source s)
{
	return (unsigned)s < TIME_SOURCES ? source_names[s] : "unknown";
}

int64_t time_latest(const struct time_floor *f, enum time_source *which)
{
	int64_t best = 0;
	*which = TIME_BUILD;
	for (unsigned i = 0; i < TIME_SOURCES; i++) {
		if (f->at[i] <= best)
			continue;
		best = f->at[i];
		*which = (enum time_source)i;
	}
	return best;
}

int time_parse(const char *text, int64_t *out)
{
	char digits[24];
	uint64_t v = 0;
	size_t n = 0;
	while (text[n] >= '0' && text[n] <= '9')
		n++;
	if (n == 0 || n >= sizeof(digits) || (text[n] != '\0' && !str_eq(text + n, "\n")))
		return -1;
	if (str_format(digits, sizeof(digits), "%.*s", (int)n, text) < 0 || str_u64(digits, TIME_MAX, &v) < 0)
		return -1;
	*out = (int64_t)v;
	return 0;
}

int time_read(const char *path, int64_t *out, struct err *e)
{
	char text[64];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	if (file_read(path, &b, e) < 0)
		return -1;
	return time_parse(text, out) < 0 ? err_set(e, EINVAL, "%s: not a time in seconds", path) : 0;
}

int time_raise(int64_t floor, bool *raised, struct err *e)
{
	*raised = false;
	if (clock_wall() >= floor)
		return 0;
	if (sys_clock_set(floor) < 0)
		return err_sys(e, "set the clock");
	*raised = true;
	return 0;
}
