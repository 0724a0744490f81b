/* The running version: from os-release, or what the program was built as. */
#include "host/release.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/paths.h"
#include "base/str.h"
#include "board.h"
#include "fake/sys.h"

static const char *release; /* NULL: there is none */

static int one_file(const char *path, int flags, mode_t mode)
{
	int fds[2];

	(void)flags;
	(void)mode;
	assert_string_equal(path, PATH_OS_RELEASE);
	errno = ENOENT;
	if (!release)
		return -1;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], release, strlen(release)), strlen(release));
	close(fds[1]);
	return fds[0];
}

static void found(void **state)
{
	static const char *const rows[][2] = {
		{"VERSION_ID=0.2.0\n", "0.2.0"},
		{"NAME=Hearth\nVERSION_ID=10.4\nBUILD_ID=x\n", "10.4"},
		{"VERSION_ID=99999.99999.99999", "99999.99999.99999"},
	};
	char version[VERSION_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(release_find(rows[i][0], version), 0);
		assert_string_equal(version, rows[i][1]);
	}
}

static void not_found(void **state)
{
	static const char *const rows[] = {"",
	                                   "\n\n",
	                                   "VERSION=0.2.0\n",
	                                   "MY_VERSION_ID=0.2.0\n",
	                                   "VERSION_ID=\n0.2.0\n",
	                                   "VERSION_ID=\"0.2.0\"\n",
	                                   "VERSION_ID=0.2.0-rc1\n",
	                                   "VERSION_ID=99999.99999.999999\n"};
	char version[VERSION_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(release_find(rows[i], version), -1);
}

static void the_running_one(void **state)
{
	char version[VERSION_TEXT];

	(void)state;
	fake_open = one_file;
	release = "VERSION_ID=7.8.9\n";
	release_version(version);
	assert_string_equal(version, "7.8.9");
	release = "VERSION_ID=nonsense-that-is-longer-than-any-version\n";
	release_version(version);
	assert_string_equal(version, BOARD_VERSION);
	release = NULL;
	release_version(version);
	assert_string_equal(version, BOARD_VERSION);
	fake_reset();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found),
		cmocka_unit_test(not_found),
		cmocka_unit_test(the_running_one),
	};
	return cmocka_run_group_tests_name("release", tests, NULL, NULL);
}
