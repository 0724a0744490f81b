/* host/cgroup over a folder in the place of /sys/fs/cgroup, and over a real cgroup v2 where one can be written. */
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/paths.h"
#include "base/str.h"
#include "fake/sys.h"
#include "host/cgroup.h"

static char top[64]; /* stands for PATH_CGROUP */
static char killed[256];
static struct err e;

static const char *moved(const char *path, char buf[512])
{
	if (!str_starts(path, PATH_CGROUP))
		return path;
	snprintf(buf, 512, "%s%s", top, path + strlen(PATH_CGROUP));
	return buf;
}

static int my_open(const char *path, int flags, mode_t mode)
{
	char buf[512];
	return open(moved(path, buf), flags, mode);
}

static int my_mkdir(const char *path, mode_t mode)
{
	char buf[512];
	return mkdir(moved(path, buf), mode);
}

static int my_rmdir(const char *path)
{
	char buf[512];
	return rmdir(moved(path, buf));
}

static int my_kill(pid_t pid, int signo)
{
	size_t n = strlen(killed);
	snprintf(killed + n, sizeof(killed) - n, "%d:%d ", (int)pid, signo);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_open = my_open;
	fake_mkdir = my_mkdir;
	fake_rmdir = my_rmdir;
	fake_kill = my_kill;
	killed[0] = '\0';
	strcpy(top, "/tmp/hearth-cgroup-XXXXXX");
	return mkdtemp(top) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[96];
	(void)state;
	fake_reset();
	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command);
}

static void put(const char *file, const char *text)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", top, file);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static const char *get(const char *file)
{
	static char text[256];
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", top, file);
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void setup_passes_controllers_on(void **state)
{
	(void)state;
	put("cgroup.subtree_control", "");
	assert_int_equal(cgroup_setup(&e), 0);
	assert_int_equal(cgroup_setup(&e), 0); /* again */
	put("hearth/cgroup.subtree_control", "");
	assert_int_equal(cgroup_setup(&e), 0);
	assert_string_equal(get("hearth/cgroup.subtree_control"), "+memory +pids +cpu +io +cpuset");
}

static ssize_t lacks_a_controller(int fd, const void *p, size_t n)
{
	if (!memchr(p, ' ', n))
		return write(fd, p, n);
	errno = EINVAL;
	return -1;
}

static void setup_does_without_a_missing_controller(void **state)
{
	(void)state;
	put("cgroup.subtree_control", "");
	assert_int_equal(cgroup_setup(&e), 0);
	put("hearth/cgroup.subtree_control", "");
	fake_write = lacks_a_controller;
	assert_int_equal(cgroup_setup(&e), 0);
	assert_string_equal(get("hearth/cgroup.subtree_control"),
	                    "+cpuset"); /* five writes, each from the start of a plain file */
}

static void no_cgroups_is_an_answer(void **state)
{
	(void)state;
	rmdir(top);
	assert_int_equal(cgroup_setup(&e), -1);
	assert_non_null(strstr(e.text, "mkdir /sys/fs/cgroup/hearth: No such file"));
	assert_int_equal(cgroup_open("web", 0, 0, &e), -1);
	assert_false(cgroup_populated("web"));
	assert_int_equal(cgroup_memory("web"), 0);
	assert_int_equal(cgroup_kill("web", &e), 0);
	assert_int_equal(cgroup_remove("web", &e), 0);
}

static void open_with_limits(void **state)
{
	(void)state;
	assert_int_equal(cgroup_setup(&e), 0);
	assert_int_equal(cgroup_open("web", 0, 0, &e), -1); /* made, but no kernel fills it here */
	put("hearth/web/cgroup.procs", "");
	put("hearth/web/memory.max", "");
	int fd = cgroup_open("web", 16 << 20, 4 << 20, &e); /* memory.min is not there: no error */
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	assert_string_equal(get("hearth/web/memory.max"), "16777216");
	put("hearth/web/memory.current", "123456\n");
	assert_int_equal(cgroup_memory("web"), 123456);
	put("hearth/web/memory.current", "lots\n");
	assert_int_equal(cgroup_memory("web"), 0);
	put("hearth/web/cgroup.events", "populated 1\nfrozen 0\n");
	assert_true(cgroup_populated("web"));
	put("hearth/web/cgroup.events", "populated 0\nfrozen 1\n");
	assert_false(cgroup_populated("web"));
	assert_int_equal(
		cgroup_open("a-name-longer-than-any-path-of-ours"
	                    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	                    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	                    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	                    0, 0, &e),
		-1);
	assert_int_equal(e.code, ENAMETOOLONG);
}

static void kill_with_the_kernels_help(void **state)
{
	(void)state;
	assert_int_equal(cgroup_setup(&e), 0);
	assert_int_equal(cgroup_open("web", 0, 0, &e), -1);
	put("hearth/web/cgroup.procs", "77\n");
	put("hearth/web/cgroup.kill", "");
	assert_int_equal(cgroup_kill("web", &e), 0);
	assert_string_equal(get("hearth/web/cgroup.kill"), "1");
	assert_string_equal(killed, "");
	assert_int_equal(cgroup_remove("web", &e), -1); /* files in it, as if populated */
}

static void kill_one_by_one(void **state)
{
	(void)state;
	assert_int_equal(cgroup_setup(&e), 0);
	assert_int_equal(cgroup_open("web", 0, 0, &e), -1);
	put("hearth/web/cgroup.procs", "77\n1\n0\nx\n88\n99");
	assert_int_equal(cgroup_kill("web", &e), 0);
	/* Bounded rounds; never PID 1, never what is cut off. */
	assert_string_equal(killed, "77:9 88:9 77:9 88:9 77:9 88:9 77:9 88:9 ");
}

static void failures_leak_nothing(void **state)
{
	(void)state;
	assert_int_equal(cgroup_setup(&e), 0);
	assert_int_equal(cgroup_open("web", 0, 0, &e), -1);
	put("hearth/web/cgroup.procs", "77\n");
	put("hearth/web/memory.max", "");
	unsigned before = fake_open_fds();
	for (unsigned n = 1; n < 40; n++) {
		fake_fail_at(n, EIO);
		(void)!cgroup_setup(&e);
		int fd = cgroup_open("web", 1, 1, &e);
		(void)!cgroup_kill("web", &e);
		(void)cgroup_populated("web");
		(void)cgroup_memory("web");
		(void)!cgroup_remove("web", &e);
		if (fd >= 0)
			close(fd);
		assert_int_equal(fake_open_fds(), before);
		if (!fake_fired())
			return;
	}
	fail();
}

/* A real cgroup v2, when this machine gives one to the tests. */
static void the_real_thing(void **state)
{
	static const char *const places[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};
	int status, fd = -1;
	(void)state;

	char made[64];
	memcpy(made, top, sizeof(made));
	for (size_t i = 0; i < COUNT_OF(places) && fd < 0; i++) {
		strcpy(top, places[i]);
		if (cgroup_setup(&e) == 0)
			fd = cgroup_open("unit-test", 0, 0, &e);
	}
	if (fd < 0) {
		memcpy(top, made, sizeof(top));
		skip();
	}
	pid_t pid = fork();
	if (pid == 0) {
		if (write(fd, "0", 1) != 1)
			_exit(1);
		pause();
		_exit(2);
	}
	for (int i = 0; i < 500 && !cgroup_populated("unit-test"); i++)
		usleep(10000);
	bool seen = cgroup_populated("unit-test");
	int rc = cgroup_kill("unit-test", &e);
	kill(pid, seen ? 0 : SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	int removed = cgroup_remove("unit-test", &e);
	(void)!cgroup_remove("", &e);
	close(fd);
	memcpy(top, made, sizeof(top));
	assert_true(seen);
	assert_int_equal(rc, 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(removed, 0);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(setup_passes_controllers_on), TEST(setup_does_without_a_missing_controller),
		TEST(no_cgroups_is_an_answer),     TEST(open_with_limits),
		TEST(kill_with_the_kernels_help),  TEST(kill_one_by_one),
		TEST(failures_leak_nothing),       TEST(the_real_thing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
