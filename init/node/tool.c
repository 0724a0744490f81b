/* Runs a helper program to its end. Used by the storage and unmount roles, which may block; one at a time. */
#include "node/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/sys.h"
#include "loop/child.h"

#define LINE         200
#define KILL_WAIT_MS 5000 /* a process in the middle of a disk access dies only after it */

/* Static, because loop/child may still call back for a program that outlived its deadline. */
static struct {
	struct child child;
	struct child_exit how;
	bool busy; /* started */
	bool ended;
	const char *name;
	char line[LINE];
	size_t len;
} run;

static void on_exit_of_tool(pid_t pid, const struct child_exit *how, void *arg)
{
	(void)pid;
	(void)arg;
	run.how = *how;
	run.ended = true;
}

static void end_line(void)
{
	run.line[run.len] = '\0';
	if (run.len > 0)
		log_info(run.name, "%s", run.line);
	run.len = 0;
}

static void take_output(int fd)
{
	char text[512];
	ssize_t n = 1;

	for (unsigned round = 0; round < 64 && n > 0; round++) {
		n = sys_read(fd, text, sizeof(text));
		for (ssize_t i = 0; i < n; i++) {
			if (text[i] == '\n' || text[i] == '\r' || run.len == sizeof(run.line) - 1)
				end_line();
			if (text[i] >= ' ')
				run.line[run.len++] = text[i];
		}
	}
}

static void wait_end(int out, uint64_t until)
{
	while (!run.ended) {
		uint64_t now = clock_ms();
		struct pollfd p[2] = {{.fd = out, .events = POLLIN}, {.fd = run.child.pidfd, .events = POLLIN}};
		if (now >= until)
			return;
		int n = sys_poll(p, 2, until - now > 1000 ? 1000 : (int)(until - now));
		if (n > 0 && p[0].revents)
			take_output(out);
		/* The end of the output stays readable for ever: from here on only the process counts. */
		if (n > 0 && p[0].revents && !(p[0].revents & POLLIN))
			out = -1;
		(void)child_reap();
	}
}

static int start(const char *const *argv, int out, struct err *e)
{
	static const char *const env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL};
	struct child_spec spec;

	child_spec_init(&spec);
	spec.argv = argv;
	spec.envp = env;
	spec.fds[1] = out;
	spec.fds[2] = out;
	return child_spawn(&run.child, &spec, on_exit_of_tool, NULL, e);
}

/* Waits for the end, with force after the deadline. */
static int see_to_end(int out, uint32_t deadline_ms, int *status, struct err *e)
{
	struct err ignored;

	wait_end(out, clock_ms() + deadline_ms);
	bool late = !run.ended;
	if (late) {
		(void)!child_signal(&run.child, SIGKILL, &ignored);
		wait_end(out, clock_ms() + KILL_WAIT_MS);
	}
	take_output(out);
	end_line();
	if (late)
		return err_set(e, ETIMEDOUT, "%s: not done after %u s, killed%s", run.name, deadline_ms / 1000,
		               run.ended ? "" : ", but it hangs in the kernel");
	if (run.how.signaled)
		return err_set(e, EINTR, "%s: died of signal %d", run.name, run.how.status);
	*status = run.how.status;
	return 0;
}

int tool_run(const char *const *argv, uint32_t deadline_ms, int *status, struct err *e)
{
	const char *slash = strrchr(argv[0], '/');
	int fds[2], rc;

	if (run.busy && !run.ended)
		return err_set(e, EBUSY, "%s: another helper program still runs", argv[0]);
	memset(&run, 0, sizeof(run));
	run.name = slash ? slash + 1 : argv[0];
	if (sys_pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "%s: pipe", run.name);
	/* Only our end: the program may write as it likes. */
	if (sys_fcntl(fds[0], F_SETFL, O_RDONLY | O_NONBLOCK) < 0) {
		rc = err_sys(e, "%s: pipe", run.name);
		sys_close(fds[1]);
		goto out;
	}
	rc = start(argv, fds[1], e);
	sys_close(fds[1]);
	if (rc < 0)
		goto out;
	run.busy = true;
	rc = see_to_end(fds[0], deadline_ms, status, e);
out:
	sys_close(fds[0]);
	return rc;
}
