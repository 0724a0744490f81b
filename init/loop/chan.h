/* Framed messages between processes: AF_UNIX SOCK_SEQPACKET, one send = one message, with an
 * optional descriptor (SCM_RIGHTS). Non-blocking; message sizes are bounded by the caller's buffer,
 * and a longer message is an error, never a cut one. */
#ifndef HEARTH_LOOP_CHAN_H
#define HEARTH_LOOP_CHAN_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* A listening socket at path (unlinked first), mode as given. Returns the fd or -1. */
MUST_CHECK int chan_listen(const char *path, mode_t mode, struct err *e);
MUST_CHECK int chan_accept(int listen_fd, struct err *e);
MUST_CHECK int chan_connect(const char *path, struct err *e);
MUST_CHECK int chan_pair(int fds[2], struct err *e);
/* 0, or -1 with code EAGAIN when the peer is slow. fd -1: none. len > 0: an empty message would read as the end. */
MUST_CHECK int chan_send(int chan, const void *data, size_t len, int fd, struct err *e);
/* Bytes received (> 0), 0 at end of stream, -1 on error (EAGAIN: nothing there; EMSGSIZE: did not fit).
 * *fd gets a passed descriptor (close-on-exec) or -1; NULL refuses descriptors: the kernel drops them and the message
 * arrives without. More than one descriptor is an error (EPROTO); all of them are closed. */
MUST_CHECK ssize_t chan_recv(int chan, void *data, size_t cap, int *fd, struct err *e);

#endif
