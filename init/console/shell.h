/* A whole console session over one terminal: starts and ends it, tells the boot and events, takes keys. */
#ifndef HEARTH_CONSOLE_SHELL_H
#define HEARTH_CONSOLE_SHELL_H

#include "console/session.h"

/* path: PID 1's control socket, must outlive the session. t is initialised; its hooks are taken. When the terminal
 * hangs up, the loop is told to quit. */
void shell_init(struct session *s, struct loop *l, struct tty *t, const char *path);
void shell_fini(struct session *s);
/* The terminal may have another size. */
void shell_resize(struct session *s);

#endif
