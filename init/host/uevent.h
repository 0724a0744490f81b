/* The kernel's device events (NETLINK_KOBJECT_UEVENT), used as "something changed, look again": the content of a
 * message is never trusted or parsed, so a lost one costs nothing but time. Never blocks. */
#ifndef HEARTH_HOST_UEVENT_H
#define HEARTH_HOST_UEVENT_H

#include <stdbool.h>

#include "base/err.h"

/* A non-blocking, close-on-exec descriptor that is readable when a device came or went; the caller closes it. */
MUST_CHECK int uevent_open(struct err *e);
/* Takes what is there (at most UEVENT_DRAIN messages, so that a storm cannot hold the caller); true when there was
 * something, or when the kernel dropped messages because the queue was full. */
bool uevent_drain(int fd);

#define UEVENT_DRAIN 1024

#endif
