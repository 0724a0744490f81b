/* See sys.h: the faked calls. */
#include "fake/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static unsigned fail_at;
static int fail_code;
static bool fired;

int64_t fake_clock_ms = -1;
int64_t fake_clock_wall = -1;

void fake_fail_at(unsigned n, int code)
{
	fail_at = n;
	fail_code = code;
	fired = false;
}

bool fake_fired(void)
{
	return fired;
}

static bool torture(void)
{
	if (fail_at == 0 || --fail_at > 0)
		return false;
	fired = true;
	errno = fail_code;
	return true;
}

#define X(ret, name, params, args)                                                                                     \
	ret(*fake_##name) params;                                                                                      \
	ret sys_##name params                                                                                          \
	{                                                                                                              \
		if (strcmp(#name, "close") != 0 && torture()) /* Linux frees the number whatever close returns */      \
			return (ret)(-1);                                                                              \
		return fake_##name ? fake_##name args : name args;                                                     \
	}
SYS_CALLS(X)
#undef X

int (*fake_ioctl)(int fd, unsigned long request, void *arg);
ssize_t (*fake_getdents)(int fd, void *p, size_t n);
int (*fake_io_setup)(unsigned n, aio_context_t *context);
int (*fake_io_submit)(aio_context_t context, long n, struct iocb **list);
int (*fake_io_getevents)(aio_context_t context, long min, long max, struct io_event *done, struct timespec *timeout);
int (*fake_io_destroy)(aio_context_t context);
int (*fake_quotactl_fd)(int fd, unsigned command, unsigned id, void *arg);
int (*fake_open_no_links)(const char *path, int flags);
int (*fake_set_idle)(void);
int (*fake_pidfd_send_signal)(int pidfd, int signo);
pid_t (*fake_vfork_call)(int (*fn)(void *), void *arg, int *pidfd);
int (*fake_clock_set)(int64_t wall);
int (*fake_close_range)(unsigned first);
int (*fake_set_user)(uid_t uid, gid_t gid);

uint64_t sys_clock_ms(void)
{
	if (fake_clock_ms >= 0)
		return (uint64_t)fake_clock_ms;
	struct timespec t;
	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int64_t sys_clock_wall(void)
{
	return fake_clock_wall >= 0 ? fake_clock_wall : (int64_t)time(NULL);
}

int64_t sys_clock_wall_ms(void)
{
	struct timespec t;
	if (fake_clock_wall >= 0)
		return fake_clock_wall * 1000;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int sys_clock_set(int64_t wall)
{
	if (torture())
		return -1;
	return fake_clock_set ? fake_clock_set(wall) : 0;
}

void sys_sync(void)
{
}

int sys_ioctl(int fd, unsigned long request, void *arg)
{
	if (torture())
		return -1;
	return fake_ioctl ? fake_ioctl(fd, request, arg) : ioctl(fd, request, arg);
}

ssize_t sys_getdents(int fd, void *p, size_t n)
{
	if (torture())
		return -1;
	return fake_getdents ? fake_getdents(fd, p, n) : (ssize_t)syscall(SYS_getdents64, fd, p, n);
}

/* For what the build machine is not asked for: without a fake, the kernel has none of it. */
static int no_such_call(void)
{
	errno = ENOSYS;
	return -1;
}

int sys_io_setup(unsigned n, aio_context_t *context)
{
	if (torture())
		return -1;
	return fake_io_setup ? fake_io_setup(n, context) : no_such_call();
}

int sys_io_submit(aio_context_t context, long n, struct iocb **list)
{
	if (torture())
		return -1;
	return fake_io_submit ? fake_io_submit(context, n, list) : no_such_call();
}

int sys_io_getevents(aio_context_t context, long min, long max, struct io_event *done, struct timespec *timeout)
{
	if (torture())
		return -1;
	return fake_io_getevents ? fake_io_getevents(context, min, max, done, timeout) : no_such_call();
}

int sys_io_destroy(aio_context_t context)
{
	return fake_io_destroy ? fake_io_destroy(context) : no_such_call();
}

int sys_quotactl_fd(int fd, unsigned command, unsigned id, void *arg)
{
	if (torture())
		return -1;
	/* No test sets quotas of the build machine. */
	return fake_quotactl_fd ? fake_quotactl_fd(fd, command, id, arg) : no_such_call();
}

int sys_open_no_links(const char *path, int flags)
{
	if (torture())
		return -1;
	return fake_open_no_links ? fake_open_no_links(path, flags) : open(path, flags | O_NOFOLLOW);
}

int sys_set_idle(void)
{
	if (torture())
		return -1;
	return fake_set_idle ? fake_set_idle() : 0;
}

int sys_pidfd_send_signal(int pidfd, int signo)
{
	if (torture())
		return -1;
	if (fake_pidfd_send_signal)
		return fake_pidfd_send_signal(pidfd, signo);
	return (int)syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0);
}

int sys_close_range(unsigned first)
{
	if (torture())
		return -1;
	if (fake_close_range)
		return fake_close_range(first);
	return (int)syscall(SYS_close_range, first, ~0u, CLOSE_RANGE_CLOEXEC);
}

int sys_set_user(uid_t uid, gid_t gid)
{
	if (torture())
		return -1;
	if (fake_set_user)
		return fake_set_user(uid, gid);
	if (syscall(SYS_setgroups, 0, NULL) < 0 || syscall(SYS_setresgid, gid, gid, gid) < 0)
		return -1;
	return (int)syscall(SYS_setresuid, uid, uid, uid);
}

pid_t sys_vfork_call(int (*fn)(void *), void *arg, int *pidfd)
{
	static _Alignas(16) char stack[262144];
	if (torture())
		return -1;
	if (fake_vfork_call)
		return fake_vfork_call(fn, arg, pidfd);
	return clone(fn, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, arg, pidfd);
}

int fake_epoll_now(int ep, struct epoll_event *ev, int max, int timeout)
{
	(void)timeout;
	return epoll_wait(ep, ev, max, 0);
}

void fake_reset(void)
{
	fake_fail_at(0, 0);
	fake_clock_ms = -1;
	fake_clock_wall = -1;
#define X(ret, name, params, args) fake_##name = NULL;
	SYS_CALLS(X)
#undef X
	fake_ioctl = NULL;
	fake_getdents = NULL;
	fake_io_setup = NULL;
	fake_io_submit = NULL;
	fake_io_getevents = NULL;
	fake_io_destroy = NULL;
	fake_quotactl_fd = NULL;
	fake_open_no_links = NULL;
	fake_set_idle = NULL;
	fake_pidfd_send_signal = NULL;
	fake_vfork_call = NULL;
	fake_clock_set = NULL;
	fake_close_range = NULL;
	fake_set_user = NULL;
}

unsigned fake_open_fds(void)
{
	unsigned n = 0;
	DIR *d = opendir("/proc/self/fd");
	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}
