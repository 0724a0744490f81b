/* The time for updates, from text and against a clock. The conductor of an update. */
#include "update/window.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"

#define DAY         86400
#define WEEK        7
#define EVERY_DAY   0x7f
#define THURSDAY    3 /* 1970-01-01 */
#define LETTERS     3 /* of a day's name */
#define DAY_MINUTES (24 * 60)

static const char names[WEEK][LETTERS + 1] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/* The day at *s, which goes behind it; -1: none. */
static int take_day(const char **s)
{
	for (int i = 0; i < WEEK; i++) {
		if (strncmp(*s, names[i], LETTERS) == 0) {
			*s += LETTERS;
			return i;
		}
	}
	return -1;
}

/* "mon-fri,sun " at *s, which goes behind the blank. */
static int take_days(const char **s, uint8_t *days)
{
	*days = 0;
	for (;;) {
		int from = take_day(s), to = from;
		if (from >= 0 && **s == '-') {
			(*s)++;
			to = take_day(s);
		}
		if (from < 0 || to < 0)
			return -1;
		*days |= (uint8_t)(1u << to);
		for (int i = from; i != to; i = (i + 1) % WEEK) /* "fri-mon" is four days */
			*days |= (uint8_t)(1u << i);
		if (*(*s)++ != ',')
			return (*s)[-1] == ' ' ? 0 : -1;
	}
}

static int take_two(const char **s, unsigned below, unsigned *out)
{
	const char *p = *s;

	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return -1;
	*out = (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
	*s += 2;
	return *out < below ? 0 : -1;
}

static int take_time(const char **s, char behind, uint16_t *out)
{
	unsigned hour, minute;

	if (take_two(s, 24, &hour) < 0 || *(*s)++ != ':' || take_two(s, 60, &minute) < 0 || **s != behind)
		return -1;
	if (behind)
		(*s)++;
	*out = (uint16_t)(hour * 60 + minute);
	return 0;
}

int window_parse(struct window *w, const char *text, struct err *e)
{
	struct window fresh = {.days = EVERY_DAY};
	const char *s = text;

	if (text[0] == '\0' || str_eq(text, "any")) {
		*w = (struct window){.any = true};
		return 0;
	}
	if (((*s < '0' || *s > '9') && take_days(&s, &fresh.days) < 0) || take_time(&s, '-', &fresh.from) < 0 ||
	    take_time(&s, '\0', &fresh.to) < 0 || fresh.from == fresh.to)
		return err_set(e, EINVAL,
		               "'%.40s' is no time for updates; write 'any', '03:00-05:00' or "
		               "'mon-fri,sun 03:00-05:00'",
		               text);
	*w = fresh;
	return 0;
}

/* Whole days since 1970, rounded down also before that. */
static int64_t day_of(int64_t t)
{
	return t / DAY - (t % DAY < 0);
}

static bool has_day(const struct window *w, int64_t day)
{
	int64_t weekday = ((day + THURSDAY) % WEEK + WEEK) % WEEK;

	return w->days >> weekday & 1;
}

struct window_span window_next(int64_t now, const struct window *w, int32_t offset)
{
	struct window_span span = {.from = now, .to = INT64_MAX};
	int64_t minutes = w->to > w->from ? w->to - w->from : w->to - w->from + DAY_MINUTES;
	int64_t today = day_of(now + offset);

	if (w->any)
		return span;
	/* From yesterday, whose window may still be open, to the same day of next week. */
	for (int64_t day = today - 1; day <= today + WEEK; day++) {
		span.from = day * DAY + w->from * 60L - offset;
		span.to = span.from + minutes * 60;
		if (has_day(w, day) && span.to > now)
			break;
	}
	return span;
}
