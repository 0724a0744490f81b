/* Readiness, the service's side: a program started with `ready: notify` says once that it can be used. */
#ifndef HEARTH_BASE_READY_H
#define HEARTH_BASE_READY_H

/* Writes READY=1 to the descriptor that NOTIFY_FD names and closes it; later calls, and calls of a program that was
 * started otherwise, do nothing. A failure is logged. */
void ready_say(const char *role);

#endif
