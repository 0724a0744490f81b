/* What PID 1 does when it is itself broken (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS): it writes one line with
 * signal, address and instruction pointer to the kernel log (level 0, so pstore and the consoles get it), to
 * /dev/pmsg0 and to the consoles, and dies by that signal. The kernel then panics, keeps its log in pstore and restarts
 * the box after its panic timeout. The same signal sent by another process counts as well
 * (only root can send it) and names the sender. */
#ifndef HEARTH_BOOT_FAULT_H
#define HEARTH_BOOT_FAULT_H

#include "base/err.h"
#include "boot/say.h"

/* Installs the handlers on a stack of their own and opens what they write to. consoles: outlives the process. */
MUST_CHECK int fault_init(const struct say *consoles, struct err *e);

#endif
