/* Faked system calls: each call goes to fake_NAME when a test has set it, else to the kernel;
 * torture mode makes the n-th call fail with a given errno. Always linked into unit tests. */
#ifndef HEARTH_TESTS_FAKE_SYS_H
#define HEARTH_TESTS_FAKE_SYS_H

#include <stdbool.h>

#include "base/sys.h"

#define X(ret, name, params, args) extern ret(*fake_##name) params;
SYS_CALLS(X)
#undef X

extern int (*fake_ioctl)(int fd, unsigned long request, void *arg);
extern ssize_t (*fake_getdents)(int fd, void *p, size_t n);
extern int (*fake_io_setup)(unsigned n, aio_context_t *context); /* else the kernel has none of it */
extern int (*fake_io_submit)(aio_context_t context, long n, struct iocb **list);
extern int (*fake_io_getevents)(aio_context_t context, long min, long max, struct io_event *done,
                                struct timespec *timeout);
extern int (*fake_io_destroy)(aio_context_t context);
extern int (*fake_quotactl_fd)(int fd, unsigned command, unsigned id, void *arg);
extern int (*fake_open_no_links)(const char *path, int flags);
extern int (*fake_set_idle)(void);
extern int (*fake_pidfd_send_signal)(int pidfd, int signo);
extern pid_t (*fake_vfork_call)(int (*fn)(void *), void *arg, int *pidfd);
extern int (*fake_clock_set)(int64_t wall);
extern int (*fake_close_range)(unsigned first);
extern int (*fake_set_user)(uid_t uid, gid_t gid);

/* Hand-advanced clocks; negative (the default after fake_reset) = the real ones. */
extern int64_t fake_clock_ms;
extern int64_t fake_clock_wall;

/* The n-th call from now (1 = next) fails with errno code; 0 = off. True return of fake_fired when it happened. */
void fake_fail_at(unsigned n, int code);
bool fake_fired(void);
/* For fake_epoll_wait: what is there now, without waiting, whatever the time-out. */
int fake_epoll_now(int ep, struct epoll_event *ev, int max, int timeout);
/* Everything back to real. Call in every setup. */
void fake_reset(void);
/* A number that is the same before and after when nothing leaked a descriptor. */
unsigned fake_open_fds(void);

#endif
