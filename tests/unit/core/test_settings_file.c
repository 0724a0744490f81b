/* init/core/settings_file.c: which file counts for what. */
#include "core/settings_file.h"

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

#include "base/paths.h"
#include "base/str.h"
#include "fake/sys.h"

static struct settings s;
static struct settings_room room;
static struct err e;
static const char *shipped, *own;

static int on_open(const char *path, int flags, mode_t mode)
{
	char file[] = "/tmp/hearth-test-settings-XXXXXX";
	const char *text = str_eq(path, PATH_SETTINGS_DEFAULT) ? shipped : str_eq(path, PATH_RUN_SETTINGS) ? own : NULL;

	(void)flags;
	(void)mode;
	if (!text) {
		errno = ENOENT;
		return -1;
	}
	int fd = mkostemp(file, O_CLOEXEC);
	unlink(file);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_open = on_open;
	shipped = own = NULL;
	memset(&s, 0, sizeof(s));
	err_clear(&e);
	return 0;
}

static void the_own_file_counts_more(void **state)
{
	(void)state;
	shipped = "hostname: shipped\nwatchdog: false\n";
	assert_int_equal(settings_load(&s, &room, &e), 0);
	assert_string_equal(s.hostname, "shipped");
	own = "hostname: own\n";
	assert_int_equal(settings_load(&s, &room, &e), 0);
	assert_string_equal(s.hostname, "own");
	assert_false(s.watchdog);
}

static void missing_files_have_nothing_to_say(void **state)
{
	(void)state;
	assert_int_equal(settings_load(&s, &room, &e), 0);
	assert_true(s.watchdog);
	assert_true(s.time_servers > 0);
}

static void an_error_names_the_file_that_people_know(void **state)
{
	(void)state;
	own = "colour: red\n";
	assert_int_equal(settings_load(&s, &room, &e), -1);
	assert_true(str_starts(e.text, PATH_STATE_SETTINGS ":1: "));
	shipped = "colour: red\n";
	assert_int_equal(settings_load(&s, &room, &e), -1);
	assert_true(str_starts(e.text, PATH_SETTINGS_DEFAULT ":1: "));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(the_own_file_counts_more),
		T(missing_files_have_nothing_to_say),
		T(an_error_names_the_file_that_people_know),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
