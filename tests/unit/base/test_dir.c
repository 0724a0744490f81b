/* Checks that every name of a folder comes once, that the caller can stop, and what failures say. */
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

#include "base/dir.h"
#include "fake/sys.h"

#define FILES 300 /* more than one block of the kernel's */

static char top[] = "/tmp/hearth-dir-XXXXXX";
static unsigned seen, wanted;
static bool known[FILES];
static struct err e;

static void path_of(char path[64], unsigned i)
{
	(void)snprintf(path, 64, "%s/file-%03u", top, i);
}

static int setup(void **state)
{
	char path[64];
	(void)state;
	fake_reset();
	memcpy(top + sizeof(top) - 7, "XXXXXX", 6);
	seen = 0;
	wanted = FILES + 2;
	memset(known, 0, sizeof(known));
	if (!mkdtemp(top))
		return -1;
	for (unsigned i = 0; i < FILES; i++) {
		path_of(path, i);
		close(open(path, O_WRONLY | O_CREAT, 0600));
	}
	return 0;
}

static int teardown(void **state)
{
	char path[64];
	(void)state;
	fake_reset();
	for (unsigned i = 0; i < FILES; i++) {
		path_of(path, i);
		unlink(path);
	}
	return rmdir(top);
}

static bool note(const char *name, void *arg)
{
	unsigned i;
	assert_ptr_equal(arg, &seen);
	if (sscanf(name, "file-%03u", &i) == 1) {
		assert_false(known[i]);
		known[i] = true;
	}
	return ++seen < wanted;
}

static void every_name_comes_once(void **state)
{
	(void)state;
	assert_int_equal(dir_each(top, note, &seen, &e), 0);
	assert_int_equal(seen, FILES + 2); /* "." and ".." */
	for (unsigned i = 0; i < FILES; i++)
		assert_true(known[i]);
}

static void the_caller_can_stop(void **state)
{
	(void)state;
	wanted = 3;
	assert_int_equal(dir_each(top, note, &seen, &e), 0);
	assert_int_equal(seen, 3);
}

static void failures_are_told_and_leak_nothing(void **state)
{
	unsigned before = fake_open_fds();
	(void)state;
	assert_int_equal(dir_each("/nonexistent", note, &seen, &e), -1);
	assert_int_equal(e.code, ENOENT);
	fake_fail_at(2, EIO);
	assert_int_equal(dir_each(top, note, &seen, &e), -1);
	assert_true(fake_fired());
	assert_int_equal(e.code, EIO);
	assert_int_equal(fake_open_fds(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_name_comes_once, setup, teardown),
		cmocka_unit_test_setup_teardown(the_caller_can_stop, setup, teardown),
		cmocka_unit_test_setup_teardown(failures_are_told_and_leak_nothing, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
