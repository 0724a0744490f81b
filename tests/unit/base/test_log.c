/* Log lines into a pipe (a service's log) and into a socket that stands for /dev/kmsg: one write, one record. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <sys/socket.h>

#include "fake/sys.h"

static int p[2];
static char got[4096];

static int setup(void **state)
{
	(void)state;
	fake_reset();
	if (pipe2(p, O_NONBLOCK | O_CLOEXEC) < 0)
		return -1;
	log_init("web", p[1], 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	log_init("test", STDERR_FILENO, 0);
	close(p[0]);
	close(p[1]);
	return 0;
}

/* What has been written since the last call. */
static const char *take(void)
{
	ssize_t n = read(p[0], got, sizeof(got) - 1);
	got[n > 0 ? n : 0] = '\0';
	return got;
}

static void lines_name_level_and_room(void **state)
{
	(void)state;
	log_info("service", "%s: ready after %d ms", "web", 12);
	assert_string_equal(take(), "info service: web: ready after 12 ms\n");
	log_warnx("a", "b");
	log_errx("a", "b");
	log_debug("a", "b");
	assert_string_equal(take(), "warn a: b\nerr a: b\ndebug a: b\n");
}

static void warn_adds_errno_and_keeps_it(void **state)
{
	(void)state;
	errno = ENOENT;
	log_warn("disk", "open %s", "/x");
	assert_int_equal(errno, ENOENT);
	assert_string_equal(take(), "warn disk: open /x: No such file or directory\n");
	errno = 0;
	log_warn("disk", "odd");
	assert_string_equal(take(), "warn disk: odd\n");
}

/* /dev/kmsg takes one record per write; a packet socket keeps them apart too. */
static void use_kmsg(const char *role)
{
	close(p[0]);
	close(p[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, p), 0);
	log_init(role, p[1], 1);
}

static void kmsg_lines_carry_the_level_and_who_speaks(void **state)
{
	(void)state;
	use_kmsg("init");
	log_errx("boot", "no root");
	assert_string_equal(take(), "<3>hearth: boot: no root\n");
	log_init("stage1", p[1], 1);
	log_warnx("boot", "x");
	log_info("boot", "y");
	log_debug("boot", "z");
	assert_string_equal(take(), "<4>hearth-stage1: boot: x\n");
	assert_string_equal(take(), "<6>hearth-stage1: boot: y\n");
	assert_string_equal(take(), "<7>hearth-stage1: boot: z\n");
	log_init("a-name-that-is-far-too-long-for-a-role", p[1], 1);
	log_info("boot", "y");
	assert_string_equal(take(), "<6>hearth: boot: y\n");
}

static void a_line_is_one_line_of_text(void **state)
{
	(void)state;
	log_info("a", "x\ny\r\x1b[2J\x7f\tz");
	assert_string_equal(take(), "info a: x y  [2J  z\n");
	log_info("a\nb", "%s", "\xc3\xa4"); /* UTF-8 passes */
	assert_string_equal(take(), "info a b: \xc3\xa4\n");
}

static void a_long_line_is_cut_and_marked(void **state)
{
	(void)state;
	char text[2048];
	for (size_t n = 480; n < sizeof(text); n += n < 520 ? 1 : 500) {
		memset(text, 'x', n);
		text[n] = '\0';
		errno = EIO;
		log_warn("a", "%s", text);
		const char *line = take();
		size_t len = strlen(line);
		assert_true(len <= 512);
		assert_ptr_equal(strchr(line, '\n'), line + len - 1);
		if (8 + n + 20 < 511) /* "warn a: ", the text, ": Input/output error" */
			assert_string_equal(line + len - 7, " error\n");
		else
			assert_string_equal(line + len - 4, "...\n");
	}
}

static void fill_pipe(void)
{
	char block[4096] = "";
	while (write(p[1], block, sizeof(block)) > 0)
		;
}

static void a_full_sink_loses_lines_and_says_so(void **state)
{
	(void)state;
	fill_pipe();
	errno = EBUSY;
	log_info("a", "lost 1");
	log_info("a", "lost 2");
	assert_int_equal(errno, EBUSY);
	while (*take() != '\0' || read(p[0], got, sizeof(got)) > 0)
		;
	log_info("a", "here again");
	assert_string_equal(take(), "warn log: lost 2 lines\ninfo a: here again\n");
	log_info("a", "fine");
	assert_string_equal(take(), "info a: fine\n");
}

static void a_full_blocking_pipe_does_not_block(void **state)
{
	(void)state;
	fill_pipe();
	assert_int_equal(fcntl(p[1], F_SETFL, O_WRONLY), 0);
	log_info("a", "must not hang");
}

static ssize_t half_write(int fd, const void *data, size_t n)
{
	(void)fd, (void)data;
	return (ssize_t)n / 2;
}

static void half_a_line_counts_as_lost(void **state)
{
	(void)state;
	fake_write = half_write;
	log_info("a", "x");
	fake_write = NULL;
	log_info("a", "y");
	assert_string_equal(take(), "warn log: lost 1 lines\ninfo a: y\n");
}

static void a_closed_sink_is_survived(void **state)
{
	(void)state;
	log_init("web", -1, 0);
	log_errx("a", "x");
	log_init("web", 9999, 1);
	log_errx("a", "x");
}

static void torture_every_call(void **state)
{
	(void)state;
	unsigned n = 1;
	for (;; n++) {
		log_init("web", p[1], 0);
		fake_fail_at(n, EIO);
		errno = EBUSY;
		log_info("a", "x");
		bool hit = fake_fired();
		fake_fail_at(0, 0);
		assert_int_equal(errno, EBUSY);
		assert_string_equal(take(), hit ? "" : "info a: x\n");
		log_info("a", "y");
		assert_string_equal(take(), hit ? "warn log: lost 1 lines\ninfo a: y\n" : "info a: y\n");
		if (!hit)
			break;
	}
	assert_int_equal(n, 3); /* poll, write */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lines_name_level_and_room, setup, teardown),
		cmocka_unit_test_setup_teardown(warn_adds_errno_and_keeps_it, setup, teardown),
		cmocka_unit_test_setup_teardown(kmsg_lines_carry_the_level_and_who_speaks, setup, teardown),
		cmocka_unit_test_setup_teardown(a_line_is_one_line_of_text, setup, teardown),
		cmocka_unit_test_setup_teardown(a_long_line_is_cut_and_marked, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_sink_loses_lines_and_says_so, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_blocking_pipe_does_not_block, setup, teardown),
		cmocka_unit_test_setup_teardown(half_a_line_counts_as_lost, setup, teardown),
		cmocka_unit_test_setup_teardown(a_closed_sink_is_survived, setup, teardown),
		cmocka_unit_test_setup_teardown(torture_every_call, setup, teardown),
	};
	return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
