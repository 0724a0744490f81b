/* Log pipes: one per service, made at its first start and kept for good. PID 1 owns both ends, so neither a restart of
 * the service nor one of the log service loses a line or breaks the pipe; what nobody reads waits in it (64 KiB), and
 * a service that writes more waits until somebody reads again. */
#ifndef HEARTH_SERVICE_OUTPUT_H
#define HEARTH_SERVICE_OUTPUT_H

#include "service/model.h"

/* Sets s->log_fd and s->log_read_fd, once; with services.log set it asks that function instead. On failure both are
 * -1, the service runs with its output thrown away, and the next start tries again. */
MUST_CHECK int output_open(struct service *s, struct err *e);
/* Sends "pipe NAME" with the read end for every pipe that the log service at the other end of chan does not have.
 * -1 (EAGAIN: it is slow, call again later). Cheap when there is nothing to send. */
MUST_CHECK int output_send(struct services *ss, int chan, struct err *e);
/* The log service was started anew: it has nothing. */
void output_forget(struct services *ss);

#endif
