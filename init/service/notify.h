/* Readiness over a pipe, as s6 and dinit do it: the program writes the line "READY=1" to the descriptor that
 * NOTIFY_FD names. Other lines are passed over. The pipe is closed when the line was seen, so a program closes its end
 * after writing it. */
#ifndef HEARTH_SERVICE_NOTIFY_H
#define HEARTH_SERVICE_NOTIFY_H

#include "service/model.h"

#define NOTIFY_FD 4 /* in the child; 3 is the control channel */

/* Makes the pipe and watches its read end; returns the child's end (the caller closes it) or -1. The event IS_READY
 * is delivered through s->all->deliver. */
MUST_CHECK int notify_open(struct service *s, struct err *e);
/* Also when nothing is open. */
void notify_close(struct service *s);

#endif
