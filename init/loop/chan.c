/* Messages between our processes over AF_UNIX SOCK_SEQPACKET, with at most one descriptor each.
 * PID 1 and every role that talks to it run this. It never blocks, and never keeps a descriptor nobody asked for. */
#include "loop/chan.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/str.h"
#include "base/sys.h"

#define CHAN_TYPE (SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK)

/* Room for one descriptor. Its padding has room for a second one, so a receiver must count. */
union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr head; /* for the alignment */
};

static int address(struct sockaddr_un *a, const char *path, struct err *e)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (str_copy(a->sun_path, sizeof(a->sun_path), path) < 0)
		return err_set(e, ENAMETOOLONG, "socket %s: name too long", path);
	return 0;
}

static int listen_at(int fd, const struct sockaddr_un *a, mode_t mode, struct err *e)
{
	const char *path = a->sun_path;
	if (sys_unlink(path) < 0 && errno != ENOENT)
		return err_sys(e, "unlink %s", path);
	if (sys_bind(fd, (const struct sockaddr *)a, sizeof(*a)) < 0)
		return err_sys(e, "bind %s", path);
	/* Nobody can connect before listen, so the mode is in force in time. */
	if (sys_chmod(path, mode) < 0)
		err_sys(e, "chmod %s", path);
	else if (sys_listen(fd, SOMAXCONN) < 0)
		err_sys(e, "listen %s", path);
	else
		return 0;
	(void)sys_unlink(path);
	return -1;
}

/* A socket for that path, and its address; not bound or connected yet. */
static int socket_for(const char *path, struct sockaddr_un *a, struct err *e)
{
	if (address(a, path, e) < 0)
		return -1;
	int fd = sys_socket(AF_UNIX, CHAN_TYPE, 0);
	return fd < 0 ? err_sys(e, "socket %s", path) : fd;
}

int chan_listen(const char *path, mode_t mode, struct err *e)
{
	struct sockaddr_un a;
	int fd = socket_for(path, &a, e);
	if (fd < 0)
		return -1;
	if (listen_at(fd, &a, mode, e) == 0)
		return fd;
	sys_close(fd);
	return -1;
}

int chan_accept(int listen_fd, struct err *e)
{
	int fd = sys_accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	return fd < 0 ? err_sys(e, "accept") : fd;
}

int chan_connect(const char *path, struct err *e)
{
	struct sockaddr_un a;
	int fd = socket_for(path, &a, e);
	if (fd < 0)
		return -1;
	if (sys_connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	err_sys(e, "connect %s", path);
	sys_close(fd);
	return -1;
}

int chan_pair(int fds[2], struct err *e)
{
	return sys_socketpair(AF_UNIX, CHAN_TYPE, 0, fds) < 0 ? err_sys(e, "socketpair") : 0;
}

int chan_send(int chan, const void *data, size_t len, int fd, struct err *e)
{
	union control control = {0};
	struct iovec part = {.iov_len = len};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
	if (len == 0)
		return err_set(e, EINVAL, "send: an empty message");
	memcpy(&part.iov_base, &data, sizeof(data)); /* iovec knows no const; the data is only read */
	if (fd >= 0) {
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	ssize_t n = sys_sendmsg(chan, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		return err_sys(e, "send");
	return (size_t)n == len ? 0 : err_set(e, EIO, "send: %zd of %zu bytes taken", n, len);
}

/* The first descriptor of m to *fd; those behind it are closed. Returns how many there were. */
static size_t take_fds(struct msghdr *m, int *fd)
{
	size_t count = 0;
	/* One header at most: the room is for no more. */
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return 0;
	for (size_t at = 0; CMSG_LEN(at + sizeof(int)) <= c->cmsg_len; at += sizeof(int), count++) {
		int got;
		memcpy(&got, CMSG_DATA(c) + at, sizeof(got));
		if (count == 0)
			*fd = got;
		else
			sys_close(got);
	}
	return count;
}

/* What is wrong with a message of n bytes and `count` descriptors, or 0. */
static int judge(const struct msghdr *m, size_t count, struct err *e)
{
	if (m->msg_flags & MSG_TRUNC)
		return err_set(e, EMSGSIZE, "receive: the message is longer than %zu bytes", m->msg_iov->iov_len);
	if (count > 1 || (m->msg_control && (m->msg_flags & MSG_CTRUNC)))
		return err_set(e, EPROTO, "receive: more descriptors than one, or no room for it");
	return 0;
}

ssize_t chan_recv(int chan, void *data, size_t cap, int *fd, struct err *e)
{
	union control control = {0};
	struct iovec part = {.iov_base = data, .iov_len = cap};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
	int got = -1;
	if (fd) {
		*fd = -1;
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
	}
	ssize_t n = sys_recvmsg(chan, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0)
		return err_sys(e, "receive");
	size_t count = fd ? take_fds(&m, &got) : 0;
	int rc = judge(&m, count, e);
	if (rc == 0 && n > 0 && fd)
		*fd = got;
	else if (got >= 0)
		sys_close(got);
	return rc < 0 ? -1 : n;
}
