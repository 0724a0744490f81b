/* What the owner role is asked, and what it decides. The role keeps the one record (console/owner_record), the sessions
 * (console/owner_sessions) and the waits (console/owner_locks); the web role, which reads bytes of strangers, keeps
 * none of them and proves nothing by itself: it hands on what a browser sent. Words that come through PID 1:
 *
 *   session show TOKEN                 {"owner": is a password set?, "session": is TOKEN one?, "csrf": of it}
 *   session first ADDRESS CODE         + the new password: sets it, if CODE is the code; logs in
 *   session new ADDRESS                + the password: logs in, {"token", "csrf"}
 *   session end TOKEN CSRF             logs out
 *   session do TOKEN CSRF WORD...      (+ a descriptor) the command WORD... as the owner: goes to PID 1 as PEER_OWNER,
 *                                      and its answer back. Only commands of the list in owner_desk.c.
 *   owner reset                        at the box: forgets the password, ends all sessions, makes a new code
 *
 * "+ the password" is a descriptor that came with the request: a pipe with the password in it, which goes to the auth
 * role (console/auth) unread. At most one is checked at a time.
 *
 * A refusal is an error whose text begins with the HTTP status that it is for: "401 that is not the password". What is
 * said and how long it takes does not depend on which part of a try was wrong.
 *
 * Knows no sockets and no processes: hooks do what there is to do. */
#ifndef HEARTH_CONSOLE_OWNER_DESK_H
#define HEARTH_CONSOLE_OWNER_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "console/owner_code.h"
#include "console/owner_locks.h"
#include "console/owner_record.h"
#include "console/owner_sessions.h"
#include "core/proto.h"

struct desk_hooks {
	/* Ends the ask. */
	void (*answer)(uint32_t id, enum proto_kind kind, const char *text, size_t len, void *arg);
	/* Starts the auth role on that order; desk_hashed comes later, if this returns 0. */
	int (*hash)(const char *order, int password_fd, void *arg, struct err *e);
	/* Replaces the record that is kept. */
	int (*store)(const struct owner_record *r, void *arg, struct err *e);
	/* A command of our own to PID 1; its answer is no matter. */
	void (*tell)(unsigned argc, const char *const *argv, void *arg);
	/* A command of a session to PID 1; its answer ends the ask. fd: that goes with it, -1: none. */
	int (*pass)(uint32_t id, unsigned argc, const char *const *argv, int fd, void *arg, struct err *e);
	void *arg;
};

struct desk {
	struct desk_hooks hooks;
	struct owner_record record;
	struct owner_sessions sessions;
	struct owner_locks locks;
	unsigned resets;
	struct {             /* the one password that is checked */
		uint32_t id; /* 0: none */
		bool first;
		unsigned resets; /* as it was at the start */
		struct owner_code code;
		char address[OWNER_ADDRESS];
	} job;
};

void desk_init(struct desk *d, const struct desk_hooks *hooks, struct owner_limits limits);
/* The record as it was kept; tells PID 1. */
void desk_open(struct desk *d, const struct owner_record *r);
/* Makes a new code and keeps it. why: for the consoles. */
MUST_CHECK int desk_new_code(struct desk *d, const char *why, struct err *e);
/* A request: argv[0] is its first word. fd: came with it, -1: none; stays the caller's. */
void desk_ask(struct desk *d, uint32_t id, unsigned argc, const char *const *argv, int fd);
/* What the auth role replied; NULL: it ended without a word. */
void desk_hashed(struct desk *d, const char *reply);

#endif
