/* What typed lines do in a console session: `clear`, the question before a reboot, logs and events that are followed,
 * the kubeconfig, the two halves of the status screen; every other command goes to PID 1 as it is and its answer to
 * console/render. */
#ifndef HEARTH_CONSOLE_COMMANDS_H
#define HEARTH_CONSOLE_COMMANDS_H

#include "console/session.h"

/* line: as typed, in mode `prompt`. */
void commands_run(struct session *s, const char *line);
/* The answer to the question that commands_run asked, in mode `ask`. */
void commands_confirm(struct session *s, const char *answer);
void commands_status(struct session *s);
/* In mode `events`: one event. */
void commands_event(struct session *s, const char *json);
/* In mode `log`: the terminal has room again. */
void commands_room(struct session *s);

#endif
