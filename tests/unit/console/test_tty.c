/* console/tty over a pseudo terminal: raw and back, size, a terminal that takes nothing, one that hangs up. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "console/tty.h"
#include "pid1.h"

static struct loop loop;
static struct tty tty;
static int master, slave;
static char input[256];
static size_t input_len;
static size_t rooms, gones;

static void on_read(const unsigned char *data, size_t n, void *arg)
{
	(void)arg;
	assert_true(input_len + n <= sizeof(input));
	memcpy(input + input_len, data, n);
	input_len += n;
}

static void on_room(void *arg)
{
	(void)arg;
	rooms++;
}

static void on_gone(void *arg)
{
	(void)arg;
	gones++;
}

/* A pseudo terminal hands bytes on by a kernel thread: some real milliseconds pass too. */
static void run(int rounds)
{
	struct pid1 none = {.listener = -1};
	while (rounds--) {
		(void)poll(NULL, 0, 5);
		assert_return_code(pid1_run(&none, &loop, 1), 0);
	}
}

static void run_until(const size_t *counter, size_t value)
{
	for (int i = 0; i < 1000 && *counter < value; i++)
		run(1);
}

static int setup(void **state)
{
	struct err e = {0};
	(void)state;
	fake_reset();
	input_len = rooms = gones = 0;
	master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
	assert_true(master >= 0);
	assert_return_code(grantpt(master), 0);
	assert_return_code(unlockpt(master), 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	memset(&loop, 0, sizeof(loop));
	assert_return_code(loop_init(&loop, &e), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	loop_fini(&loop);
	if (master >= 0)
		close(master);
	close(slave);
	return 0;
}

static void begin(const char *term)
{
	struct err e = {0};
	assert_return_code(tty_init(&tty, &loop, slave, term, &e), 0);
	tty_hooks(&tty, &(struct tty_hooks){on_read, on_room, on_gone, NULL});
}

static void raw_and_back(void **state)
{
	struct termios before, during, after;
	char out[16];
	(void)state;
	memset(&before, 0, sizeof(before));
	memset(&after, 0, sizeof(after));
	assert_return_code(tcgetattr(slave, &before), 0);
	begin("vt100");
	assert_return_code(tcgetattr(slave, &during), 0);
	assert_false(during.c_lflag & (ECHO | ICANON | ISIG));
	assert_int_equal(cfgetospeed(&during), cfgetospeed(&before));
	assert_int_equal(write(master, "a\003\r", 3), 3);
	run_until(&input_len, 3);
	assert_int_equal(input_len, 3);
	assert_memory_equal(input, "a\003\r", 3);
	assert_true(tty_write(&tty, "x\n", 2));
	struct pollfd p = {.fd = master, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 5000), 1);
	assert_int_equal(read(master, out, sizeof(out)), 3);
	assert_memory_equal(out, "x\r\n", 3);
	assert_false(tty.dumb || tty.screen);
	tty_fini(&tty);
	assert_return_code(tcgetattr(slave, &after), 0);
	assert_int_equal(after.c_lflag, before.c_lflag);
	assert_int_equal(after.c_iflag, before.c_iflag);
	assert_false(fcntl(slave, F_GETFL) & O_NONBLOCK);
}

static void sizes(void **state)
{
	struct winsize size = {.ws_row = 24, .ws_col = 132};
	(void)state;
	begin("dumb");
	assert_true(tty.dumb);
	assert_int_equal(tty_width(&tty), 79); /* the terminal says nothing */
	assert_return_code(ioctl(slave, TIOCSWINSZ, &size), 0);
	tty_resize(&tty);
	assert_int_equal(tty_width(&tty), 131);
	size.ws_col = 10;
	assert_return_code(ioctl(slave, TIOCSWINSZ, &size), 0);
	tty_resize(&tty);
	assert_int_equal(tty_width(&tty), 32);
	tty_fini(&tty);
}

static ssize_t full(int fd, const void *p, size_t n)
{
	(void)fd;
	(void)p;
	(void)n;
	errno = EAGAIN;
	return -1;
}

static void a_stuck_terminal(void **state)
{
	char block[1000], out[TTY_BACKLOG * 2];
	unsigned taken = 0;
	size_t total = 0;
	(void)state;
	begin(NULL);
	memset(block, 'x', sizeof(block));
	fake_write = full;
	while (taken < 100 && tty_write(&tty, block, sizeof(block)))
		taken++;
	assert_int_equal(taken, TTY_BACKLOG / sizeof(block));
	assert_int_equal(tty_room(&tty), TTY_BACKLOG % sizeof(block));
	run(5);
	assert_int_equal(rooms, 0);
	fake_write = NULL;
	for (int i = 0; i < 1000 && total < taken * sizeof(block); i++) {
		run(1);
		ssize_t n = read(master, out, sizeof(out));
		total += n > 0 ? (size_t)n : 0;
	}
	run_until(&rooms, 1);
	assert_int_equal(rooms, 1);
	assert_int_equal(total, taken * sizeof(block));
	assert_int_equal(tty_room(&tty), TTY_BACKLOG);
	tty_fini(&tty);
}

static void a_hangup(void **state)
{
	(void)state;
	begin(NULL);
	close(master);
	master = -1;
	run_until(&gones, 1);
	assert_int_equal(gones, 1);
	(void)tty_write(&tty, "x", 1);
	tty_fini(&tty);
}

static void no_terminal(void **state)
{
	struct err e = {0};
	int fds[2];
	(void)state;
	assert_return_code(pipe(fds), 0);
	assert_int_equal(tty_init(&tty, &loop, fds[0], NULL, &e), -1);
	assert_non_null(strstr(e.text, "terminal: "));
	assert_false(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
	close(fds[0]);
	close(fds[1]);
}

static void torture(void **state)
{
	(void)state;
	for (unsigned n = 1;; n++) {
		struct err e = {0};
		fake_fail_at(n, EIO);
		int rc = tty_init(&tty, &loop, slave, NULL, &e);
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		if (!rc)
			tty_fini(&tty);
		if (!fired)
			break;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(raw_and_back, setup, teardown),
		cmocka_unit_test_setup_teardown(sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stuck_terminal, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hangup, setup, teardown),
		cmocka_unit_test_setup_teardown(no_terminal, setup, teardown),
		cmocka_unit_test_setup_teardown(torture, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
