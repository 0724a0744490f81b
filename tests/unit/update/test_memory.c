/* init/update/memory.c: what is remembered of channels and versions, with the files in a folder of the test. */
#include "update/memory.h"

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

#include "base/paths.h"
#include "fake/sys.h"

static struct err e;
static char folder[] = "/tmp/hearth-test-memory-XXXXXX";

static const char *real(const char *path)
{
	static char at[2][256];
	static unsigned i;

	i = !i;
	(void)snprintf(at[i], sizeof(at[i]), "%s%s", folder, path);
	return at[i];
}

static int on_open(const char *path, int flags, mode_t mode)
{
	return open(strncmp(path, PATH_STATE, strlen(PATH_STATE)) == 0 ? real(path) : path, flags, mode);
}

static int on_rename(const char *from, const char *to)
{
	return rename(real(from), real(to));
}

static int on_unlink(const char *path)
{
	return unlink(real(path));
}

static int on_mkdir(const char *path, mode_t mode)
{
	return mkdir(real(path), mode);
}

static int on_chmod(const char *path, mode_t mode)
{
	return chmod(real(path), mode);
}

static int on_stat(const char *path, struct stat *st)
{
	return stat(real(path), st);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	strcpy(folder, "/tmp/hearth-test-memory-XXXXXX");
	assert_non_null(mkdtemp(folder));
	fake_open = on_open;
	fake_rename = on_rename;
	fake_unlink = on_unlink;
	fake_mkdir = on_mkdir;
	fake_chmod = on_chmod;
	fake_stat = on_stat;
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	fake_reset();
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

static void put(const char *path, const char *text)
{
	(void)mkdir(real(PATH_STATE), 0700);
	(void)mkdir(real(PATH_STATE "/update"), 0700);
	int fd = open(real(path), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void serials_are_kept_by_channel(void **state)
{
	(void)state;
	assert_int_equal(memory_serial("stable"), 0);
	assert_int_equal(memory_keep_serial("stable", 42, &e), 0);
	assert_int_equal(memory_serial("stable"), 42);
	assert_int_equal(memory_serial("stab"), 0);
	assert_int_equal(memory_keep_serial("beta", 7, &e), 0);
	assert_int_equal(memory_serial("stable"), 42);
	assert_int_equal(memory_keep_serial("stable", 43, &e), 0);
	assert_int_equal(memory_serial("beta"), 7);
	assert_int_equal(memory_serial("stable"), 43);
}

/* A look at another channel in between makes nobody forget. */
static void the_oldest_of_many_channels_goes(void **state)
{
	char name[16];

	(void)state;
	for (unsigned i = 0; i <= MEMORY_CHANNELS; i++) {
		(void)snprintf(name, sizeof(name), "c%u", i);
		assert_int_equal(memory_keep_serial(name, 100 + i, &e), 0);
	}
	assert_int_equal(memory_serial("c0"), 0);
	for (unsigned i = 1; i <= MEMORY_CHANNELS; i++) {
		(void)snprintf(name, sizeof(name), "c%u", i);
		assert_int_equal(memory_serial(name), 100 + i);
	}
}

static void failed_versions(void **state)
{
	char version[VERSION_TEXT];

	(void)state;
	assert_false(memory_has_failed("0.2.0"));
	assert_int_equal(memory_add_failed("0.2.0", &e), 0);
	assert_int_equal(memory_add_failed("0.2.0", &e), 0);
	assert_true(memory_has_failed("0.2.0"));
	assert_true(memory_has_failed("0.2"));
	assert_false(memory_has_failed("0.2.1"));
	assert_false(memory_has_failed("0.20"));
	for (unsigned i = 0; i < MEMORY_FAILED; i++) {
		(void)snprintf(version, sizeof(version), "1.%u", i);
		assert_int_equal(memory_add_failed(version, &e), 0);
	}
	assert_false(memory_has_failed("0.2.0"));
	assert_true(memory_has_failed("1.0"));
	assert_int_equal(memory_add_failed("x", &e), -1);
}

/* Whatever stands there, it is only lines that are not ours. */
static void broken_files_are_empty_ones(void **state)
{
	(void)state;
	put(PATH_STATE_CHANNELS, "stable\nbeta x\nstable 99999999999999999999\n\nstable 5\nstable 6");
	assert_int_equal(memory_serial("stable"), 5);
	assert_int_equal(memory_serial("beta"), 0);
	put(PATH_STATE_FAILED, "nonsense\n0.3.0\n");
	assert_true(memory_has_failed("0.3.0"));
	assert_int_equal(memory_add_failed("0.4.0", &e), 0);
	assert_true(memory_has_failed("0.3.0"));
}

static void a_disk_that_is_full_is_said(void **state)
{
	(void)state;
	put(PATH_STATE_FAILED, "");
	for (unsigned n = 3; n < 8; n++) {
		fake_fail_at(n, ENOSPC);
		int rc = memory_add_failed("0.2.0", &e);
		fake_fail_at(0, 0);
		assert_true(rc == -1 || memory_has_failed("0.2.0"));
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(serials_are_kept_by_channel), T(the_oldest_of_many_channels_goes), T(failed_versions),
		T(broken_files_are_empty_ones), T(a_disk_that_is_full_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
