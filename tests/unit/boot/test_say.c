/* PID 1's lines on the consoles: which are opened, what is written, and that a stuck one costs nothing. */
#include "boot/say.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/paths.h"
#include "base/str.h"
#include "fake/sys.h"

static struct say s;
static char opened[256], written[1024];
static const char *active; /* content of PATH_SYS_CONSOLES, NULL: no such file */
static int write_error;

static int fake_opened(const char *path, int flags, mode_t mode)
{
	(void)mode;
	if (str_eq(path, PATH_SYS_CONSOLES)) {
		int fds[2];
		if (active == NULL) {
			errno = ENOENT;
			return -1;
		}
		assert_int_equal(pipe(fds), 0);
		assert_int_equal(write(fds[1], active, strlen(active)), (ssize_t)strlen(active));
		close(fds[1]);
		return fds[0];
	}
	assert_true((flags & O_NONBLOCK) != 0 && (flags & O_NOCTTY) != 0 && (flags & O_CLOEXEC) != 0);
	strcat(strcat(opened, path), " ");
	return open("/dev/null", flags);
}

static ssize_t note_write(int fd, const void *p, size_t n)
{
	(void)fd;
	if (write_error != 0) {
		errno = write_error;
		return -1;
	}
	strncat(written, p, n);
	return (ssize_t)n;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_open = fake_opened;
	fake_write = note_write;
	memset(&s, 0, sizeof(s));
	opened[0] = written[0] = '\0';
	write_error = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	while (s.count > 0)
		close(s.fd[--s.count]);
	fake_reset();
	return 0;
}

static void test_every_console_of_the_kernel(void **state)
{
	(void)state;
	active = "tty0 ttyS0\n";
	say_open(&s);
	assert_string_equal(opened, "/dev/tty0 /dev/ttyS0 ");
	say(&s, "one %d", 1);
	assert_string_equal(written, "\rhearth: one 1\r\n\rhearth: one 1\r\n");
	unsigned fds = fake_open_fds();
	say_open(&s); /* again: the old ones are closed */
	assert_int_equal(s.count, 2);
	assert_int_equal(fake_open_fds(), fds);
}

static void test_without_sys(void **state)
{
	(void)state;
	active = NULL;
	say_open(&s);
	assert_string_equal(opened, PATH_CONSOLE " ");
}

static void test_more_consoles_than_room(void **state)
{
	(void)state;
	active = "a b c d e f";
	say_open(&s);
	assert_int_equal(s.count, SAY_CONSOLES);
}

static void test_quiet_and_loud(void **state)
{
	(void)state;
	active = "tty0";
	say_open(&s);
	s.quiet = true;
	say(&s, "not shown");
	say_loud(&s, "shown");
	assert_string_equal(written, "\rhearth: shown\r\n");
}

static void test_long_lines_and_stuck_terminals(void **state)
{
	char text[600];
	(void)state;
	active = "tty0";
	say_open(&s);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	say(&s, "%s", text);
	assert_true(strlen(written) < 300);
	assert_string_equal(written + strlen(written) - 2, "\r\n");
	write_error = EAGAIN;
	say(&s, "lost");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_console_of_the_kernel),    TEST(test_without_sys),
		TEST(test_more_consoles_than_room),        TEST(test_quiet_and_loud),
		TEST(test_long_lines_and_stuck_terminals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
