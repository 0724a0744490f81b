/* What the auth role gives up before it looks at a password: every system call that hashing and one answer do not need
 * (seccomp, default: the process is killed), descriptors but its three, files, other processes, and time. A mistake in
 * it, or in the library that hashes, can answer wrongly or not at all, and the owner role goes on (console/owner). */
#ifndef HEARTH_CONSOLE_AUTH_SANDBOX_H
#define HEARTH_CONSOLE_AUTH_SANDBOX_H

#include "base/err.h"

#define AUTH_PASSWORD 0 /* descriptors: a pipe to read, */
#define AUTH_LOG      2 /* one to write, */
#define AUTH_CHANNEL  3 /* and the channel to the owner role */

/* For good. The process is the user auth already. On an error it must end: it is neither in nor out. */
MUST_CHECK int auth_sandbox_enter(struct err *e);

#endif
