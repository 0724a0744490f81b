/* What the web role gives up before it reads its first byte from outside: every file (an empty folder becomes its
 * root), every right (a user of its own, no way to gain any), every system call that serving open connections does not
 * need (seccomp, default: the process is killed), and unbounded resources. */
#ifndef HEARTH_CONSOLE_WEB_SANDBOX_H
#define HEARTH_CONSOLE_WEB_SANDBOX_H

#include <sys/types.h>

#include "base/err.h"

#define WEB_USER "web"

/* uid and gid of a user in the text of /etc/passwd (passwd(5)); 0 or -1. Root is refused. */
MUST_CHECK int web_sandbox_user(const char *passwd, const char *user, uid_t *uid, gid_t *gid, struct err *e);
/* All of it, in this order, for good. On an error the process must end: it is neither in nor out. */
MUST_CHECK int web_sandbox_enter(struct err *e);

#endif
