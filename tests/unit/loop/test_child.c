/* Spawn and reap with real children (/bin/sh, /bin/ls, /bin/cat), which tell through a pipe what they found. */
#include "loop/child.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"

#define SH(script) ((const char *const[]){"/bin/sh", "-c", script, NULL})
#define CAT(file)  ((const char *const[]){"/bin/cat", file, NULL})

static const char *const no_env[] = {NULL};
static struct child c;
static struct child_spec spec;
static struct err e;
static unsigned fds_before;
static char out[8192];

static struct {
	unsigned calls;
	pid_t pid;
	struct child_exit how;
} seen;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fds_before = fake_open_fds();
	child_spec_init(&spec);
	spec.envp = no_env;
	memset(&seen, 0, sizeof(seen));
	memset(&c, 0, sizeof(c));
	err_clear(&e);
	return 0;
}

/* Waits for the next one to end, then reaps. */
static unsigned reap(void)
{
	siginfo_t info;
	while (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
	return child_reap();
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	if (child_reap() != 0)
		return -1; /* a test forgot a child */
	return fake_open_fds() == fds_before ? 0 : -1;
}

static void on_exit_of(pid_t pid, const struct child_exit *how, void *arg)
{
	assert_ptr_equal(arg, &c);
	assert_int_equal(c.pid, 0); /* says "not running" by now */
	assert_int_equal(c.pidfd, -1);
	seen.calls++;
	seen.pid = pid;
	seen.how = *how;
}

static int spawn(const char *const *argv)
{
	spec.argv = argv;
	return child_spawn(&c, &spec, on_exit_of, &c, &e);
}

/* Runs argv to its end, what it writes to its stdout goes to `out`. */
static void run(const char *const *argv)
{
	int p[2];
	size_t len = 0;
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	spec.fds[1] = p[1];
	int rc = spawn(argv);
	if (rc < 0)
		print_message("%s\n", e.text);
	assert_int_equal(rc, 0);
	close(p[1]);
	ssize_t n;
	while (len + 1 < sizeof(out) && (n = read(p[0], out + len, sizeof(out) - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	close(p[0]);
	assert_int_equal(reap(), 1);
	assert_int_equal(seen.calls, 1);
	seen.calls = 0;
}

static void assert_has(const char *text)
{
	if (!strstr(out, text))
		print_message("no '%s' in:\n%s", text, out);
	assert_non_null(strstr(out, text));
}

static void the_exit_is_reported(void **state)
{
	(void)state;
	assert_int_equal(spawn(SH("exit 7")), 0);
	pid_t pid = c.pid;
	assert_true(pid > 0);
	assert_int_equal(fcntl(c.pidfd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(child_spawn(&c, &spec, on_exit_of, &c, &e), -1);
	assert_int_equal(e.code, EBUSY);
	assert_int_equal(c.pid, pid);
	assert_int_equal(reap(), 1);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(seen.pid, pid);
	assert_false(seen.how.signaled);
	assert_int_equal(seen.how.status, 7);
	assert_int_equal(child_reap(), 0);
}

static void a_signal_reaches_it_and_is_reported(void **state)
{
	(void)state;
	assert_int_equal(child_signal(&c, SIGTERM, &e), -1);
	assert_int_equal(e.code, ESRCH);
	int p[2]; /* nobody writes: the child waits for ever */
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	spec.fds[0] = p[0];
	assert_int_equal(spawn((const char *const[]){"/bin/cat", NULL}), 0);
	assert_int_equal(child_reap(), 0);
	assert_int_equal(child_signal(&c, SIGKILL, &e), 0);
	assert_int_equal(reap(), 1);
	assert_true(seen.how.signaled);
	assert_int_equal(seen.how.status, SIGKILL);
	close(p[0]);
	close(p[1]);
}

static unsigned again;

static void spawn_again(pid_t pid, const struct child_exit *how, void *arg)
{
	(void)pid, (void)how;
	if (again++ == 0)
		assert_int_equal(child_spawn(arg, &spec, spawn_again, arg, &e), 0);
}

static void the_exit_function_may_spawn_into_the_same_child(void **state)
{
	(void)state;
	again = 0;
	spec.argv = SH("exit 0");
	assert_int_equal(child_spawn(&c, &spec, spawn_again, &c, &e), 0);
	for (int i = 0; i < 3 && again < 2; i++)
		(void)reap();
	assert_int_equal(again, 2);
	assert_int_equal(c.pid, 0);
}

static void arguments_environment_and_folder(void **state)
{
	(void)state;
	spec.envp = (const char *const[]){"A=1", "B=two", NULL};
	run((const char *const[]){"/bin/sh", "-c", "echo $0-$1-$A-$B-$HOME; pwd", "x", "y z", NULL});
	assert_string_equal(out, "x-y z-1-two-\n/\n");
	spec.cwd = "/tmp";
	run(SH("pwd"));
	assert_string_equal(out, "/tmp\n");
}

static void a_failed_start_names_the_stage(void **state)
{
	(void)state;
	unsigned before = fake_open_fds();
	static const struct {
		const char *program, *cwd, *tty, *text;
		int code;
	} cases[] = {
		{"/x/y", NULL, NULL, "exec /x/y: No such file or directory", ENOENT},
		{"/etc/passwd", NULL, NULL, "exec /etc/passwd: Permission denied", EACCES},
		{"/bin/true", "/x", NULL, "chdir /x: No such file or directory", ENOENT},
		{"/bin/true", NULL, "/dev/nope", "open tty /dev/nope: No such file or directory", ENOENT},
		{"/bin/true", NULL, "/dev/null", "take tty /dev/null: Inappropriate ioctl for device", ENOTTY},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		spec.cwd = cases[i].cwd;
		spec.tty = cases[i].tty;
		assert_int_equal(spawn((const char *const[]){cases[i].program, NULL}), -1);
		assert_string_equal(e.text, cases[i].text);
		assert_int_equal(e.code, cases[i].code);
		assert_int_equal(c.pid, 0);
		assert_int_equal(c.pidfd, -1);
		assert_int_equal(fake_open_fds(), before);
		assert_int_equal(reap(), 1); /* what is left of it is an orphan to child_reap */
		assert_int_equal(seen.calls, 0);
	}
}

static void a_bad_spec_is_refused(void **state)
{
	(void)state;
	assert_int_equal(spawn(NULL), -1);
	assert_int_equal(spawn((const char *const[]){NULL}), -1);
	assert_int_equal(spawn((const char *const[]){"sh", NULL}), -1);
	assert_int_equal(e.code, EINVAL);
	spec.nofile = -1;
	assert_int_equal(spawn(SH("")), -1);
	spec.nofile = 0;
	spec.oom_score_adj = 1001;
	assert_int_equal(spawn(SH("")), -1);
	spec.oom_score_adj = 0;
	spec.envp = NULL;
	assert_int_equal(spawn(SH("")), -1);
	assert_int_equal(e.code, EINVAL);
}

static volatile sig_atomic_t handled;

static void on_usr2(int signo)
{
	(void)signo;
	handled++;
}

static void signals_are_default_and_unblocked_in_the_child(void **state)
{
	(void)state;
	sigset_t mask, old, after;
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, &old);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR2, on_usr2);
	run(CAT("/proc/self/status"));
	assert_has("SigBlk:\t0000000000000000\n");
	/* The C library keeps 32 and up from us, so what this test was started with stays ignored there. */
	const char *ignored = strstr(out, "SigIgn:\t");
	assert_non_null(ignored);
	assert_int_equal(strtoull(ignored + 8, NULL, 16) & 0x7fffffff, 0);
	assert_has("SigCgt:\t0000000000000000\n");
	sigprocmask(SIG_SETMASK, &old, &after);
	assert_int_equal(sigismember(&after, SIGUSR1), 1);
	assert_int_equal(sigismember(&after, SIGUSR2), 0);
	struct sigaction now;
	sigaction(SIGPIPE, NULL, &now);
	assert_ptr_equal(now.sa_handler, SIG_IGN); /* the parent's own are untouched */
	signal(SIGPIPE, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
}

static pid_t clone_with_a_signal(int (*fn)(void *), void *arg, int *pidfd)
{
	(void)fn, (void)arg, (void)pidfd;
	sigset_t now;
	sigprocmask(SIG_BLOCK, NULL, &now);
	assert_int_equal(sigismember(&now, SIGUSR2), 1);
	assert_int_equal(sigismember(&now, SIGSEGV), 1);
	kill(getpid(), SIGUSR2);
	assert_int_equal(handled, 0);
	errno = ENOMEM;
	return -1;
}

static void no_handler_runs_while_memory_is_shared(void **state)
{
	(void)state;
	handled = 0;
	signal(SIGUSR2, on_usr2);
	fake_vfork_call = clone_with_a_signal;
	assert_int_equal(spawn(SH("")), -1);
	assert_string_equal(e.text, "clone: Cannot allocate memory");
	assert_int_equal(handled, 1);
	signal(SIGUSR2, SIG_DFL);
}

static void it_leads_a_session_of_its_own(void **state)
{
	(void)state;
	run(CAT("/proc/self/stat"));
	int pid = 0, ppid = 0, group = 0, session = 0;
	assert_int_equal(sscanf(out, "%d (cat) %*c %d %d %d", &pid, &ppid, &group, &session), 4);
	assert_int_equal(pid, seen.pid);
	assert_int_equal(ppid, getpid());
	assert_int_equal(group, pid);
	assert_int_equal(session, pid);
}

#define LS_FD ((const char *const[]){"/bin/ls", "-l", "/proc/self/fd", NULL})

/* Whether the listing has descriptor fd -> target; target NULL: no such descriptor but ls's own folder. */
static void assert_fd(int fd, const char *target)
{
	char text[64], own[64];
	snprintf(text, sizeof(text), " %d -> %s", fd, target ? target : "");
	snprintf(own, sizeof(own), " %d -> /proc/", fd);
	if (target)
		assert_has(text);
	else
		assert_true(!strstr(out, text) || strstr(out, own));
}

static void descriptors_start_as_null(void **state)
{
	(void)state;
	int open_here = open("/dev/zero", O_RDONLY); /* not close-on-exec */
	run(LS_FD);
	close(open_here);
	assert_fd(0, "/dev/null");
	assert_fd(1, "pipe:");
	assert_fd(2, "/dev/null");
	for (int i = 3; i < 12; i++)
		assert_fd(i, NULL);
	assert_null(strstr(out, "/dev/zero"));
}

/* Puts `file` at number fd in this process, not close-on-exec. */
static void open_at(int fd, const char *file)
{
	int got = open(file, O_RDONLY);
	assert_true(got >= 0);
	if (got == fd)
		return;
	assert_int_equal(dup2(got, fd), fd);
	close(got);
}

static const char *const files[CHILD_FDS] = {
	[3] = "/etc/passwd", [4] = "/etc/group", [5] = "/etc/hosts", [6] = "/dev/zero", [7] = "/dev/full"};

static void overlapping_numbers_are_moved_right(void **state)
{
	(void)state;
	int saved[CHILD_FDS];
	for (int i = 3; i < CHILD_FDS; i++) { /* whatever the test runner has there steps aside */
		saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 100);
		open_at(i, files[i]);
	}
	spec.fds[2] = 7;
	spec.fds[3] = 4; /* exchanged */
	spec.fds[4] = 3;
	spec.fds[5] = 5; /* in place */
	spec.fds[7] = 3; /* 3 is used twice; 6 is open here, and not wanted */
	run(LS_FD);
	for (int i = 3; i < CHILD_FDS; i++) {
		if (saved[i] < 0 || dup2(saved[i], i) < 0)
			close(i);
		if (saved[i] >= 0)
			close(saved[i]);
	}
	assert_fd(0, "/dev/null");
	assert_fd(1, "pipe:");
	assert_fd(2, "/dev/full");
	assert_fd(3, "/etc/group");
	assert_fd(4, "/etc/passwd");
	assert_fd(5, "/etc/hosts");
	assert_fd(6, NULL);
	assert_fd(7, "/etc/passwd");
	assert_fd(8, NULL);
}

static void placed_descriptors_keep_their_bytes(void **state)
{
	(void)state;
	int p[2];
	assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	spec.fds[3] = p[1];
	run(SH("echo through 3 >&3"));
	char text[32] = "";
	assert_int_equal(read(p[0], text, sizeof(text) - 1), 10);
	assert_string_equal(text, "through 3\n");
	close(p[0]);
	close(p[1]);
}

static void a_tty_becomes_the_controlling_terminal(void **state)
{
	(void)state;
	char name[64], text[256];
	size_t len = 0;
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 || ptsname_r(master, name, sizeof(name)) != 0)
		skip();
	int keep = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC); /* else the end of the child reads as an error */
	spec.tty = name;
	assert_int_equal(spawn(SH("test -t 0 && test -t 1 && test -t 2 && echo 'of 3' >/dev/tty; "
	                          "grep flags /proc/self/fdinfo/0; echo end")),
	                 0);
	while (len < sizeof(text) - 1 && !(len > 4 && memcmp(text + len - 5, "end\r\n", 5) == 0)) {
		ssize_t n = read(master, text + len, 1);
		assert_int_equal(n, 1);
		len++;
	}
	text[len] = '\0';
	assert_non_null(strstr(text, "of 3\r\n"));
	unsigned flags = 0;
	assert_int_equal(sscanf(strstr(text, "flags:"), "flags: %o", &flags), 1);
	assert_int_equal(flags & O_NONBLOCK, 0);
	assert_int_equal(reap(), 1);
	close(keep);
	close(master);
}

static void it_joins_its_cgroup_before_the_user_changes(void **state)
{
	(void)state;
	char text[8] = "";
	int p[2];
	assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	spec.cgroup_fd = p[1];
	run(SH("exit 0"));
	assert_int_equal(read(p[0], text, sizeof(text)), 1);
	assert_string_equal(text, "0");
	close(p[0]);
	spec.fds[1] = -1;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(spawn(SH("exit 0")), -1);
	assert_int_equal(reap(), 1);
	signal(SIGPIPE, SIG_DFL);
	assert_int_equal(strncmp(e.text, "join the cgroup", 15), 0);
	close(p[1]);
}

static void oom_score_and_limits(void **state)
{
	(void)state;
	static const struct {
		int score;
		const char *text;
	} cases[] = {{7, "7\n"}, {42, "42\n"}, {500, "500\n"}, {1000, "1000\n"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		spec.oom_score_adj = cases[i].score;
		run(CAT("/proc/self/oom_score_adj"));
		assert_string_equal(out, cases[i].text);
	}
	spec.oom_score_adj = 0;
	spec.nofile = 64;
	run(SH("ulimit -Sn; ulimit -Hn"));
	assert_string_equal(out, "64\n64\n");
	struct rlimit r;
	getrlimit(RLIMIT_NOFILE, &r);
	assert_int_not_equal(r.rlim_cur, 64);
}

static int oom_pipe;

static int open_oom_pipe(const char *path, int flags, mode_t mode)
{
	return strcmp(path, "/proc/self/oom_score_adj") == 0 ? oom_pipe : open(path, flags, mode);
}

/* Lowering needs a capability that not every place for tests has. */
static void a_negative_oom_score(void **state)
{
	(void)state;
	int p[2];
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	oom_pipe = p[1];
	fake_open = open_oom_pipe;
	static const int scores[] = {-1, -950, -1000};
	for (size_t i = 0; i < sizeof(scores) / sizeof(scores[0]); i++) {
		char text[8] = "", want[8];
		spec.oom_score_adj = scores[i];
		run(SH("exit 0"));
		snprintf(want, sizeof(want), "%d", scores[i]);
		assert_int_equal(read(p[0], text, sizeof(text) - 1), strlen(want));
		assert_string_equal(text, want);
	}
	close(p[0]);
	close(p[1]);
}

static void it_runs_as_its_user(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	spec.uid = 4711;
	spec.gid = 4712;
	run(CAT("/proc/self/status"));
	assert_has("Uid:\t4711\t4711\t4711\t4711\n");
	assert_has("Gid:\t4712\t4712\t4712\t4712\n");
	assert_has("Groups:\t \n");
	assert_has("CapEff:\t0000000000000000\n");
	assert_int_equal(geteuid(), 0);
}

static int next_pid;

static pid_t clone_nobody(int (*fn)(void *), void *arg, int *pidfd)
{
	(void)fn, (void)arg;
	*pidfd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return ++next_pid;
}

/* Everybody from next_pid down has ended. */
static int wait_everybody(idtype_t type, id_t id, siginfo_t *info, int options)
{
	assert_int_equal(type, P_ALL);
	assert_int_equal(id, 0);
	assert_int_equal(options, WEXITED | WNOHANG);
	if (next_pid == 0) {
		errno = ECHILD;
		return -1;
	}
	info->si_pid = next_pid--;
	info->si_code = CLD_DUMPED;
	info->si_status = SIGSEGV;
	return 0;
}

static void count_exit(pid_t pid, const struct child_exit *how, void *arg)
{
	(void)arg;
	seen.calls++;
	seen.pid = pid;
	seen.how = *how;
}

static void the_table_has_an_end(void **state)
{
	(void)state;
	static struct child many[LIMIT_CHILDREN];
	spec.argv = SH("");
	next_pid = 0;
	fake_vfork_call = clone_nobody;
	for (int i = 0; i < LIMIT_CHILDREN; i++)
		assert_int_equal(child_spawn(&many[i], &spec, count_exit, NULL, &e), 0);
	assert_int_equal(spawn(SH("")), -1);
	assert_int_equal(e.code, EAGAIN);
	assert_int_equal(c.pidfd, -1);
	fake_waitid = wait_everybody;
	assert_int_equal(child_reap(), LIMIT_CHILDREN);
	assert_int_equal(seen.calls, LIMIT_CHILDREN);
	assert_int_equal(seen.pid, 1);
	assert_true(seen.how.signaled);
	assert_int_equal(seen.how.status, SIGSEGV);
}

static void orphans_are_reaped_in_bounded_rounds(void **state)
{
	(void)state;
	fake_waitid = wait_everybody;
	next_pid = 1500;
	assert_int_equal(child_reap(), 1024);
	assert_int_equal(child_reap(), 476);
	assert_int_equal(child_reap(), 0);
	assert_int_equal(seen.calls, 0);
}

static unsigned calls;

static int count_open(const char *path, int flags, mode_t mode)
{
	calls++;
	return open(path, flags, mode);
}

static void a_plain_start_opens_nothing_but_null(void **state)
{
	(void)state;
	calls = 0;
	fake_open = count_open;
	run(SH("exit 0"));
	assert_int_equal(calls, 1);
}

static void torture_every_call(void **state)
{
	(void)state;
	unsigned n = 1, failed = 0, before = fake_open_fds();
	int p[2];
	assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
	spec.cgroup_fd = p[1];
	spec.oom_score_adj = 1;
	spec.nofile = 64;
	spec.gid = getegid();
	spec.uid = geteuid();
	spec.fds[3] = p[0];
	for (;; n++) {
		sigset_t mask;
		sigprocmask(SIG_BLOCK, NULL, &mask);
		err_clear(&e);
		fake_fail_at(n, EIO);
		int rc = spawn(SH("exit 0"));
		bool hit = fake_fired();
		fake_fail_at(0, 0);
		sigprocmask(SIG_SETMASK, &mask, NULL);
		assert_true(hit || rc == 0);
		if (rc < 0) {
			failed++;
			assert_int_equal(e.code, EIO);
			assert_non_null(strstr(e.text, ": Input/output error"));
			assert_int_equal(c.pid, 0);
			assert_int_equal(fake_open_fds(), before + 2);
		}
		(void)reap();
		assert_int_equal(seen.calls, rc == 0);
		seen.calls = 0;
		if (!hit)
			break;
	}
	/* All but the one that puts back the parent's mask, which cannot fail. */
	assert_int_equal(failed, n - 2);
	assert_true(n > 40);
	close(p[0]);
	close(p[1]);
}

static void torture_of_signal_and_reap(void **state)
{
	(void)state;
	int p[2];
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	spec.fds[0] = p[0];
	assert_int_equal(spawn((const char *const[]){"/bin/cat", NULL}), 0);
	fake_fail_at(1, EPERM);
	assert_int_equal(child_signal(&c, SIGTERM, &e), -1);
	assert_int_equal(e.code, EPERM);
	assert_int_equal(child_signal(&c, SIGTERM, &e), 0);
	close(p[0]);
	close(p[1]);
	fake_fail_at(1, EINVAL);
	assert_int_equal(reap(), 0); /* nothing is lost: the next call finds it */
	assert_int_equal(seen.calls, 0);
	assert_int_equal(child_reap(), 1);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(seen.how.status, SIGTERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_exit_is_reported, setup, teardown),
		cmocka_unit_test_setup_teardown(a_signal_reaches_it_and_is_reported, setup, teardown),
		cmocka_unit_test_setup_teardown(the_exit_function_may_spawn_into_the_same_child, setup, teardown),
		cmocka_unit_test_setup_teardown(arguments_environment_and_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failed_start_names_the_stage, setup, teardown),
		cmocka_unit_test_setup_teardown(a_bad_spec_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(signals_are_default_and_unblocked_in_the_child, setup, teardown),
		cmocka_unit_test_setup_teardown(no_handler_runs_while_memory_is_shared, setup, teardown),
		cmocka_unit_test_setup_teardown(it_leads_a_session_of_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(descriptors_start_as_null, setup, teardown),
		cmocka_unit_test_setup_teardown(overlapping_numbers_are_moved_right, setup, teardown),
		cmocka_unit_test_setup_teardown(placed_descriptors_keep_their_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_tty_becomes_the_controlling_terminal, setup, teardown),
		cmocka_unit_test_setup_teardown(it_joins_its_cgroup_before_the_user_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(oom_score_and_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(a_negative_oom_score, setup, teardown),
		cmocka_unit_test_setup_teardown(it_runs_as_its_user, setup, teardown),
		cmocka_unit_test_setup_teardown(the_table_has_an_end, setup, teardown),
		cmocka_unit_test_setup_teardown(orphans_are_reaped_in_bounded_rounds, setup, teardown),
		cmocka_unit_test_setup_teardown(a_plain_start_opens_nothing_but_null, setup, teardown),
		cmocka_unit_test_setup_teardown(torture_every_call, setup, teardown),
		cmocka_unit_test_setup_teardown(torture_of_signal_and_reap, setup, teardown),
	};
	return cmocka_run_group_tests_name("loop/child", tests, NULL, NULL);
}
