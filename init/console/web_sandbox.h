/* What the web role gives up before it reads its first byte from outside: every file (an empty folder becomes its
 * root), every right (a user of its own, no way to gain any), every system call that serving open connections does not
 * need (seccomp, default: the process is killed), every use of the channel to PID 1 but messages, and unbounded
 * resources. */
#ifndef HEARTH_CONSOLE_WEB_SANDBOX_H
#define HEARTH_CONSOLE_WEB_SANDBOX_H

#include "base/err.h"

#define WEB_USER    "web"
#define WEB_CHANNEL 3 /* the descriptor of the channel to PID 1 */

/* All of it, in this order, for good. On an error the process must end: it is neither in nor out. */
MUST_CHECK int web_sandbox_enter(struct err *e);

#endif
