/* Every system call that tests fake, as one table. A row is: result, name, parameters, arguments.
 * The program calls sys_NAME; base/sys.c makes each a plain call, tests/fake/sys.c makes each a call
 * that a test can replace (fake_NAME = ...) or fail at the n-th time (torture mode). A new row is all
 * that a new call needs. Semantics are those of the call's manual page. */
#ifndef HEARTH_BASE_SYS_H
#define HEARTH_BASE_SYS_H

#include <linux/aio_abi.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/wait.h>

#define SYS_CALLS(X)                                                                                                   \
	X(int, open, (const char *path, int flags, mode_t mode), (path, flags, mode))                                  \
	X(int, openat, (int dir, const char *path, int flags, mode_t mode), (dir, path, flags, mode))                  \
	X(int, close, (int fd), (fd))                                                                                  \
	X(ssize_t, read, (int fd, void *p, size_t n), (fd, p, n))                                                      \
	X(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))                                               \
	X(ssize_t, pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at))                                       \
	X(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))                                \
	X(int, fsync, (int fd), (fd))                                                                                  \
	X(int, ftruncate, (int fd, off_t size), (fd, size))                                                            \
	X(int, memfd_create, (const char *name, unsigned flags), (name, flags))                                        \
	X(int, posix_fadvise, (int fd, off_t at, off_t n, int advice), (fd, at, n, advice))                            \
	X(int, madvise, (void *p, size_t n, int advice), (p, n, advice))                                               \
	X(int, fstatat, (int dir, const char *path, struct stat *st, int flags), (dir, path, st, flags))               \
	X(int, mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode))                                   \
	X(int, linkat, (int from, const char *old, int to, const char *path, int flags), (from, old, to, path, flags)) \
	X(int, symlinkat, (const char *to, int dir, const char *path), (to, dir, path))                                \
	X(ssize_t, readlinkat, (int dir, const char *path, char *dst, size_t n), (dir, path, dst, n))                  \
	X(int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags))                                   \
	X(int, fchmod, (int fd, mode_t mode), (fd, mode))                                                              \
	X(int, fchownat, (int dir, const char *path, uid_t u, gid_t g, int flags), (dir, path, u, g, flags))           \
	X(int, utimensat, (int dir, const char *path, const struct timespec t[2], int flags), (dir, path, t, flags))   \
	X(ssize_t, flistxattr, (int fd, char *list, size_t n), (fd, list, n))                                          \
	X(ssize_t, fgetxattr, (int fd, const char *name, void *p, size_t n), (fd, name, p, n))                         \
	X(int, fsetxattr, (int fd, const char *name, const void *p, size_t n, int flags), (fd, name, p, n, flags))     \
	X(int, rename, (const char *from, const char *to), (from, to))                                                 \
	X(int, unlink, (const char *path), (path))                                                                     \
	X(int, mkdir, (const char *path, mode_t mode), (path, mode))                                                   \
	X(int, rmdir, (const char *path), (path))                                                                      \
	X(int, symlink, (const char *to, const char *path), (to, path))                                                \
	X(int, chmod, (const char *path, mode_t mode), (path, mode))                                                   \
	X(int, chown, (const char *path, uid_t u, gid_t g), (path, u, g))                                              \
	X(int, stat, (const char *path, struct stat *st), (path, st))                                                  \
	X(int, fstat, (int fd, struct stat *st), (fd, st))                                                             \
	X(int, statvfs, (const char *path, struct statvfs *st), (path, st))                                            \
	X(int, mount, (const char *src, const char *dst, const char *fs, unsigned long flags, const void *data),       \
	  (src, dst, fs, flags, data))                                                                                 \
	X(int, umount2, (const char *path, int flags), (path, flags))                                                  \
	X(int, pipe2, (int fds[2], int flags), (fds, flags))                                                           \
	X(int, fcntl, (int fd, int cmd, int arg), (fd, cmd, arg))                                                      \
	X(int, flock, (int fd, int op), (fd, op))                                                                      \
	X(int, epoll_create1, (int flags), (flags))                                                                    \
	X(int, epoll_ctl, (int ep, int op, int fd, struct epoll_event *ev), (ep, op, fd, ev))                          \
	X(int, epoll_wait, (int ep, struct epoll_event *ev, int max, int timeout), (ep, ev, max, timeout))             \
	X(int, timerfd_create, (int clock, int flags), (clock, flags))                                                 \
	X(int, timerfd_settime, (int fd, int flags, const struct itimerspec *v, struct itimerspec *old),               \
	  (fd, flags, v, old))                                                                                         \
	X(int, signalfd, (int fd, const sigset_t *mask, int flags), (fd, mask, flags))                                 \
	X(int, poll, (struct pollfd * fds, nfds_t n, int timeout), (fds, n, timeout))                                  \
	X(int, socket, (int domain, int type, int proto), (domain, type, proto))                                       \
	X(int, socketpair, (int domain, int type, int proto, int fds[2]), (domain, type, proto, fds))                  \
	X(int, bind, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n))                                      \
	X(int, listen, (int fd, int n), (fd, n))                                                                       \
	X(int, connect, (int fd, const struct sockaddr *a, socklen_t n), (fd, a, n))                                   \
	X(int, accept4, (int fd, struct sockaddr *a, socklen_t *n, int flags), (fd, a, n, flags))                      \
	X(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags))                               \
	X(ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))                                     \
	X(int, waitid, (idtype_t type, id_t id, siginfo_t * info, int options), (type, id, info, options))             \
	X(int, kill, (pid_t pid, int signo), (pid, signo))                                                             \
	X(int, dup2, (int fd, int to), (fd, to))                                                                       \
	X(pid_t, setsid, (void), ())                                                                                   \
	X(int, setrlimit, (int what, const struct rlimit *r), (what, r))                                               \
	X(int, prctl, (int op, unsigned long a, unsigned long b, unsigned long c, unsigned long d), (op, a, b, c, d))  \
	X(int, reboot, (int how), (how))                                                                               \
	X(ssize_t, readlink, (const char *path, char *dst, size_t n), (path, dst, n))                                  \
	X(int, chdir, (const char *path), (path))                                                                      \
	X(int, chroot, (const char *path), (path))                                                                     \
	X(int, execve, (const char *path, char *const argv[], char *const envp[]), (path, argv, envp))                 \
	X(int, sethostname, (const char *name, size_t n), (name, n))                                                   \
	X(ssize_t, getrandom, (void *p, size_t n, unsigned flags), (p, n, flags))                                      \
	X(int, inotify_init1, (int flags), (flags))                                                                    \
	X(int, inotify_add_watch, (int fd, const char *path, uint32_t mask), (fd, path, mask))                         \
	X(int, sigprocmask, (int how, const sigset_t *set, sigset_t *old), (how, set, old))                            \
	X(int, sigaction, (int signo, const struct sigaction *now, struct sigaction *old), (signo, now, old))

#define X(ret, name, params, args) ret sys_##name params;
SYS_CALLS(X)
#undef X

/* Calls without a libc wrapper, or with a result that needs care. */
uint64_t sys_clock_ms(void);     /* CLOCK_BOOTTIME */
int64_t sys_clock_wall(void);    /* CLOCK_REALTIME, seconds */
int64_t sys_clock_wall_ms(void); /* CLOCK_REALTIME, milliseconds */
int sys_clock_set(int64_t wall); /* settimeofday */
void sys_sync(void);
int sys_ioctl(int fd, unsigned long request, void *arg);
/* getdents64(2): records of struct dirent into p (aligned as such); the libc's opendir allocates. */
ssize_t sys_getdents(int fd, void *p, size_t n);
/* quotactl_fd(2): the file system is that of an open file. */
int sys_quotactl_fd(int fd, unsigned command, unsigned id, void *arg);
/* io_setup(2) and the others of its kind, on one read after the other. */
int sys_io_setup(unsigned n, aio_context_t *context);
int sys_io_submit(aio_context_t context, long n, struct iocb **list);
int sys_io_getevents(aio_context_t context, long min, long max, struct io_event *done, struct timespec *timeout);
int sys_io_destroy(aio_context_t context);
int sys_pidfd_send_signal(int pidfd, int signo);
/* open(2) that refuses to pass through a symbolic link anywhere in the path (openat2). */
int sys_open_no_links(const char *path, int flags);
/* This process yields to everybody: nice 19 and the idle class of disk access. */
int sys_set_idle(void);
/* Marks every descriptor from first on as close-on-exec. */
int sys_close_range(unsigned first);
/* setgroups(none), setresgid, setresuid as bare system calls: libc's wrappers walk all threads, which must not
 * happen in a child that still shares its parent's memory. */
int sys_set_user(uid_t uid, gid_t gid);
/* clone(CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD): runs fn(arg) in the child until it execs or exits. */
pid_t sys_vfork_call(int (*fn)(void *), void *arg, int *pidfd);

#endif
