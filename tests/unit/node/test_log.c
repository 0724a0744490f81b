/* The log role as a whole: descriptors over its control channel, files in a folder, another one mounted over it. The
 * loop's waiting is where each test acts: nothing sleeps. */
#include "node/log.h"

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
#include <unistd.h>

#include <cmocka.h>

#include "base/paths.h"
#include "base/str.h"
#include "fake/sys.h"
#include "loop/chan.h"
#include "node/logfile.h"

#define STAMP "2026-01-31T12:00:00.000Z "

static struct err e;
static char top[64];        /* a folder for this test */
static const char *mounted; /* the folder in it that PATH_LOGS is at the moment */
static int control;         /* PID 1's end */
static int web[2], net[2];  /* pipes, as PID 1 keeps them */
static void (*act[8])(void);
static unsigned done;

static const char *real_path(const char *path, char *dst, size_t cap)
{
	if (!str_starts(path, PATH_LOGS))
		return path;
	snprintf(dst, cap, "%s/%s%s", top, mounted, path + strlen(PATH_LOGS));
	return dst;
}

static int open_there(const char *path, int flags, mode_t mode)
{
	char p[256];
	return open(real_path(path, p, sizeof(p)), flags, mode);
}

static int chdir_there(const char *path)
{
	char p[256];
	return chdir(real_path(path, p, sizeof(p)));
}

static int stat_there(const char *path, struct stat *st)
{
	char p[256];
	return stat(real_path(path, p, sizeof(p)), st);
}

static int mkdir_there(const char *path, mode_t mode)
{
	char p[256];
	return str_starts(PATH_LOGS, path) && !str_eq(path, PATH_LOGS) ? 0 : mkdir(real_path(path, p, sizeof(p)), mode);
}

static int chmod_there(const char *path, mode_t mode)
{
	char p[256];
	return str_starts(PATH_LOGS, path) && !str_eq(path, PATH_LOGS) ? 0 : chmod(real_path(path, p, sizeof(p)), mode);
}

/* Everything is served first; then the next act, and at last the end. */
static int wait_or_act(int ep, struct epoll_event *ev, int max, int timeout)
{
	(void)timeout;
	int n = epoll_wait(ep, ev, max, 0);
	if (n != 0)
		return n;
	if (done < COUNT_OF(act) && act[done])
		act[done++]();
	else
		kill(getpid(), SIGTERM);
	return epoll_wait(ep, ev, max, 0);
}

static int setup(void **state)
{
	(void)state;
	int ends[2];
	fake_reset();
	memset(act, 0, sizeof(act));
	done = 0;
	mounted = "early";
	snprintf(top, sizeof(top), "/tmp/test_log.XXXXXX");
	if (!mkdtemp(top) || chdir(top) < 0 || mkdir("late", 0700) < 0)
		return -1;
	if (chan_pair(ends, &e) < 0 || pipe2(web, O_CLOEXEC) < 0 || pipe2(net, O_CLOEXEC) < 0)
		return -1;
	control = fcntl(ends[1], F_DUPFD_CLOEXEC, 20);
	close(ends[1]);
	if (ends[0] != LOG_CONTROL_FD) {
		dup2(ends[0], LOG_CONTROL_FD);
		close(ends[0]);
	}
	fake_open = open_there;
	fake_chdir = chdir_there;
	fake_stat = stat_there;
	fake_mkdir = mkdir_there;
	fake_chmod = chmod_there;
	fake_epoll_wait = wait_or_act;
	fake_clock_wall = 1769860800;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	char command[128];
	fake_reset();
	close(control);
	close(LOG_CONTROL_FD);
	for (int i = 0; i < 2; i++) {
		close(web[i]);
		close(net[i]);
	}
	snprintf(command, sizeof(command), "rm -rf %s", top);
	return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static int run(void)
{
	char name[] = "log";
	char *argv[] = {name, NULL};
	return log_main(1, argv);
}

static const char *content(const char *name)
{
	static char text[65536], path[128];
	snprintf(path, sizeof(path), "%s/%s", top, name);
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n < 0 ? NULL : text;
}

static void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void message(const char *text, int fd)
{
	int rc = chan_send(control, text, strlen(text), fd, &e);
	assert_true(rc == 0 || fake_fired()); /* the failing call may be this one */
}

static void pass_pipes(void)
{
	message("pipe web", web[0]);
	message("pipe network", net[0]);
}

static void both_speak(void)
{
	say(web[1], "hello\nand no");
	say(net[1], "up\n");
}

static void writes_each_service_its_file(void **state)
{
	(void)state;
	unsigned before = fake_open_fds();
	act[0] = pass_pipes;
	act[1] = both_speak;
	assert_int_equal(run(), 0);
	assert_string_equal(content("early/web.log"), STAMP "hello\n" STAMP "and no\n");
	assert_string_equal(content("early/network.log"), STAMP "up\n");
	assert_int_equal(fake_open_fds(), before);
}

static void what_is_in_the_pipe_outlives_the_role(void **state)
{
	(void)state;
	say(web[1], "said while nobody listened\n");
	act[0] = pass_pipes;
	assert_int_equal(run(), 0);
	say(web[1], "said between\n");
	done = 0;
	assert_int_equal(run(), 0);
	assert_string_equal(content("early/web.log"), STAMP "said while nobody listened\n" STAMP "said between\n");
}

static void mount_over(void)
{
	mounted = "late";
	say(web[1], "late\n");
	message("reopen", -1);
}

static void reopen_again(void)
{
	message("reopen", -1);
	say(net[1], "later\n");
}

static void moves_to_the_folder_mounted_over(void **state)
{
	(void)state;
	char path[128];
	snprintf(path, sizeof(path), "%s/late/web.log", top);
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	say(fd, STAMP "of the boot before\n");
	close(fd);
	act[0] = pass_pipes;
	act[1] = both_speak;
	act[2] = mount_over;
	act[3] = reopen_again;
	unsigned before = fake_open_fds();
	assert_int_equal(run(), 0);
	const char *text = content("late/web.log");
	assert_non_null(strstr(text, STAMP "of the boot before\n" STAMP "hello\n"));
	assert_non_null(strstr(text, "late\n"));
	assert_string_equal(content("late/network.log"), STAMP "up\n" STAMP "later\n");
	assert_null(content("early/web.log"));
	assert_int_equal(fake_open_fds(), before);
}

static void nonsense(void)
{
	char longest[200];
	memset(longest, 'x', sizeof(longest));
	message("pipe ../../etc/passwd", web[0]);
	message("pipe", web[0]);
	message("pipe web", -1);
	message("what", net[0]);
	assert_int_equal(chan_send(control, longest, sizeof(longest), -1, &e), 0);
}

static void survives_nonsense_on_its_channel(void **state)
{
	(void)state;
	unsigned before = fake_open_fds();
	act[0] = nonsense;
	act[1] = pass_pipes;
	act[2] = both_speak;
	assert_int_equal(run(), 0);
	assert_string_equal(content("early/network.log"), STAMP "up\n");
	assert_int_equal(fake_open_fds(), before);
}

static void second_pipe(void)
{
	message("pipe web", net[0]);
}

static void a_new_pipe_takes_the_place_of_the_old(void **state)
{
	(void)state;
	unsigned before = fake_open_fds();
	act[0] = pass_pipes;
	act[1] = second_pipe;
	act[2] = both_speak;
	assert_int_equal(run(), 0);
	assert_int_equal(fake_open_fds(), before);
}

static ssize_t read_of_web; /* bytes that the flooding service got through before the other one was heard */
static unsigned reads_of_web, reads_before_net;

static ssize_t count_reads(int fd, void *p, size_t n)
{
	struct stat a, b;
	ssize_t got = read(fd, p, n);
	if (fstat(fd, &a) < 0 || !S_ISFIFO(a.st_mode) || fstat(web[0], &b) < 0 || got <= 0)
		return got;
	if (a.st_ino == b.st_ino) {
		reads_of_web++;
		read_of_web += got;
	} else {
		reads_before_net = reads_of_web;
	}
	return got;
}

static void flood(void)
{
	char block[1024];
	memset(block, '\n', sizeof(block));
	for (unsigned i = 0; i < 60; i++)
		assert_int_equal(write(web[1], block, sizeof(block)), (ssize_t)sizeof(block));
	say(net[1], "small voice\n");
}

static void a_flood_does_not_starve_others(void **state)
{
	(void)state;
	reads_of_web = reads_before_net = 0;
	fake_read = count_reads;
	act[0] = pass_pipes;
	act[1] = flood;
	assert_int_equal(run(), 0);
	assert_string_equal(content("early/network.log"), STAMP "small voice\n");
	assert_true(reads_of_web >= 15);
	assert_true(reads_before_net <= 2);
}

static void survives_any_failing_call(void **state)
{
	(void)state;
	unsigned before = fake_open_fds();
	bool fired = true;
	for (unsigned n = 1; fired && n < 200; n++) {
		done = 0;
		mounted = "early";
		act[0] = pass_pipes;
		act[1] = both_speak;
		act[2] = mount_over;
		fake_fail_at(n, EIO);
		int rc = run();
		fired = fake_fired();
		fake_fail_at(0, 0);
		assert_true(rc == 0 || rc == 111);
		assert_int_equal(fake_open_fds(), before);
	}
	assert_false(fired);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(writes_each_service_its_file),
		T(what_is_in_the_pipe_outlives_the_role),
		T(moves_to_the_folder_mounted_over),
		T(survives_nonsense_on_its_channel),
		T(a_new_pipe_takes_the_place_of_the_old),
		T(a_flood_does_not_starve_others),
		T(survives_any_failing_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
