/* Identity, settings and the clock's floor, from files of a temporary folder. Host name and clock are faked. */
#include "boot/identify.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/paths.h"
#include "base/str.h"
#include "fake/sys.h"

static struct identify id;
static struct err e;
static char folder[64], name[80], problem[ERR_TEXT];
static int64_t set_to;

/* Paths of the program lie in the temporary folder, '/' as '_'. */
static const char *here(const char *path)
{
	static char text[2][512];
	static unsigned turn;
	char *to = text[turn++ % 2];
	assert_int_equal(str_format(to, 512, "%s/%s", folder, path + 1), 0);
	for (char *p = to + strlen(folder) + 1; *p != '\0'; p++) {
		if (*p == '/')
			*p = '_';
	}
	return to;
}

static int open_here(const char *path, int flags, mode_t mode)
{
	if ((flags & O_DIRECTORY) != 0)
		return open(folder, flags);
	return open(here(path), flags, mode);
}

static int rename_here(const char *from, const char *to)
{
	return rename(here(from), here(to));
}

static int unlink_here(const char *path)
{
	return unlink(here(path));
}

static int chmod_here(const char *path, mode_t mode)
{
	return chmod(here(path), mode);
}

static int note_name(const char *text, size_t n)
{
	memcpy(name, text, n);
	name[n] = '\0';
	return 0;
}

static int note_clock(int64_t wall)
{
	set_to = wall;
	fake_clock_wall = wall;
	return 0;
}

static void put(const char *path, const char *text)
{
	int fd = open(here(path), O_CREAT | O_TRUNC | O_WRONLY, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static const char *get(const char *path)
{
	static char text[2048];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	assert_int_equal(file_read(path, &b, &e), 0);
	return text;
}

static void on_problem(const char *message, void *arg)
{
	(void)arg;
	assert_int_equal(str_copy(problem, sizeof(problem), message), 0);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_sethostname = note_name;
	fake_clock_set = note_clock;
	fake_clock_wall = 1600000000;
	fake_open = open_here;
	fake_rename = rename_here;
	fake_unlink = unlink_here;
	fake_chmod = chmod_here;
	memset(&id, 0, sizeof(id));
	problem[0] = name[0] = '\0';
	set_to = 0;
	return str_format(folder, sizeof(folder), "/tmp/hearth-identify-XXXXXX") < 0 || mkdtemp(folder) == NULL ? -1
	                                                                                                        : 0;
}

static int teardown(void **state)
{
	static const char *const files[] = {PATH_SETTINGS_DEFAULT, PATH_RUN_SETTINGS,     PATH_RUN_IDENTITY,
	                                    PATH_RUN_MACHINE_ID,   PATH_RUN_TIME_SERVERS, PATH_BUILD_EPOCH,
	                                    PATH_SYS_RTC};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(files); i++)
		(void)unlink(here(files[i]));
	fake_reset();
	return rmdir(folder);
}

static const char good[] = "machine-id=0123456789abcdef0123456789abcdef\nhostname=hearth-0123\nboots=7\n"
			   "clock=1650000000\nlast-shutdown=reboot\n";

static void test_identity(void **state)
{
	(void)state;
	assert_string_equal(identify_hostname(&id), IDENTIFY_NAME);
	assert_int_equal(identify_load(&id, &e), -1);
	assert_false(id.known);
	put(PATH_RUN_IDENTITY, good);
	assert_int_equal(identify_load(&id, &e), 0);
	assert_true(id.known);
	assert_string_equal(identify_hostname(&id), "hearth-0123");
	assert_int_equal(identify_settings(&id, on_problem, NULL), 0);
	if (identify_apply(&id, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(name, "hearth-0123");
	assert_string_equal(get(PATH_RUN_MACHINE_ID), "0123456789abcdef0123456789abcdef\n");
}

static void test_settings_of_the_box_win(void **state)
{
	(void)state;
	put(PATH_RUN_IDENTITY, good);
	put(PATH_SETTINGS_DEFAULT, "hostname: \"\"\ntime-servers: [a.example, b.example]\n");
	put(PATH_RUN_SETTINGS, "hostname: cellar\n");
	assert_int_equal(identify_load(&id, &e), 0);
	assert_int_equal(identify_settings(&id, on_problem, NULL), 0);
	assert_string_equal(identify_hostname(&id), "cellar");
	if (identify_apply(&id, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(name, "cellar");
	assert_string_equal(get(PATH_RUN_TIME_SERVERS), "a.example\nb.example\n");
}

static void test_bad_settings_are_told_by_the_name_people_know(void **state)
{
	(void)state;
	put(PATH_SETTINGS_DEFAULT, "hostname: shed\n");
	put(PATH_RUN_SETTINGS, "# mine\nhostnam: cellar\n");
	assert_int_equal(identify_settings(&id, on_problem, NULL), 1);
	assert_true(str_starts(problem, PATH_STATE_SETTINGS ":2: "));
	assert_string_equal(identify_hostname(&id), "shed");
}

static void test_clock_floor(void **state)
{
	(void)state;
	put(PATH_BUILD_EPOCH, "1620000000\n");
	assert_int_equal(identify_clock(&id, &e), 0);
	assert_int_equal(set_to, 1620000000);
	assert_non_null(strstr(id.clock, "raised to the floor: build"));
	put(PATH_RUN_IDENTITY, good);
	assert_int_equal(identify_load(&id, &e), 0);
	assert_int_equal(identify_clock(&id, &e), 0);
	assert_int_equal(set_to, 1650000000);
	set_to = 0;
	assert_int_equal(identify_clock(&id, &e), 0);
	assert_int_equal(set_to, 0); /* never back, never twice */
}

static void test_torture(void **state)
{
	(void)state;
	put(PATH_RUN_IDENTITY, good);
	put(PATH_BUILD_EPOCH, "1620000000\n");
	for (unsigned n = 1; n < 200; n++) {
		unsigned before = fake_open_fds();
		struct identify fresh = {.known = false};
		fake_fail_at(n, EIO);
		int rc = identify_load(&fresh, &e);
		(void)identify_settings(&fresh, on_problem, NULL);
		(void)!identify_apply(&fresh, &e);
		(void)!identify_clock(&fresh, &e);
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		assert_int_equal(fresh.known, rc == 0);
		assert_int_equal(fake_open_fds(), before);
		if (!fired)
			return;
	}
	fail();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_identity),
		TEST(test_settings_of_the_box_win),
		TEST(test_bad_settings_are_told_by_the_name_people_know),
		TEST(test_clock_floor),
		TEST(test_torture),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
