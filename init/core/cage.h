/* What a role that reads bytes from outside gives up first: rights of a user, limits, system calls. The pieces; which
 * and in which order is the role's own (console/web_sandbox, console/auth_sandbox, update/worker).
 *
 * A filter is a list of what stays allowed; everything else ends the process. */
#ifndef HEARTH_CORE_CAGE_H
#define HEARTH_CORE_CAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define CAGE_CALLS 160 /* rows of a filter at most */
#define CAGE_TESTS 2

/* A look at argument `arg` (0 ..): what of its low half is in the mask has to be the value, or, with differs, anything
 * else. The low half, as that is all the calls in question take. mask 0: no test. */
struct cage_test {
	uint8_t arg;
	bool differs;
	uint32_t mask, value;
};

/* A system call that stays allowed while its arguments pass all tests of a row; of several rows, any one. */
struct cage_call {
	uint16_t nr;
	struct cage_test test[CAGE_TESTS];
};

#define CAGE_IS(arg, n)                                                                                                \
	{                                                                                                              \
		(arg), false, ~0u, (n)                                                                                 \
	}
#define CAGE_IS_NOT(arg, n)                                                                                            \
	{                                                                                                              \
		(arg), true, ~0u, (n)                                                                                  \
	}
#define CAGE_NONE_OF(arg, bits)                                                                                        \
	{                                                                                                              \
		(arg), false, (bits), 0                                                                                \
	}

struct cage_filter {
	const uint16_t *allowed; /* whatever the arguments are */
	size_t count;
	const struct cage_call *with;
	size_t with_count;
};

struct cage_limit {
	int what; /* RLIMIT_... */
	uint64_t max;
	const char *name;
};

/* uid and gid of a user of PATH_PASSWD. Root is refused. */
MUST_CHECK int cage_find_user(const char *user, uid_t *uid, gid_t *gid, struct err *e);
MUST_CHECK int cage_limits(const struct cage_limit *limits, size_t n, struct err *e);
/* No new privileges, nobody may look into the process, and the filter. For good. After a change of user, which would
 * clear some of it. */
MUST_CHECK int cage_close(const struct cage_filter *f, struct err *e);

#endif
