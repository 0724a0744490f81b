/* service/actions with real programs: what they get, how they end, and that nothing of them is left. */
#include "unit/service/box.h"

#include <poll.h>
#include <sys/wait.h>

#include "service/actions.h"

static int setup(void **state)
{
	if (box_setup(state) < 0)
		return -1;
	fake_vfork_call = NULL;
	fake_pidfd_send_signal = NULL;
	fake_kill = NULL;
	fake_waitid = NULL;
	return 0;
}

static int teardown(void **state)
{
	services_stop_all(&box.services);
	for (int i = 0; i < 200 && !services_all_down(&box.services); i++) {
		services_kill_all(&box.services);
		poll(NULL, 0, 10);
		child_reap();
		box_run();
	}
	if (!services_all_down(&box.services))
		return -1;
	return box_teardown(state);
}

static void boot_shell(const char *script, const char *more)
{
	char text[512];

	snprintf(text, sizeof(text), "name: a\ncommand: [/bin/sh, -c, '%s']\n%s", script, more);
	box_file("a.yaml", text);
	box_boot();
}

/* Real time for real programs, at most 5 s; the box's clock stands still. */
static void until(enum service_state state)
{
	for (int i = 0; i < 500 && box_get("a")->state != state; i++) {
		poll(NULL, 0, 10);
		child_reap();
		box_run();
	}
	box_expect("a", state);
}

static const char *output(void)
{
	static char text[4096];
	ssize_t n = read(box_get("a")->log_read_fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void what_a_program_gets(void **state)
{
	(void)state;
	boot_shell("env; echo to stderr >&2; ls /proc/self/fd; readlink /proc/self/fd/0",
	           "type: oneshot\nenvironment: {GREETING: hello}\n");
	until(SERVICE_DONE);
	const char *got = output();
	assert_non_null(strstr(got, "GREETING=hello\n"));
	assert_non_null(strstr(got, "PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"));
	assert_null(strstr(got, "NOTIFY_FD"));
	assert_non_null(strstr(got, "to stderr\n0\n1\n2\n3\n/dev/null\n")); /* 3 is the folder that ls reads */
}

static void readiness_and_a_restart_at_once(void **state)
{
	(void)state;
	boot_shell("echo READY=1 >&$NOTIFY_FD; exec sleep 1000", "ready: notify\nenvironment: {PATH: /bin:/usr/bin}\n");
	until(SERVICE_READY);
	pid_t first = box_get("a")->child.pid;
	assert_int_equal(kill(first, SIGKILL), 0);
	for (int i = 0; i < 500 && child_reap() == 0; i++)
		poll(NULL, 0, 10);
	/* Without one more round of the loop. */
	box_expect("a", SERVICE_STARTING);
	assert_int_not_equal(box_get("a")->child.pid, first);
	until(SERVICE_READY);
	assert_non_null(strstr(box.trace, "a:backoff a:starting a:ready "));
}

static void nothing_is_left_behind(void **state)
{
	siginfo_t info = {0};
	(void)state;

	boot_shell("sleep 1000 & echo $!; exit 1", "restart: never\n");
	until(SERVICE_FAILED);
	pid_t left = (pid_t)strtol(output(), NULL, 10);
	assert_true(left > 1);
	/* An orphan of ours only when we are its reaper; dead or a zombie it is in any case. */
	for (int i = 0; i < 500 && kill(left, 0) == 0; i++) {
		char path[64], stat[256] = "";
		snprintf(path, sizeof(path), "/proc/%d/stat", (int)left);
		FILE *f = fopen(path, "r");
		if (!f || !fgets(stat, sizeof(stat), f) || strstr(stat, ") Z "))
			i = 500;
		else
			poll(NULL, 0, 10);
		if (f)
			fclose(f);
		if (i == 499)
			fail_msg("still there: %s", stat);
	}
	(void)waitid(P_PID, (id_t)left, &info, WEXITED | WNOHANG);
}

static void a_missing_program_is_named(void **state)
{
	(void)state;
	box_file("a.yaml", "name: a\ncommand: [/no/such/program]\n");
	box_boot();
	box_expect("a", SERVICE_BACKOFF);
	assert_string_equal(box_get("a")->detail,
	                    "exec /no/such/program: No such file or directory; next start in 100 ms");
}

static int gives_nothing(const char *name, void *arg, struct err *e)
{
	(void)name;
	(void)arg;
	return err_set(e, EMFILE, "no more");
}

static int given[2];

static int gives_one(const char *name, void *arg, struct err *e)
{
	(void)arg;
	(void)e;
	assert_string_equal(name, "a");
	assert_int_equal(pipe2(given, O_CLOEXEC), 0);
	return given[1];
}

static void the_control_channel(void **state)
{
	char got[8] = "";
	(void)state;

	box.services.open_channel = gives_nothing;
	boot_shell("echo hi >&3", "type: oneshot\ncontrol: true\n");
	box_expect("a", SERVICE_BACKOFF);
	assert_string_equal(box_get("a")->detail, "control channel: no more; next start in 100 ms");
	box.services.open_channel = gives_one;
	box_wait(100);
	until(SERVICE_DONE);
	assert_int_equal(read(given[0], got, sizeof(got)), 3);
	assert_string_equal(got, "hi\n");
	assert_int_equal(read(given[0], got, sizeof(got)), 0); /* our copy of its end is closed */
	close(given[0]);
}

static void a_deaf_program_is_killed(void **state)
{
	struct err e;
	(void)state;

	boot_shell("trap \"\" TERM; echo READY=1 >&4; while :; do sleep 1; done", "ready: notify\nstop-timeout: 1s\n");
	until(SERVICE_READY);
	assert_int_equal(services_want(&box.services, "a", false, &e), 0);
	box_run();
	box_expect("a", SERVICE_STOPPING);
	box_wait(1000);
	until(SERVICE_DOWN);
	assert_string_equal(box_get("a")->detail, "killed by signal KILL after 1 s");
}

/* The n-th call fails, with a real program: it ends as ready all the same, and nothing leaks. */
static void torture(void **state)
{
	unsigned n = 0;
	bool fired = true;
	(void)state;

	boot_shell("exec sleep 1000", "");
	while (fired && n < 300) {
		struct err e;
		n++;
		unsigned before = fake_open_fds();
		fake_fail_at(n, ENOMEM);
		(void)!services_restart(&box.services, "a", &e);
		for (int i = 0; i < 5; i++)
			(void)!loop_step(&box.loop, &e);
		fired = fake_fired();
		fake_fail_at(0, 0);
		for (int i = 0; i < 500 && (box_get("a")->state != SERVICE_READY || box_get("a")->leaving); i++) {
			child_reap();
			box_wait(50);
			poll(NULL, 0, 1);
		}
		box_expect("a", SERVICE_READY);
		assert_int_equal(fake_open_fds(), before);
	}
	assert_in_range(n, 3, 299);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_a_program_gets),
		TEST(readiness_and_a_restart_at_once),
		TEST(nothing_is_left_behind),
		TEST(a_missing_program_is_named),
		TEST(the_control_channel),
		TEST(a_deaf_program_is_killed),
		TEST(torture),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
