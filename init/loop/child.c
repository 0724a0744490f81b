/* The only spawn and the only wait of the program; PID 1 and the roles with helpers run it.
 * Between clone and exec the child runs in its parent's memory: there it makes system calls and writes its
 * report, nothing else. The parent never waits for a child, except for exec itself. */
#include "loop/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"

#define REAP_MAX        1024 /* per call of child_reap, so that a storm of orphans cannot hold the loop */
#define FAILED_START    111  /* exit status of a child that did not reach exec; only tracers see it */
#define SIGNALS_CLASSIC 32   /* real-time signals have no handlers here and are never ignored */

struct known {
	struct child *child; /* NULL: free */
	child_exit_fn *fn;
	void *arg;
};

/* File-static because a process has one set of children, whoever in it started them. */
static struct {
	struct known known[LIMIT_CHILDREN];
} nursery;

/* Lives on the parent's stack, written by the child. */
struct start {
	const struct child_spec *spec;
	int fds[CHILD_FDS];
	const char *stage; /* how far the child came */
	const char *what;  /* with which object, or "" */
	int code;          /* errno of the stage that failed; 0: it got as far as exec */
};

/* A handler of the parent must not run in the child, and an ignored signal would stay ignored after exec. */
static int reset_signals(struct start *s)
{
	(void)s;
	const struct sigaction plain = {.sa_handler = SIG_DFL};
	for (int signo = 1; signo < SIGNALS_CLASSIC; signo++) {
		if (signo != SIGKILL && signo != SIGSTOP && sys_sigaction(signo, &plain, NULL) < 0)
			return -1;
	}
	return 0;
}

static int start_session(struct start *s)
{
	(void)s;
	return sys_setsid() < 0 ? -1 : 0;
}

static int join_cgroup(struct start *s)
{
	return s->spec->cgroup_fd < 0 || sys_write(s->spec->cgroup_fd, "0", 1) == 1 ? 0 : -1;
}

/* The sign and three digits, without printf: oom_score_adj goes from -1000 to 1000. */
static size_t number(char text[8], int v)
{
	size_t n = 0;
	unsigned rest = v < 0 ? 0u - (unsigned)v : (unsigned)v;
	if (v < 0)
		text[n++] = '-';
	for (unsigned digit = 1000; digit > 0; digit /= 10) {
		if (rest >= digit || digit == 1)
			text[n++] = (char)('0' + rest / digit % 10);
	}
	return n;
}

static int set_oom_score(struct start *s)
{
	char text[8];
	if (s->spec->oom_score_adj == 0)
		return 0;
	int fd = sys_open(PATH_PROC_OOM, O_WRONLY | O_CLOEXEC, 0); /* closed by exec */
	size_t n = number(text, s->spec->oom_score_adj);
	return fd >= 0 && sys_write(fd, text, n) == (ssize_t)n ? 0 : -1;
}

static int set_nofile(struct start *s)
{
	if (s->spec->nofile == 0)
		return 0;
	struct rlimit r = {.rlim_cur = (rlim_t)s->spec->nofile, .rlim_max = (rlim_t)s->spec->nofile};
	return sys_setrlimit(RLIMIT_NOFILE, &r);
}

static int hide_descriptors(struct start *s)
{
	(void)s;
	return sys_close_range(3);
}

/* Non-blocking, because a serial line may wait for its carrier; the program then gets it blocking. */
static int open_tty(struct start *s)
{
	if (!s->spec->tty)
		return 0;
	s->what = s->spec->tty;
	int fd = sys_open(s->spec->tty, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0);
	if (fd < 0 || sys_fcntl(fd, F_SETFL, O_RDWR) < 0)
		return -1;
	for (int i = 0; i < 3; i++)
		s->fds[i] = fd;
	return 0;
}

/* Argument 1: taken from a session that is left over from an earlier start. */
static int take_tty(struct start *s)
{
	if (!s->spec->tty)
		return 0;
	s->what = s->spec->tty;
	return sys_ioctl(s->fds[0], TIOCSCTTY, (void *)1);
}

static int open_null(struct start *s)
{
	int fd = -1;
	for (int i = 0; i < 3; i++) {
		if (s->fds[i] >= 0)
			continue;
		s->what = PATH_NULL;
		if (fd < 0)
			fd = sys_open(PATH_NULL, O_RDWR | O_CLOEXEC, 0);
		if (fd < 0)
			return -1;
		s->fds[i] = fd;
	}
	return 0;
}

/* Sources among the target numbers move out of the way first, so that none is overwritten before it is used. */
static int lift_descriptors(struct start *s)
{
	for (int i = 0; i < CHILD_FDS; i++) {
		int from = s->fds[i];
		if (from < 0 || from >= CHILD_FDS || from == i)
			continue;
		int to = sys_fcntl(from, F_DUPFD_CLOEXEC, CHILD_FDS);
		if (to < 0)
			return -1;
		for (int j = i; j < CHILD_FDS; j++) {
			if (s->fds[j] == from)
				s->fds[j] = to;
		}
	}
	return 0;
}

static int place_descriptors(struct start *s)
{
	if (lift_descriptors(s) < 0)
		return -1;
	for (int i = 0; i < CHILD_FDS; i++) {
		int from = s->fds[i];
		if (from < 0)
			continue;
		if (from == i ? sys_fcntl(i, F_SETFD, 0) < 0 : sys_dup2(from, i) < 0)
			return -1;
	}
	return 0;
}

static int drop_user(struct start *s)
{
	const struct child_spec *spec = s->spec;
	return spec->uid == 0 && spec->gid == 0 ? 0 : sys_set_user(spec->uid, spec->gid);
}

static int change_folder(struct start *s)
{
	s->what = s->spec->cwd ? s->spec->cwd : "/";
	return sys_chdir(s->what);
}

static int unblock_signals(struct start *s)
{
	(void)s;
	sigset_t none;
	sigemptyset(&none);
	return sys_sigprocmask(SIG_SETMASK, &none, NULL);
}

static int run_program(struct start *s)
{
	char *const *argv, *const *envp; /* execve's own types; it changes neither */
	memcpy(&argv, &s->spec->argv, sizeof(argv));
	memcpy(&envp, &s->spec->envp, sizeof(envp));
	s->what = argv[0];
	return sys_execve(argv[0], argv, envp);
}

/* In this order: what needs root before the user is dropped, signals only when no old handler is left. */
static const struct stage {
	const char *name;
	int (*run)(struct start *s);
} stages[] = {
	{"reset signals", reset_signals},
	{"start a session", start_session},
	{"join the cgroup", join_cgroup},
	{"set oom_score_adj", set_oom_score},
	{"set the limit of open files", set_nofile},
	{"hide descriptors", hide_descriptors},
	{"open tty", open_tty},
	{"take tty", take_tty},
	{"open", open_null},
	{"move descriptors", place_descriptors},
	{"set user and group", drop_user},
	{"chdir", change_folder},
	{"unblock signals", unblock_signals},
	{"exec", run_program},
};

/* The child, in its parent's memory. Returning ends it. */
static int child_main(void *arg)
{
	struct start *s = arg;
	for (size_t i = 0; i < COUNT_OF(stages); i++) {
		s->stage = stages[i].name;
		s->what = "";
		errno = 0; /* a short write sets none */
		if (stages[i].run(s) == 0)
			continue;
		s->code = errno != 0 ? errno : EIO;
		break;
	}
	return FAILED_START;
}

static struct known *find(const struct child *c)
{
	for (size_t i = 0; i < LIMIT_CHILDREN; i++) {
		if (nursery.known[i].child == c)
			return &nursery.known[i];
	}
	return NULL;
}

static struct known *find_pid(pid_t pid)
{
	for (size_t i = 0; i < LIMIT_CHILDREN; i++) {
		if (nursery.known[i].child && nursery.known[i].child->pid == pid)
			return &nursery.known[i];
	}
	return NULL;
}

void child_spec_init(struct child_spec *spec)
{
	*spec = (struct child_spec){.cgroup_fd = -1};
	for (int i = 0; i < CHILD_FDS; i++)
		spec->fds[i] = -1;
}

static int check_spec(const struct child_spec *spec, struct err *e)
{
	if (!spec->argv || !spec->argv[0] || spec->argv[0][0] != '/')
		return err_set(e, EINVAL, "exec: the program is not named by an absolute path");
	if (!spec->envp)
		return err_set(e, EINVAL, "exec %s: no environment", spec->argv[0]);
	if (spec->oom_score_adj < -1000 || spec->oom_score_adj > 1000 || spec->nofile < 0)
		return err_set(e, EINVAL, "exec %s: oom_score_adj or nofile out of range", spec->argv[0]);
	return 0;
}

/* Signals wait while the child shares our memory: a handler that ran in it would change our variables. */
static int start(struct start *s, struct child *c, struct err *e)
{
	sigset_t all, old;
	int pidfd = -1;
	sigfillset(&all);
	if (sys_sigprocmask(SIG_SETMASK, &all, &old) < 0)
		return err_sys(e, "block signals");
	pid_t pid = sys_vfork_call(child_main, s, &pidfd);
	int code = pid < 0 ? errno : s->code;
	(void)sys_sigprocmask(SIG_SETMASK, &old, NULL); /* back to what it was: cannot fail */
	if (pid < 0)
		return err_set(e, code, "clone: %s", strerror(code));
	if (code == 0) {
		*c = (struct child){.pid = pid, .pidfd = pidfd};
		return 0;
	}
	sys_close(pidfd);
	return err_set(e, code, "%s%s%s: %s", s->stage, *s->what ? " " : "", s->what, strerror(code));
}

int child_spawn(struct child *c, const struct child_spec *spec, child_exit_fn *fn, void *arg, struct err *e)
{
	if (find(c))
		return err_set(e, EBUSY, "spawn: still running");
	*c = (struct child){.pidfd = -1};
	struct known *k = find(NULL); /* taken before the clone: a running child is always known */
	if (!k)
		return err_set(e, EAGAIN, "spawn: %d children already", LIMIT_CHILDREN);
	if (check_spec(spec, e) < 0)
		return -1;
	struct start s = {.spec = spec, .stage = "", .what = ""};
	memcpy(s.fds, spec->fds, sizeof(s.fds));
	if (start(&s, c, e) < 0)
		return -1;
	*k = (struct known){c, fn, arg};
	return 0;
}

int child_signal(const struct child *c, int signo, struct err *e)
{
	if (c->pid == 0 || c->pidfd < 0)
		return err_set(e, ESRCH, "signal %d: not running", signo);
	return sys_pidfd_send_signal(c->pidfd, signo) < 0 ? err_sys(e, "signal %d to process %d", signo, c->pid) : 0;
}

static void tell(pid_t pid, const siginfo_t *info)
{
	struct known *k = find_pid(pid);
	if (!k)
		return; /* an orphan, or a start that failed */
	struct known was = *k;
	struct child_exit how = {.signaled = info->si_code != CLD_EXITED, .status = info->si_status};
	*k = (struct known){0};
	sys_close(was.child->pidfd);
	*was.child = (struct child){.pidfd = -1};
	if (was.fn)
		was.fn(pid, &how, was.arg);
}

unsigned child_reap(void)
{
	unsigned n = 0;
	while (n < REAP_MAX) {
		siginfo_t info = {0};
		if (sys_waitid(P_ALL, 0, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
			break;
		n++;
		tell(info.si_pid, &info);
	}
	return n;
}
