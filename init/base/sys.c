/* The real system calls behind base/sys.h. Linked into the program, never into unit tests. */
#include "base/sys.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define X(ret, name, params, args)                                                                                     \
	ret sys_##name params                                                                                          \
	{                                                                                                              \
		return name args;                                                                                      \
	}
SYS_CALLS(X)
#undef X

uint64_t sys_clock_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int64_t sys_clock_wall(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec;
}

int64_t sys_clock_wall_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int sys_clock_set(int64_t wall)
{
	struct timespec t = {.tv_sec = wall};
	return clock_settime(CLOCK_REALTIME, &t);
}

void sys_sync(void)
{
	sync();
}

int sys_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, (int)request, arg);
}

ssize_t sys_getdents(int fd, void *p, size_t n)
{
	return (ssize_t)syscall(SYS_getdents64, fd, p, n);
}

int sys_io_setup(unsigned n, aio_context_t *context)
{
	return (int)syscall(SYS_io_setup, n, context);
}

int sys_io_submit(aio_context_t context, long n, struct iocb **list)
{
	return (int)syscall(SYS_io_submit, context, n, list);
}

int sys_io_getevents(aio_context_t context, long min, long max, struct io_event *done, struct timespec *timeout)
{
	return (int)syscall(SYS_io_getevents, context, min, max, done, timeout);
}

int sys_io_destroy(aio_context_t context)
{
	return (int)syscall(SYS_io_destroy, context);
}

int sys_quotactl_fd(int fd, unsigned command, unsigned id, void *arg)
{
	const long number = 443; /* the same on every machine; libcs do not all know it */
	return (int)syscall(number, fd, command, id, arg);
}

int sys_open_no_links(const char *path, int flags)
{
	struct open_how how = {.flags = (uint64_t)(unsigned)flags,
	                       .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

int sys_set_idle(void)
{
	const int who_process = 1, class_idle = 3 << 13; /* linux/ioprio.h: IOPRIO_WHO_PROCESS, IOPRIO_CLASS_IDLE */
	if (setpriority(PRIO_PROCESS, 0, 19) < 0)
		return -1;
	return (int)syscall(SYS_ioprio_set, who_process, 0, class_idle);
}

int sys_pidfd_send_signal(int pidfd, int signo)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0);
}

int sys_close_range(unsigned first)
{
	return (int)syscall(SYS_close_range, first, ~0u, CLOSE_RANGE_CLOEXEC);
}

int sys_set_user(uid_t uid, gid_t gid)
{
	if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, gid, gid, gid) < 0)
		return -1;
	return (int)syscall(SYS_setresuid, uid, uid, uid);
}

pid_t sys_vfork_call(int (*fn)(void *), void *arg, int *pidfd)
{
	/* One child at a time uses this stack: the parent sleeps until it is gone or has exec'd. */
	static _Alignas(16) char stack[32768];
	int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
	return clone(fn, stack + sizeof(stack), flags, arg, pidfd);
}
