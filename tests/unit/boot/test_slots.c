/* `slots` and `rollback`: what they answer, what is refused, and when the box goes down. Spawn, kill and reboot are
 * faked in every test. */
#include "boot/slots.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "boot/commands.h"
#include "boot/wire.h"
#include "fake/sys.h"
#include "unit/ended.h"

static struct box box;
static struct err e;
static char text[LIMIT_REPLY];
static const char *told; /* PATH_RUN_SLOTS; NULL: absent */
static char spawned[128];
static pid_t child;

static int run_open(const char *path, int flags, mode_t mode)
{
	if (strcmp(path, "/run/hearth/slots") != 0)
		return open(path, flags, mode);
	char file[] = "/tmp/hearth-test-slots-XXXXXX";
	if (told == NULL) {
		errno = ENOENT;
		return -1;
	}
	int fd = mkostemp(file, O_CLOEXEC);
	unlink(file);
	assert_int_equal(write(fd, told, strlen(told)), strlen(told));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* In the child, which shares our memory until it execs. */
static int note_execve(const char *path, char *const argv[], char *const envp[])
{
	static char name[] = "true";
	(void)path;
	for (unsigned i = 1; argv[i]; i++) {
		strcat(spawned, spawned[0] ? " " : "");
		strcat(spawned, argv[i]);
	}
	return execve("/bin/true", (char *[]){name, NULL}, envp);
}

/* Alive until `ended` says otherwise. */
static pid_t fake_child(int (*fn)(void *), void *arg, int *pidfd)
{
	(void)fn;
	(void)arg;
	*pidfd = eventfd(0, EFD_CLOEXEC);
	child = (1 << 22) + 1;
	return child;
}

static int nothing(int how)
{
	(void)how;
	return 0;
}

static int no_kill(pid_t pid, int signo)
{
	(void)pid;
	(void)signo;
	return 0;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_open = run_open;
	fake_reboot = nothing;
	fake_kill = no_kill;
	fake_vfork_call = fake_child;
	fake_waitid = wait_ended;
	fake_epoll_wait = fake_epoll_now;
	fake_clock_ms = 5000;
	memset(&box, 0, sizeof(box));
	told = "a good 2 0 0.2.0\nb bad 1 0 -\n";
	spawned[0] = '\0';
	ended = 0;
	box.slot = 'a';
	return loop_init(&box.loop, &e) < 0 || wire_init(&box, &e) < 0 || commands_install(&box, &e) < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	power_fini(&box.power);
	loop_fini(&box.loop);
	fake_reset();
	return 0;
}

static int run(enum peer peer, const char *word)
{
	struct json j;
	struct buf b;
	buf_init(&b, text, sizeof(text));
	json_init(&j, &b);
	return command_run(&box.commands, peer, word, strlen(word) + 1, &j, &e);
}

static void child_ends(int status)
{
	ended = child;
	end_status = status;
	(void)child_reap();
}

static void test_slots(void **state)
{
	(void)state;
	assert_int_equal(run(PEER_WEB, "slots"), 0);
	assert_string_equal(text, "{\"running\":\"a\",\"slots\":["
	                          "{\"slot\":\"a\",\"running\":true,\"state\":\"good\",\"left\":0,\"generation\":2,"
	                          "\"version\":\"0.2.0\"},"
	                          "{\"slot\":\"b\",\"running\":false,\"state\":\"bad\",\"left\":0,\"generation\":1,"
	                          "\"version\":\"unknown\"}]}");
	told = NULL;
	assert_int_equal(run(PEER_WEB, "slots"), -1);
	assert_non_null(strstr(e.text, "slots: the boot entries are not known"));
	told = "nonsense\n";
	assert_int_equal(run(PEER_WEB, "slots"), -1);
}

static void test_rollback(void **state)
{
	(void)state;
	assert_int_equal(run(PEER_WEB, "rollback"), -1);
	assert_int_equal(e.code, EPERM);
	assert_int_equal(run(PEER_LOCAL, "rollback"), 0);
	assert_string_equal(text, "{\"message\":\"slot b is made the next one, then the box restarts\"}");
	assert_true(box.mark.running);
	assert_false(shutdown_running(&box.shutdown));
	assert_int_equal(run(PEER_LOCAL, "rollback"), -1);
	assert_string_equal(e.text, "rollback: a rollback is under way already");
	child_ends(0);
	assert_true(shutdown_running(&box.shutdown));
	assert_int_equal(box.shutdown.how, SHUTDOWN_REBOOT);
	assert_string_equal(box.shutdown.why, "rollback to slot b asked for by a command");
	assert_int_equal(run(PEER_LOCAL, "rollback"), -1);
	assert_non_null(strstr(e.text, "going down"));
}

static void test_the_helper(void **state)
{
	(void)state;
	fake_vfork_call = NULL;
	fake_waitid = NULL;
	fake_execve = note_execve;
	box.slot = 'b';
	assert_int_equal(run(PEER_LOCAL, "rollback"), 0);
	for (unsigned i = 0; i < 500 && box.mark.running; i++) {
		(void)poll(NULL, 0, 10);
		(void)child_reap();
	}
	assert_string_equal(spawned, "slot next a");
	assert_string_equal(box.shutdown.why, "rollback to slot a asked for by a command");
}

static void test_a_rollback_that_fails(void **state)
{
	(void)state;
	assert_int_equal(run(PEER_LOCAL, "rollback"), 0);
	child_ends(1);
	assert_false(shutdown_running(&box.shutdown));
	assert_int_equal(box.problems.count, 1);
	assert_non_null(strstr(box.problems.list[0].text, "the rollback failed"));
	assert_int_equal(run(PEER_LOCAL, "rollback"), 0); /* once more */
	assert_int_equal(box.problems.count, 0);
	child_ends(0);
	assert_true(shutdown_running(&box.shutdown));
}

static void test_what_is_refused(void **state)
{
	(void)state;
	told = "a good 1 0 0.1.0\nb empty 0 0 -\n";
	assert_int_equal(run(PEER_LOCAL, "rollback"), -1);
	assert_string_equal(e.text, "rollback: slot b holds no system");
	told = NULL;
	assert_int_equal(run(PEER_LOCAL, "rollback"), -1);
	assert_non_null(strstr(e.text, "the boot entries are not known"));
	box.slot = '\0';
	assert_int_equal(run(PEER_LOCAL, "rollback"), -1);
	assert_string_equal(e.text, "rollback: which slot runs is not known");
	assert_false(box.mark.running);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_slots),           TEST(test_rollback),
		TEST(test_the_helper),      TEST(test_a_rollback_that_fails),
		TEST(test_what_is_refused),
	};
	return cmocka_run_group_tests_name("boot slots", tests, NULL, NULL);
}
