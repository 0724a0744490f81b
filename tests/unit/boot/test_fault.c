/* PID 1's last words, said by a child that is PID 1 of a pid namespace of its own. */
#include "boot/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/exit.h"
#include "base/paths.h"
#include "base/str.h"
#include "fake/sys.h"

static int said[2]; /* what goes to the kernel log, and in which both consoles end too */
static char text[2048];

static int open_pipe(const char *path, int flags, mode_t mode)
{
	(void)flags;
	(void)mode;
	if (str_eq(path, PATH_KMSG))
		return said[1];
	errno = ENOENT;
	return -1;
}

static void touch_nothing(void)
{
	volatile char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*page = 1;
}

static void be_ill(void)
{
	__builtin_trap();
}

static void give_up(void)
{
	abort();
}

static void hear_a_stranger(void)
{
	/* A signal of its own would count as its own fault; a child's does not. */
	if (fork() == 0) {
		kill(getppid(), SIGSEGV);
		_exit(0);
	}
	while (wait(NULL) > 0)
		continue;
	_exit(42);
}

/* Runs fn in a new process, as PID 1 of a namespace or not; returns how it ended. */
static int end_of(void (*fn)(void), bool first)
{
	int status;
	static const struct say none;
	struct err e;
	assert_int_equal(pipe2(said, O_CLOEXEC | O_NONBLOCK), 0);
	pid_t outer = fork();
	if (outer == 0) {
		fake_open = open_pipe;
		if (first && unshare(CLONE_NEWUSER | CLONE_NEWPID) < 0)
			_exit(77);
		pid_t inner = fork();
		if (inner == 0) {
			if (fault_init(&none, &e) < 0)
				_exit(76);
			fn();
			_exit(75);
		}
		waitpid(inner, &status, 0);
		_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
	}
	waitpid(outer, &status, 0);
	ssize_t n = read(said[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	close(said[0]);
	close(said[1]);
	return WEXITSTATUS(status);
}

static void test_memory_fault(void **state)
{
	(void)state;
	assert_int_equal(end_of(touch_nothing, true), 128 + SIGSEGV);
	assert_true(str_starts(text, "<0>hearth: PID 1 fault: SIGSEGV at 0x0000"));
	assert_non_null(strstr(text, " rip 0x"));
	assert_non_null(strstr(text, "; the box restarts\n"));
}

static void test_bad_instruction(void **state)
{
	(void)state;
	assert_int_equal(end_of(be_ill, true), 128 + SIGILL);
	assert_true(str_starts(text, "<0>hearth: PID 1 fault: SIGILL at "));
}

static void test_abort(void **state)
{
	(void)state;
	assert_int_equal(end_of(give_up, true), EXIT_IMPOSSIBLE);
	assert_true(str_starts(text, "<0>hearth: PID 1 fault: SIGABRT sent by process 1 rip 0x"));
}

static void test_signals_of_others_count_too(void **state)
{
	(void)state;
	assert_int_equal(end_of(hear_a_stranger, true), EXIT_IMPOSSIBLE);
	/* The first process of the namespace has number 1, its child 2. */
	assert_true(str_starts(text, "<0>hearth: PID 1 fault: SIGSEGV sent by process 2 rip 0x"));
}

static void test_a_child_before_its_exec_just_ends(void **state)
{
	(void)state;
	assert_int_equal(end_of(touch_nothing, false), EXIT_IMPOSSIBLE);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_fault),
		cmocka_unit_test(test_bad_instruction),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_signals_of_others_count_too),
		cmocka_unit_test(test_a_child_before_its_exec_just_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
