/* console/screen: the role's main in a child with a pseudo terminal: what it refuses, and how it ends. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/exit.h"
#include "console/screen.h"
#include "fake/sys.h"

static char name[] = "console", extra[] = "extra";

/* Runs the role with fd as standard input; standard error is nowhere. */
static pid_t start(int fd, int argc)
{
	char *argv[] = {name, argc > 1 ? extra : NULL, NULL};
	pid_t pid = fork();
	if (pid)
		return pid;
	(void)setsid();
	int null = open("/dev/null", O_RDWR);
	if (dup2(fd, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		_exit(99);
	(void)close(fd);
	for (int i = 3; i < 64; i++)
		(void)close(i);
	(void)alarm(30);
	_exit(console_main(argc, argv));
}

static int end_of(pid_t pid)
{
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int open_terminal(int *slave)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(master >= 0);
	assert_return_code(grantpt(master), 0);
	assert_return_code(unlockpt(master), 0);
	*slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(*slave >= 0);
	return master;
}

static bool raw(int fd)
{
	struct termios t;
	assert_return_code(tcgetattr(fd, &t), 0);
	return !(t.c_lflag & ICANON);
}

static void wait_raw(int fd)
{
	for (int i = 0; i < 2000 && !raw(fd); i++)
		(void)poll(NULL, 0, 5);
	assert_true(raw(fd));
}

static void refusals(void **state)
{
	int slave, master = open_terminal(&slave), null = open("/dev/null", O_RDWR);
	(void)state;
	assert_int_equal(end_of(start(slave, 2)), EXIT_USAGE);
	assert_int_equal(end_of(start(null, 1)), EXIT_SYSTEM);
	close(null);
	close(slave);
	close(master);
}

static void a_signal_gives_the_terminal_back(void **state)
{
	int slave, master = open_terminal(&slave);
	(void)state;
	pid_t pid = start(slave, 1);
	wait_raw(slave);
	assert_return_code(kill(pid, SIGWINCH), 0);
	assert_return_code(kill(pid, SIGPIPE), 0);
	(void)poll(NULL, 0, 20);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	assert_return_code(kill(pid, SIGTERM), 0);
	assert_int_equal(end_of(pid), 0);
	assert_false(raw(slave));
	close(slave);
	close(master);
}

static void a_hangup_ends_it(void **state)
{
	int slave, master = open_terminal(&slave);
	(void)state;
	pid_t pid = start(slave, 1);
	wait_raw(slave);
	close(slave);
	close(master);
	assert_int_equal(end_of(pid), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals),
		cmocka_unit_test(a_signal_gives_the_terminal_back),
		cmocka_unit_test(a_hangup_ends_it),
	};
	fake_reset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
