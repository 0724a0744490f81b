/* A role's end of its control channel (descriptor 3), for roles that answer commands: what PID 1 asks, and what it
 * replies to the role's own requests, come in here; answers and requests go out. What they mean is the role's own.
 * Never waits: a channel that is full loses an answer, and PID 1 gives that ask up after a while and says so. */
#ifndef HEARTH_CORE_INBOX_H
#define HEARTH_CORE_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "core/command.h"
#include "core/proto.h"
#include "loop/loop.h"

#define INBOX_WORDS (COMMAND_ARGS + 1)

/* All of it is valid until the hook returns. */
struct inbox_ask {
	uint32_t id;
	unsigned argc; /* at least 1 */
	const char *argv[INBOX_WORDS];
	const char *words; /* the same as one text, each word ended by NUL */
	size_t len;
	int fd; /* came with it; -1: none */
};

struct inbox_hooks {
	/* To be answered once, now or later. */
	void (*ask)(const struct inbox_ask *a, void *arg);
	/* False: it answers nothing that was waited for; then a refusal is logged. NULL: as if false. */
	bool (*reply)(const struct proto_reply *r, void *arg);
	void *arg;
};

struct inbox {
	struct loop *loop;
	int chan;         /* -1: none */
	const char *room; /* in log lines */
	struct inbox_hooks hooks;
	char data[LIMIT_REPLY + 1]; /* what came; wiped after the hook: there are tokens among it */
	char frame[LIMIT_REPLY];    /* what goes; likewise */
};

/* chan is the caller's; -1: nothing will come (a test, a hand). When PID 1 closes it the loop quits. */
MUST_CHECK int inbox_init(struct inbox *in, struct loop *l, int chan, const char *room, const struct inbox_hooks *h,
                          struct err *e);
void inbox_fini(struct inbox *in);
/* Ends an ask. text may lie in a hook's words. What does not fit is cut. */
void inbox_answer(struct inbox *in, uint32_t id, enum proto_kind kind, const char *text, size_t len);
/* The same with PROTO_ERROR and one sentence. */
void inbox_refuse(struct inbox *in, uint32_t id, const char *why);
/* A command of the role's own to PID 1. id: no other one that is under way, chosen by the role. fd: goes with it, stays
 * the caller's; -1: none. */
MUST_CHECK int inbox_request(struct inbox *in, uint32_t id, unsigned argc, const char *const *argv, int fd,
                             struct err *e);

#endif
