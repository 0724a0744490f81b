/* The one door: every console, the HTTP API and `hearth ctl` reach PID 1 through this table.
 *
 * A request is an argv ("restart", "web"). Rooms register their commands at start; who may call a
 * command is a mask in its row, so a reader sees every right in one place (`help` prints it).
 * The function writes one JSON object into `out` and returns 0, or -1 with a message for a person;
 * it must not block. Work that takes longer is started and reported as events. A command that another role answers
 * (boot/control) returns COMMAND_LATER and writes nothing. */
#ifndef HEARTH_CORE_COMMAND_H
#define HEARTH_CORE_COMMAND_H

#include "base/err.h"
#include "base/limits.h"
#include "format/json.h"

enum peer {
	PEER_LOCAL = 1 << 0,  /* root on this box: serial, screen, ctl */
	PEER_WEB = 1 << 1,    /* the web role */
	PEER_KUBE = 1 << 2,   /* the kube role: tells facts of its own, answers commands */
	PEER_UPDATE = 1 << 3, /* the update role: idem, and may restart the box into what it has installed */
	PEER_OWNER = 1 << 4, /* the owner role: answers commands, and passes on those of sessions that it has checked */
};

#define COMMAND_ARGS  10
#define COMMAND_LATER 1 /* of a command_fn: the answer comes by itself, or an error does */

struct request {
	enum peer peer;
	unsigned argc; /* without the command's own name */
	const char *argv[COMMAND_ARGS];
};

typedef int command_fn(const struct request *rq, struct json *out, void *arg, struct err *e);

struct command {
	const char *name;
	const char *args;  /* "NAME", "[NAME]", "" */
	const char *help;  /* one line */
	unsigned peers;    /* mask of enum peer */
	unsigned min, max; /* number of arguments */
	command_fn *fn;
	void *arg;
};

#define COMMAND_TABLE 48

struct commands {
	const struct command *row[COMMAND_TABLE];
	unsigned count;
	struct command help; /* row 0; so the table must stay where it was initialised */
};

void commands_init(struct commands *cs); /* holds "help" already */
/* rows: an array ended by name == NULL that outlives the table. */
MUST_CHECK int commands_register(struct commands *cs, const struct command *rows, struct err *e);
/* Splits a request message (NUL-separated words, the last one NUL-terminated), checks name, right and number
 * of arguments, calls. A word may be empty (not the first), may not hold control characters. Errors name the command
 * (an error of its function gets the name as prefix) and what would be right; *out is then to be thrown away, and so it
 * is with COMMAND_LATER. */
MUST_CHECK int command_run(struct commands *cs, enum peer peer, const char *msg, size_t len, struct json *out,
                           struct err *e);

#endif
