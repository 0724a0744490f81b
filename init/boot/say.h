/* Plain lines on the box's consoles, from PID 1 itself: boot progress until the console services own the terminals,
 * and every step of a shutdown. Never blocks: a terminal that takes nothing loses the line. */
#ifndef HEARTH_BOOT_SAY_H
#define HEARTH_BOOT_SAY_H

#include <stdbool.h>

#include "base/err.h"

#define SAY_CONSOLES 4

struct say {
	int fd[SAY_CONSOLES];
	unsigned count;
	bool quiet; /* console services show it better */
};

/* Puts path, or else /dev/null, on descriptors 0, 1 and 2. An initramfs has no device nodes, so the kernel could give
 * PID 1 none: they must be taken before any other open gets their numbers. */
void say_take_standard(const char *path);
/* Opens what the kernel names as its consoles (/sys/class/tty/console/active), else /dev/console. May be called again.
 */
void say_open(struct say *s);
/* A line, unless quiet. */
void say(struct say *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A line in any case. */
void say_loud(struct say *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
