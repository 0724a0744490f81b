/* The only spawn and the only wait of the program.
 *
 * Spawn is clone(CLONE_VM | CLONE_VFORK | CLONE_PIDFD): the parent is suspended until exec or
 * _exit, so it costs no page-table copy and the child can report how far it came in plain shared
 * memory: a failed start returns -1 with the stage and errno ("chdir /x: No such file").
 * Children start with all signals unblocked and default, a session of their own, only
 * the descriptors named in the spec, and in their cgroup before exec.
 *
 * PID 1 also reaps orphans: on SIGCHLD call child_reap, which waits for everybody (WNOHANG) and
 * calls the exit function of those it knows. */
#ifndef HEARTH_LOOP_CHILD_H
#define HEARTH_LOOP_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/limits.h"

#define CHILD_FDS 8

struct child_spec {
	const char *const *argv; /* argv[0] is an absolute path */
	const char *const *envp; /* the whole environment, NULL ended */
	uid_t uid;               /* 0: stay root */
	gid_t gid;
	const char *cwd;   /* NULL: "/" */
	const char *tty;   /* becomes stdin, stdout, stderr (fds[0..2] do not count) and the controlling terminal;
	                      NULL: none */
	int cgroup_fd;     /* open cgroup.procs file for writing, or -1 */
	int oom_score_adj; /* written to /proc/self/oom_score_adj when not 0 */
	int nofile;        /* RLIMIT_NOFILE, 0: leave */
	/* fds[i] becomes descriptor i in the child; -1: /dev/null for i < 3, closed otherwise. */
	int fds[CHILD_FDS];
};

struct child_exit {
	bool signaled;
	int status; /* exit status, or the signal */
};

typedef void child_exit_fn(pid_t pid, const struct child_exit *how, void *arg);

struct child {
	pid_t pid; /* 0: not running */
	int pidfd; /* -1: not running */
};

/* Fills *spec with "nothing": fds all -1, cgroup_fd -1. */
void child_spec_init(struct child_spec *spec);
/* fn is called once from child_reap after the exit; *c must live until then and says "not running" again when fn is
 * called, so that fn may spawn into it. After a failure *c is "not running" and fn is never called; the message names
 * the stage ("exec /x/y: No such file or directory"); what is left of a child that failed is collected by child_reap.
 */
MUST_CHECK int child_spawn(struct child *c, const struct child_spec *spec, child_exit_fn *fn, void *arg, struct err *e);
/* Signal through the pidfd: can never hit a recycled pid. ESRCH when it is not running. */
MUST_CHECK int child_signal(const struct child *c, int signo, struct err *e);
/* Reaps everything that has ended, orphans too; returns how many. Bounded per call (1024), re-armed by the caller when
 * full. */
unsigned child_reap(void);

#endif
