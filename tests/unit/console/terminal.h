/* A console session for tests: stand-ins for the terminal and for PID 1, a clock turned by hand. A small terminal of 80
 * columns interprets what is written, so a test sees the rows that a person would see. */
#ifndef HEARTH_TESTS_CONSOLE_TERMINAL_H
#define HEARTH_TESTS_CONSOLE_TERMINAL_H

#include <errno.h>
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

#include "console/shell.h"
#include "pid1.h"

#define COLUMNS 80

#define STATUS(system, more)                                                                                           \
	"{\"name\":\"attic\",\"version\":\"0.1.0\",\"system\":\"" system "\",\"uptime_ms\":1000,\"problems\":[]," more \
	"}"
#define BOOTING                                                                                                        \
	STATUS("booting",                                                                                              \
	       "\"stages\":[{\"name\":\"mounts\",\"state\":\"done\"},{\"name\":\"network\",\"state\":\"running\","     \
	       "\"ms\":12000}],\"waiting\":\"network: waiting for an address (eth0: no cable)\"")
#define RUNNING                                                                                                        \
	STATUS("running",                                                                                              \
	       "\"stages\":[{\"name\":\"mounts\",\"state\":\"done\"},{\"name\":\"network\",\"state\":\"done\"}]")

static struct pid1_row rows[] = {
	{"status", PROTO_OK, RUNNING},
	{"services", PROTO_OK,
         "{\"services\":[{\"name\":\"web\",\"state\":\"ready\",\"description\":\"HTTPS console\"}]}"},
	{"help", PROTO_OK,
         "{\"commands\":[{\"name\":\"help\"},{\"name\":\"status\"},{\"name\":\"services\"},{\"name\":\"restart\"},"
         "{\"name\":\"logs\"},{\"name\":\"events\"},{\"name\":\"reboot\"},{\"name\":\"later\"}]}"},
	{"events -f", PROTO_OK, "{\"next\":3}"},
	{"events", PROTO_OK,
         "{\"next\":3,\"events\":[{\"seq\":2,\"time\":\"2026-01-31T12:00:02Z\",\"kind\":\"fact\",\"name\":"
         "\"time-floor\",\"text\":\"on\"}]}"},
	{"restart web", PROTO_OK, "{\"message\":\"web: restart asked for\"}"},
	{"restart nope", PROTO_ERROR, "restart: no service 'nope'; did you mean 'web'?"},
	{"reboot", PROTO_OK, "{\"message\":\"reboot begins\"}"},
	{"logs web", PROTO_OK, NULL},
	{0},
};

static struct loop loop;
static struct tty tty;
static struct session session;
static struct pid1 pid1;
static int master, slave;
static char path[64], log_path[80], log_answer[160];
static char screen[65536]; /* rows that have scrolled by, and the last one */
static size_t row_at;      /* where the last row begins */
static unsigned at;        /* column on it */

static inline void put(char c)
{
	size_t len = strlen(screen);
	if (c == '\r') {
		at = 0;
	} else if (c == '\b') {
		assert_true(at > 0);
		at--;
	} else if (c == '\n') {
		while (len > row_at && screen[len - 1] == ' ')
			screen[--len] = '\0';
		assert_true(len + 2 < sizeof(screen));
		screen[len] = '\n';
		screen[len + 1] = '\0';
		row_at = len + 1;
		at = 0;
	} else {
		assert_true((unsigned char)c >= 0x20);
		assert_true(at < COLUMNS - 1);
		while (len < row_at + at + 1)
			screen[len++] = ' ', screen[len] = '\0';
		screen[row_at + at++] = c;
	}
}

static inline void run(int rounds)
{
	while (rounds--) {
		char data[4096];
		assert_return_code(pid1_run(&pid1, &loop, 1), 0);
		ssize_t n = read(master, data, sizeof(data));
		for (ssize_t i = 0; i < n; i++)
			put(data[i]);
	}
}

static inline void forget(void)
{
	screen[0] = '\0';
	row_at = 0;
}

static inline void type(const char *bytes)
{
	assert_int_equal(write(master, bytes, strlen(bytes)), strlen(bytes));
	run(20);
}

/* What is on the screen since forget(), blanks at its end left out. */
static inline void assert_screen(const char *expected)
{
	size_t n = strlen(screen);
	while (n && screen[n - 1] == ' ')
		screen[--n] = '\0';
	assert_string_equal(screen, expected);
}

static inline int setup(void **state)
{
	struct err e = {0};
	(void)state;
	fake_reset();
	fake_clock_ms = 1000;
	forget();
	at = 0;
	rows[0].text = RUNNING;
	assert_return_code(str_copy(path, sizeof(path), "/tmp/hearth-shell-XXXXXX"), 0);
	assert_non_null(mkdtemp(path));
	assert_return_code(rmdir(path), 0);
	assert_return_code(str_format(log_path, sizeof(log_path), "%s.log", path), 0);
	assert_return_code(str_format(log_answer, sizeof(log_answer), "{\"name\":\"web\",\"path\":\"%s\"}", log_path),
	                   0);
	for (size_t i = 0; rows[i].request; i++)
		if (str_eq(rows[i].request, "logs web"))
			rows[i].text = log_answer;
	int fds[2];
	assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	master = fds[0];
	slave = fds[1];
	fake_ioctl = pid1_terminal_ioctl;
	memset(&loop, 0, sizeof(loop));
	assert_return_code(loop_init(&loop, &e), 0);
	assert_return_code(pid1_open(&pid1, path, rows), 0);
	assert_return_code(tty_init(&tty, &loop, slave, "vt100", &e), 0);
	shell_init(&session, &loop, &tty, path);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	fake_write = NULL;
	shell_fini(&session);
	tty_fini(&tty);
	loop_fini(&loop);
	pid1_close(&pid1);
	fake_reset();
	if (master >= 0)
		close(master);
	close(slave);
	(void)unlink(path);
	(void)unlink(log_path);
	return 0;
}

/* To a prompt on an empty screen. */
static inline void to_prompt(void)
{
	run(30);
	assert_int_equal(session.mode, SESSION_PROMPT);
	forget();
}

static inline void append(const char *text)
{
	FILE *f = fopen(log_path, "a");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static inline ssize_t terminal_full(int fd, const void *p, size_t n)
{
	(void)fd;
	(void)p;
	(void)n;
	errno = EAGAIN;
	return -1;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
