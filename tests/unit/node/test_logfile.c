/* Log files: lines and stamps, cutting, turning over, full disks, moving to another folder. */
#include "node/logfile.h"

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

#include "fake/sys.h"

#define T0    INT64_C(1769860800123) /* 2026-01-31T12:00:00.123Z */
#define STAMP "2026-01-31T12:00:00.123Z "

static struct err e;
static struct logfile f;
static char folder[64];
static unsigned fds_before;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	err_clear(&e);
	snprintf(folder, sizeof(folder), "/tmp/test_logfile.XXXXXX");
	if (!mkdtemp(folder) || chdir(folder) < 0)
		return -1;
	fds_before = fake_open_fds();
	fake_clock_wall = T0 / 1000;
	logfile_init(&f, "web", LIMIT_LOG_FILE);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	char command[128];
	logfile_close(&f);
	fake_reset();
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return chdir("/") == 0 && system(command) == 0 && fake_open_fds() == fds_before ? 0 : -1;
}

static const char *content(const char *name)
{
	static char text[256 << 10];
	int fd = open(name, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n < 0 ? NULL : text;
}

static void put(const char *text)
{
	logfile_put(&f, text, strlen(text), T0);
}

static void stamps_whole_lines(void **state)
{
	(void)state;
	put("one\ntw");
	assert_string_equal(content("web.log"), STAMP "one\n");
	put("o\n\nthree\r\nfour");
	assert_string_equal(content("web.log"), STAMP "one\n" STAMP "two\n" STAMP "\n" STAMP "three\n");
	logfile_flush(&f, T0);
	logfile_flush(&f, T0);
	assert_string_equal(content("web.log"), STAMP "one\n" STAMP "two\n" STAMP "\n" STAMP "three\n" STAMP "four\n");
}

static void makes_control_bytes_visible(void **state)
{
	(void)state;
	put("a\x1b[31mb\tc\x7f \xc3\xa4\n");
	assert_string_equal(content("web.log"), STAMP "a\\x1b[31mb\tc\\x7f \xc3\xa4\n");
}

static void cuts_long_lines_with_a_mark(void **state)
{
	(void)state;
	char line[3 * LIMIT_LOG_LINE];
	memset(line, 'x', sizeof(line));
	logfile_put(&f, line, sizeof(line), T0);
	put("y\nnext\n");
	const char *text = content("web.log");
	assert_int_equal(strspn(text + strlen(STAMP), "x"), LIMIT_LOG_LINE);
	assert_string_equal(strchr(text, 'x') + LIMIT_LOG_LINE, LOGFILE_CUT "\n" STAMP "next\n");
	/* A line that just fits is whole; one of escapes only is cut where its room ends. */
	logfile_put(&f, line, LIMIT_LOG_LINE, T0);
	memset(line, 1, sizeof(line));
	put("\n");
	logfile_put(&f, line, LIMIT_LOG_LINE, T0);
	put("\nend\n");
	text = content("web.log");
	assert_non_null(strstr(text, "xx\n" STAMP "\\x01\\x01"));
	assert_non_null(strstr(text, LOGFILE_CUT "\n" STAMP "end\n"));
}

static void many_lines_in_one_read(void **state)
{
	(void)state;
	char lines[4096];
	unsigned n = 0;
	memset(lines, '\n', sizeof(lines));
	logfile_put(&f, lines, sizeof(lines), T0);
	for (const char *p = content("web.log"); (p = strstr(p, STAMP "\n")) != NULL; p++)
		n++;
	assert_int_equal(n, sizeof(lines));
}

static off_t size_of(const char *name)
{
	struct stat st;
	return stat(name, &st) == 0 ? st.st_size : -1;
}

static void turns_over_and_stays_bounded(void **state)
{
	(void)state;
	char line[128];
	f.max = 1000;
	for (unsigned i = 0; i < 200; i++) {
		snprintf(line, sizeof(line), "line %u\n", i);
		put(line);
	}
	assert_in_range(size_of("web.log"), 1, 1000);
	assert_in_range(size_of("web.log.1"), 900, 1000);
	assert_in_range(size_of("web.log.2"), 900, 1000);
	assert_int_equal(size_of("web.log.3"), -1);
	assert_non_null(strstr(content("web.log"), "line 199\n"));
	assert_null(strstr(content("web.log.2"), "line 0\n"));
}

static void goes_on_in_an_old_file(void **state)
{
	(void)state;
	put("before\n");
	logfile_close(&f);
	logfile_init(&f, "web", 70);
	put("after\n");
	assert_string_equal(content("web.log"), STAMP "before\n" STAMP "after\n");
	put("turn\n"); /* the old size counts */
	assert_string_equal(content("web.log"), STAMP "turn\n");
}

static unsigned room; /* bytes that the disk still takes */

static ssize_t small_disk(int fd, const void *p, size_t n)
{
	if (room == 0) {
		errno = ENOSPC;
		return -1;
	}
	if (n > room)
		n = room;
	room -= (unsigned)n;
	return write(fd, p, n);
}

static void a_full_disk_costs_lines_and_says_so(void **state)
{
	(void)state;
	fake_write = small_disk;
	room = 45;
	put("one\n"); /* 29 bytes */
	put("two\n"); /* cut short */
	put("three\nfour\n");
	assert_int_equal(f.lost, 3);
	room = 1000000;
	put("five\n");
	assert_int_equal(f.lost, 0);
	const char *text = content("web.log");
	assert_memory_equal(text, STAMP "one\n2026-01-31T12:00", 45);
	assert_string_equal(text + 45, "\n2026-01-31T12:00:00.000Z ... lost 3 lines\n" STAMP "five\n");
}

static void survives_any_failing_call(void **state)
{
	(void)state;
	bool fired = true;
	for (unsigned n = 1; fired && n < 60; n++) {
		logfile_init(&f, "web", 60);
		fake_fail_at(n, EIO);
		put("a\nb\n");
		put("c\n");
		put("d\n");
		fired = fake_fired();
		fake_fail_at(0, 0);
		put("end\n");
		assert_non_null(strstr(content("web.log"), "end\n"));
		assert_int_equal(f.lost, 0);
		assert_in_range(size_of("web.log"), 1, 110);
		logfile_close(&f);
		assert_int_equal(fake_open_fds(), fds_before);
	}
	assert_false(fired);
}

static void does_not_follow_links_or_write_to_pipes(void **state)
{
	(void)state;
	assert_int_equal(symlink("/tmp/elsewhere", "web.log"), 0);
	put("one\n");
	assert_int_equal(f.lost, 1);
	assert_int_equal(size_of("/tmp/elsewhere"), -1);
	unlink("web.log");
	assert_int_equal(mkfifo("web.log", 0600), 0);
	put("two\n");
	assert_int_equal(f.lost, 2);
	assert_int_equal(f.fd, -1);
}

static void takes_over_oldest_first(void **state)
{
	(void)state;
	assert_int_equal(mkdir("early", 0700), 0);
	assert_int_equal(mkdir("late", 0700), 0);
	assert_int_equal(chdir("early"), 0);
	f.max = 60;
	put("1\n");
	put("2\n");
	put("3\n");
	put("4\n");
	put("5\n");
	logfile_close(&f);
	assert_int_equal(chdir("../late"), 0);
	f.max = LIMIT_LOG_FILE;
	put("0\n");
	assert_int_equal(logfile_take_over(&f, "../early", &e), 0);
	put("6\n");
	assert_string_equal(content("web.log"),
	                    STAMP "0\n" STAMP "1\n" STAMP "2\n" STAMP "3\n" STAMP "4\n" STAMP "5\n" STAMP "6\n");
	assert_int_equal(size_of("../early/web.log"), -1);
	assert_int_equal(size_of("../early/web.log.2"), -1);
	assert_int_equal(logfile_take_over(&f, "../nowhere", &e), 0);
	assert_int_equal(chdir(folder), 0);
}

static void take_over_ends_torn_lines(void **state)
{
	(void)state;
	assert_int_equal(mkdir("early", 0700), 0);
	int fd = open("early/web.log", O_WRONLY | O_CREAT, 0600);
	char junk[9000];
	memset(junk, 'j', sizeof(junk));
	assert_int_equal(write(fd, junk, sizeof(junk)), sizeof(junk));
	close(fd);
	assert_int_equal(logfile_take_over(&f, "early", &e), 0);
	put("next\n");
	assert_string_equal(strrchr(content("web.log"), 'j'), "j\n" STAMP "next\n");
	bool fired = true;
	for (unsigned n = 1; fired && n < 40; n++) {
		fd = open("early/web.log", O_WRONLY | O_CREAT, 0600);
		assert_int_equal(write(fd, "x\n", 2), 2);
		close(fd);
		fake_fail_at(n, EIO);
		(void)!logfile_take_over(&f, "early", &e);
		fired = fake_fired();
		fake_fail_at(0, 0);
		logfile_close(&f);
		assert_int_equal(fake_open_fds(), fds_before);
	}
	assert_false(fired);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(stamps_whole_lines),
		T(makes_control_bytes_visible),
		T(cuts_long_lines_with_a_mark),
		T(many_lines_in_one_read),
		T(turns_over_and_stays_bounded),
		T(goes_on_in_an_old_file),
		T(a_full_disk_costs_lines_and_says_so),
		T(survives_any_failing_call),
		T(does_not_follow_links_or_write_to_pipes),
		T(takes_over_oldest_first),
		T(take_over_ends_torn_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
