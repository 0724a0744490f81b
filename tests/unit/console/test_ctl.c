/* console/ctl against a stand-in for PID 1 in a child process: output, exit codes, --json, following. */
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
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/exit.h"
#include "base/paths.h"
#include "boot/asks.h"
#include "console/ctl.h"
#include "pid1.h"

static char path[64], log_path[80], log_answer[160];
static char out[16384], err[1024];
static pid_t server;

static struct pid1_row rows[] = {
	{"status", PROTO_OK, "{\"name\":\"attic\",\"version\":\"0.1.0\",\"system\":\"running\"}"},
	{"services", PROTO_OK,
         "{\"services\":[{\"name\":\"web\",\"state\":\"failed\",\"detail\":\"exited with status 1\"}]}"},
	{"restart web", PROTO_OK, "{\"message\":\"web: restart asked for\"}"},
	{"events -f", PROTO_OK, "{\"next\":2}"},
	{"events", PROTO_OK,
         "{\"next\":2,\"events\":[{\"seq\":1,\"time\":\"2026-01-31T12:00:02Z\",\"kind\":\"fact\",\"name\":\"a\","
         "\"text\":\"on\"}]}"},
	{"logs web", PROTO_OK, log_answer},
	{"logs pod/x", PROTO_OK, "{\"name\":\"x\",\"path\":\"/etc/passwd\"}"},
	{"logs pod/x c", PROTO_OK, "{\"name\":\"x\",\"path\":\"/var/log/pods/none_x_1/c/0.log\"}"},
	{"kubeconfig", PROTO_OK, "{\"path\":\"" PATH_KUBECONFIG "\",\"address\":\"10.0.2.15\"}"},
	{"odd", PROTO_OK, "[]"},
	{0},
};

/* PID 1: sends two events once somebody follows and has asked for the past, then ends the connection. */
static void serve(struct pid1 *p)
{
	for (;;) {
		pid1_step(p, -1);
		if (p->follower < 0 || !str_eq(p->last, "events"))
			continue;
		pid1_event(p, "{\"seq\":1,\"time\":\"2026-01-31T12:00:02Z\",\"kind\":\"fact\",\"name\":\"a\",\"text\":"
		              "\"on\"}");
		pid1_event(p, "{\"seq\":2,\"time\":\"2026-01-31T12:00:03Z\",\"kind\":\"fact\",\"name\":\"b\",\"text\":"
		              "\"on\"}");
		pid1_drop(p, p->follower);
	}
}

static int setup(void **state)
{
	static struct pid1 p;
	(void)state;
	fake_reset();
	assert_return_code(str_copy(path, sizeof(path), "/tmp/hearth-ctl-XXXXXX"), 0);
	assert_non_null(mkdtemp(path));
	assert_return_code(rmdir(path), 0);
	assert_return_code(str_format(log_path, sizeof(log_path), "%s.log", path), 0);
	assert_return_code(str_format(log_answer, sizeof(log_answer), "{\"name\":\"web\",\"path\":\"%s\"}", log_path),
	                   0);
	assert_return_code(pid1_open(&p, path, rows), 0);
	server = fork();
	if (server == 0) {
		(void)alarm(60);
		serve(&p);
	}
	close(p.listener);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)kill(server, SIGKILL);
	(void)waitpid(server, NULL, 0);
	(void)unlink(path);
	(void)unlink(log_path);
	return 0;
}

static void slurp(FILE *f, char *into, size_t cap)
{
	rewind(f);
	into[fread(into, 1, cap - 1, f)] = '\0';
	fclose(f);
}

/* words: ended by NULL. */
static int ctl(const char *const *words)
{
	FILE *o = tmpfile(), *e = tmpfile();
	int argc = 0;
	while (words[argc])
		argc++;
	assert_true(o && e);
	const struct ctl_io io = {path, fileno(o), fileno(e)};
	int rc = ctl_run(&io, argc, words);
	slurp(o, out, sizeof(out));
	slurp(e, err, sizeof(err));
	return rc;
}

#define CTL(...) ctl((const char *const[]){"ctl", __VA_ARGS__, NULL})

static void commands(void **state)
{
	(void)state;
	assert_int_equal(CTL("restart", "web"), 0);
	assert_string_equal(out, "web: restart asked for\n");
	assert_int_equal(CTL("--json", "restart", "web"), 0);
	assert_string_equal(out, "{\"message\":\"web: restart asked for\"}\n");
	assert_int_equal(CTL("status"), 0);
	assert_non_null(strstr(out, "attic: Hearth 0.1.0, running\n"));
	assert_non_null(strstr(out, "          web  failed    exited with status 1\n"));
	assert_int_equal(CTL("--json", "status"), 0);
	assert_string_equal(out, "{\"name\":\"attic\",\"version\":\"0.1.0\",\"system\":\"running\"}\n");
}

static void refusals(void **state)
{
	(void)state;
	assert_int_equal(CTL("nope"), 1);
	assert_string_equal(out, "");
	assert_string_equal(err, "hearth ctl: unknown command\n");
	assert_int_equal(CTL("odd"), EXIT_SYSTEM);
	assert_int_equal(CTL("odd", ""), 1);
	assert_int_equal(CTL("--json"), EXIT_USAGE);
	assert_int_equal(CTL("-x"), EXIT_USAGE);
	assert_int_equal(CTL("logs", "web", "-q"), EXIT_USAGE);
	assert_int_equal(ctl((const char *const[]){"ctl", NULL}), EXIT_USAGE);
	assert_non_null(strstr(err, "usage: hearth ctl"));
}

static void nobody_there(void **state)
{
	(void)state;
	(void)unlink(path);
	assert_int_equal(CTL("status"), EXIT_SYSTEM);
	assert_non_null(strstr(err, "hearth ctl: PID 1 cannot be reached: "));
}

static void events(void **state)
{
	(void)state;
	assert_int_equal(CTL("events", "-f"), EXIT_SYSTEM); /* the stand-in hangs up */
	assert_string_equal(out, "12:00:02  fact     a: on\n12:00:03  fact     b: on\n");
	assert_non_null(strstr(err, "PID 1 closed the connection"));
	assert_int_equal(CTL("events"), 0);
	assert_string_equal(out, "12:00:02  fact     a: on\n");
}

static void logs(void **state)
{
	FILE *f = fopen(log_path, "w");
	(void)state;
	assert_non_null(f);
	assert_true(fputs("one\ntwo\033[31m\nthree", f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(CTL("logs", "web", "-n", "2"), 0);
	assert_string_equal(out, "two\033[31m\nthree"); /* no terminal: as it is */
	assert_int_equal(CTL("--json", "logs", "web"), 0);
	assert_non_null(strstr(out, log_path));
	(void)unlink(log_path);
	assert_int_equal(CTL("logs", "web"), 0);
	assert_string_equal(out, "");
	assert_int_equal(CTL("logs", "pod/x", "c"), 0);
	assert_int_not_equal(CTL("logs", "pod/x"), 0);
	assert_string_equal(out, "");
	assert_non_null(strstr(err, "'/etc/passwd' is not the path of a log"));
}

/* The kubeconfig is where the test's log is. */
static int open_here(const char *name, int flags, mode_t mode)
{
	return open(str_eq(name, PATH_KUBECONFIG) ? log_path : name, flags, mode);
}

static int terminal_of_80(int fd, unsigned long request, void *arg)
{
	struct winsize *size = arg;
	(void)fd;
	size->ws_col = 80;
	return request == TIOCGWINSZ ? 0 : -1;
}

static void kubeconfig(void **state)
{
	static const char long_line[] = "    certificate-authority-data: "
					"0123456789012345678901234567890123456789012345678901234567890123456789";
	char expected[512];
	(void)state;
	fake_open = open_here;
	fake_ioctl = terminal_of_80;
	assert_int_equal(CTL("kubeconfig"), 1);
	assert_string_equal(out, "");
	assert_string_equal(err, "hearth ctl: kubeconfig: the cluster has not come up yet; `services` shows k3s\n");
	FILE *f = fopen(log_path, "w");
	assert_non_null(f);
	assert_true(fprintf(f, "%s\n    server: https://127.0.0.1:6443\n", long_line) > 0);
	assert_int_equal(fclose(f), 0);
	assert_return_code(str_format(expected, sizeof(expected),
	                              "%s\n    tls-server-name: 127.0.0.1\n    server: https://10.0.2.15:6443\n",
	                              long_line),
	                   0);
	assert_int_equal(CTL("kubeconfig"), 0);
	assert_string_equal(out, expected);
	assert_string_equal(err, "");
	assert_int_equal(CTL("--json", "kubeconfig"), 0);
	assert_string_equal(out, "{\"path\":\"" PATH_KUBECONFIG "\",\"address\":\"10.0.2.15\"}\n");
	assert_int_equal(CTL("kubeconfig", "x"), 1);
	assert_string_equal(out, "");
}

/* What PID 1 says about a role that is late must get here: its answer comes before ours. */
static void patience(void **state)
{
	(void)state;
	assert_true(CTL_ANSWER_MS >= ASKS_MS + 1000);
}

static ssize_t no_space(int fd, const void *p, size_t n)
{
	(void)fd;
	(void)p;
	(void)n;
	errno = ENOSPC;
	return -1;
}

static void output_that_fails(void **state)
{
	(void)state;
	fake_write = no_space;
	assert_int_equal(CTL("restart", "web"), 1);
	fake_write = NULL;
}

static void torture(void **state)
{
	(void)state;
	unsigned fds = fake_open_fds();
	for (unsigned n = 1;; n++) {
		fake_fail_at(n, EIO);
		int rc = CTL("status");
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		assert_int_equal(fake_open_fds(), fds);
		if (!fired) {
			assert_int_equal(rc, 0);
			break;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(commands),   T(refusals), T(nobody_there),      T(events),  T(logs),
		T(kubeconfig), T(patience), T(output_that_fails), T(torture),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
