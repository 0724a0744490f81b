/* console/view over a stand-in for a terminal that a test reads, or that takes nothing. */
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

#include "console/view.h"
#include "pid1.h"

static struct loop loop;
static struct tty tty;
static struct view view;
static int master, slave;
static char seen[2 * VIEW_PAGE];

static void on_room(void *arg)
{
	(void)arg;
	view_room(&view);
}

static const char *read_all(void)
{
	struct pid1 none = {.listener = -1};
	size_t n = 0;
	for (int i = 0; i < 200; i++) {
		ssize_t got = read(master, seen + n, sizeof(seen) - n - 1);
		n += got > 0 ? (size_t)got : 0;
		assert_return_code(pid1_run(&none, &loop, 1), 0);
	}
	seen[n] = '\0';
	return seen;
}

static int setup(void **state)
{
	struct err e = {0};
	(void)state;
	fake_reset();
	int fds[2];
	assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	master = fds[0];
	slave = fds[1];
	fake_ioctl = pid1_terminal_ioctl;
	memset(&loop, 0, sizeof(loop));
	assert_return_code(loop_init(&loop, &e), 0);
	assert_return_code(tty_init(&tty, &loop, slave, "vt100", &e), 0);
	tty_hooks(&tty, &(struct tty_hooks){NULL, on_room, NULL, NULL});
	view_init(&view, &tty);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	tty_fini(&tty);
	loop_fini(&loop);
	close(master);
	close(slave);
	return 0;
}

static void notes_above_the_prompt(void **state)
{
	char data[LINE_OUTPUT];
	struct buf out;
	(void)state;
	view_prompt(&view, true);
	buf_init(&out, data, sizeof(data));
	line_insert(&view.line, "typed", &out);
	view_echo(&view, &out);
	assert_string_equal(read_all(), "\r> typed");
	view_note(&view, "news\n");
	assert_string_equal(read_all(), "\r       \rnews\n\r> typed");
	view_prompt(&view, false);
	assert_string_equal(read_all(), "\r       \r");
	view_note(&view, "");
	assert_string_equal(read_all(), "");
}

static void a_waiting_row(void **state)
{
	(void)state;
	view_waiting(&view, "waiting 10 s");
	view_waiting(&view, "waiting");
	assert_string_equal(read_all(), "\rwaiting 10 s\rwaiting     \rwaiting");
	view_note(&view, "news\n");
	assert_string_equal(read_all(), "\r       \rnews\n");
	view_waiting(&view, "w");
	view_prompt(&view, true);
	assert_string_equal(read_all(), "\rw\r \r\r> ");
	view_waiting(&view, "not now");
	assert_string_equal(read_all(), "");
}

static ssize_t full(int fd, const void *p, size_t n)
{
	(void)fd;
	(void)p;
	(void)n;
	errno = EAGAIN;
	return -1;
}

/* An answer longer than the backlog goes out whole, notes of that time behind it, the prompt last. */
static void a_long_page(void **state)
{
	(void)state;
	view.prompt = true;
	for (int i = 0; i < 1000; i++)
		buf_addf(view_page(&view), "line %04d of a long answer\n", i);
	fake_write = full;
	view_flush(&view);
	assert_true(view_busy(&view));
	view_note(&view, "news\n");
	fake_write = NULL;
	const char *text = read_all();
	assert_false(view_busy(&view));
	assert_int_equal(strlen(text), 1000 * 27 + 5 + 3);
	assert_non_null(strstr(text, "line 0999 of a long answer\nnews\n\r> "));
}

static void a_page_that_does_not_fit(void **state)
{
	(void)state;
	for (int i = 0; i < 4000; i++)
		buf_addf(view_page(&view), "line %04d of a long answer\n", i);
	view_flush(&view);
	const char *text = read_all();
	assert_non_null(strstr(text, "\n(cut)\n"));
}

static void a_stuck_terminal_drops_notes_first(void **state)
{
	(void)state;
	view_prompt(&view, true);
	(void)read_all();
	fake_write = full;
	for (int i = 0; i < 1000; i++)
		view_note(&view, "a note that nobody reads at the moment\n");
	assert_true(view.lost > 500);
	assert_true(tty_room(&tty) >= TTY_BACKLOG - VIEW_NOTES - 64);
	unsigned lost = view.lost;
	char expected[64];
	assert_return_code(str_format(expected, sizeof(expected), "(%u lines were dropped", lost), 0);
	fake_write = NULL;
	const char *text = read_all();
	assert_non_null(strstr(text, expected));
	assert_string_equal(text + strlen(text) - 3, "\r> ");
	assert_int_equal(view.lost, 0);
}

static void cut_and_clear(void **state)
{
	(void)state;
	fake_write = full;
	for (int i = 0; i < 1000; i++)
		buf_add(view_page(&view), "a line of an answer\n");
	view_flush(&view);
	view_cut(&view);
	assert_false(view_busy(&view));
	fake_write = NULL;
	(void)read_all();
	view_clear(&view);
	assert_string_equal(read_all(), "\033[H\033[2J");
	tty.dumb = true;
	view_clear(&view);
	assert_string_equal(read_all(), "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(notes_above_the_prompt, setup, teardown),
		cmocka_unit_test_setup_teardown(a_waiting_row, setup, teardown),
		cmocka_unit_test_setup_teardown(a_long_page, setup, teardown),
		cmocka_unit_test_setup_teardown(a_page_that_does_not_fit, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stuck_terminal_drops_notes_first, setup, teardown),
		cmocka_unit_test_setup_teardown(cut_and_clear, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
