/* The ctl role: `hearth ctl [--json] WORD...`, one command to PID 1 from a script or a shell of root. Prints what the
 * console prints; --json prints PID 1's answer as it is. `logs NAME [-f] [-n N]` reads the log file itself; `-f`
 * follows until Ctrl-C; `kubeconfig` reads that file itself. Exit code: 0 done, 1 PID 1 says no, 2 usage, 111 PID 1
 * cannot be reached. */
#ifndef HEARTH_CONSOLE_CTL_H
#define HEARTH_CONSOLE_CTL_H

#define CTL_ANSWER_MS 26000 /* for one answer; PID 1 itself gives a role 23 s (ASKS_MS) */

/* argv[0] is the role's name. Returns the exit code. */
int ctl_main(int argc, char **argv);

/* The same with everything named, for tests: path of the control socket, descriptor to print to. */
struct ctl_io {
	const char *path;
	int out;
	int err;
};
int ctl_run(const struct ctl_io *io, int argc, const char *const *argv);

#endif
