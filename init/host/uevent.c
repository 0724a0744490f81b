/* The kernel's device events. Used by stage 1 (waits for its disk) and by rooms that look again when hardware came or
 * went. Never looks into a message. */
#include "host/uevent.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "base/sys.h"

#define GROUP_KERNEL 1 /* what the kernel itself sends; udev's copies are group 2 */

int uevent_open(struct err *e)
{
	struct sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_groups = GROUP_KERNEL};
	int fd = sys_socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

	if (fd < 0)
		return err_sys(e, "device events: socket");
	if (sys_bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0) {
		err_sys(e, "device events: bind");
		sys_close(fd);
		return -1;
	}
	return fd;
}

bool uevent_drain(int fd)
{
	char byte;
	bool some = false;

	for (unsigned i = 0; i < UEVENT_DRAIN; i++) {
		struct iovec iov = {.iov_base = &byte, .iov_len = sizeof(byte)};
		struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
		if (sys_recvmsg(fd, &m, MSG_DONTWAIT) >= 0 || errno == ENOBUFS)
			some = true; /* cut to one byte: the rest of the message is gone with it */
		else if (errno != EINTR)
			break;
	}
	return some;
}
