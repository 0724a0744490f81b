/* PID 1's own commands: the table of what the consoles, the HTTP API and `hearth ctl` can ask for. */
#ifndef HEARTH_BOOT_COMMANDS_H
#define HEARTH_BOOT_COMMANDS_H

#include "boot/box.h"

/* Registers the rows with box->commands; they keep a pointer to box. */
MUST_CHECK int commands_install(struct box *box, struct err *e);

#endif
