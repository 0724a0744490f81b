/* The keep role: one record, written whole or not at all. Started by PID 1 (clock, shutdown); never reads what others
 * wrote, never writes a file that is not in its table. */
#include "node/keep.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/exit.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "board.h"
#include "host/ends.h"
#include "host/mounts.h"

#define CLOCK_MAX UINT64_C(253402300799) /* the end of the year 9999 */

typedef int check_fn(const char *value, char out[END_LINE], struct err *e);

/* A time before the image was built is no known good one. */
static int check_clock(const char *value, char out[END_LINE], struct err *e)
{
	uint64_t clock;

	if (str_u64(value, CLOCK_MAX, &clock) < 0 || clock < BOARD_EPOCH)
		return err_set(e, EINVAL, "clock: '%.32s' is no time; write seconds since 1970, %" PRIu64 " or later",
		               value, (uint64_t)BOARD_EPOCH);
	return str_format(out, END_LINE, "%" PRIu64 "\n", clock);
}

static int check_end(const char *value, char out[END_LINE], struct err *e)
{
	struct end n;
	struct buf b;

	buf_init(&b, out, END_LINE);
	if (end_parse(&n, value) < 0)
		return err_set(e, EINVAL, "end: '%.64s' is no end of a run; see host/ends.h", value);
	return end_format(&n, &b, e);
}

static const struct {
	const char *name, *path;
	check_fn *check;
} records[] = {
	{"clock", PATH_STATE_CLOCK, check_clock},
	{"end", PATH_STATE_LAST, check_end},
};

int keep_record(const char *name, const char *value, struct err *e)
{
	char line[END_LINE];

	for (size_t i = 0; i < COUNT_OF(records); i++) {
		if (!str_eq(name, records[i].name))
			continue;
		if (records[i].check(value, line, e) < 0)
			return -1;
		/* Below an absent mount lies the read-only root: say what is the matter, not "read-only". */
		if (!mounts_is_mounted(PATH_STATE))
			return err_set(e, EROFS, "%s: " PATH_STATE " is not mounted", name);
		return file_replace(records[i].path, line, strlen(line), 0644, e);
	}
	return err_set(e, EINVAL, "no record '%.32s'; there are: clock, end", name);
}

int keep_main(int argc, char **argv)
{
	struct err e;

	if (argc != 3) {
		log_errx("keep", "usage: hearth keep clock SECONDS | hearth keep end LINE");
		return EXIT_USAGE;
	}
	if (keep_record(argv[1], argv[2], &e) == 0)
		return 0;
	log_errx("keep", "%s", e.text);
	return e.code == EINVAL ? EXIT_USAGE : 1;
}
