/* init/kube/history.c, in a folder of its own. */
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

#include "base/file.h"
#include "base/str.h"
#include "fake/sys.h"
#include "kube/history.h"

static char folder[64], path[96];
static struct history h;
static struct err e;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memcpy(folder, "/tmp/hearth-history-XXXXXX", 27);
	memset(&h, 0xff, sizeof(h));
	if (!mkdtemp(folder))
		return -1;
	return str_format(path, sizeof(path), "%s/history", folder);
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	(void)unlink(path);
	return rmdir(folder);
}

static void write_file(const char *text)
{
	assert_int_equal(file_replace(path, text, strlen(text), 0644, &e), 0);
}

static void revisions_are_kept_over_restarts(void **state)
{
	(void)state;
	assert_int_equal(history_read(&h, path, &e), 0);
	assert_int_equal(h.count, 0);
	assert_int_equal(history_add(&h, "aaaa", 5, &e), 0);
	assert_int_equal(history_add(&h, "aaaa", 5, &e), 0); /* the same again adds nothing */
	assert_int_equal(history_add(&h, "bbbb", 7, &e), 0);
	memset(&h, 0, sizeof(h));
	assert_int_equal(history_read(&h, path, &e), 0);
	assert_int_equal(h.count, 2);
	assert_string_equal(h.entry[0].revision, "aaaa");
	assert_string_equal(h.entry[1].revision, "bbbb");
	assert_int_equal(h.entry[1].objects, 7);
	assert_int_equal(strlen(h.entry[1].time), HISTORY_TIME - 1);
}

static void lines_that_are_none_are_left_out(void **state)
{
	(void)state;
	write_file("\nrubbish\n2026-01-01T00:00:00Z aaaa 5\n2026-01-01T00:00:00Z bbbb many\nx y 99999999\n"
	           "2026-01-01T00:00:00Z 0123456789012345678901234567890123456789 1\n2026-01-02T00:00:00Z cccc 6");
	assert_int_equal(history_read(&h, path, &e), 0);
	assert_int_equal(h.count, 2);
	assert_string_equal(h.entry[1].revision, "cccc");
}

static void the_oldest_are_forgotten(void **state)
{
	char revision[16];
	(void)state;
	assert_int_equal(history_read(&h, path, &e), 0);
	for (unsigned i = 0; i < HISTORY_ENTRIES + 3; i++) {
		assert_int_equal(str_format(revision, sizeof(revision), "r%u", i), 0);
		assert_int_equal(history_add(&h, revision, i, &e), 0);
	}
	assert_int_equal(history_read(&h, path, &e), 0);
	assert_int_equal(h.count, HISTORY_ENTRIES);
	assert_string_equal(h.entry[0].revision, "r3");
}

static void a_file_that_is_too_large_is_an_error_and_an_empty_history(void **state)
{
	static char text[9000];
	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	write_file(text);
	assert_int_equal(history_read(&h, path, &e), -1);
	assert_int_equal(h.count, 0);
	assert_int_equal(history_add(&h, "aaaa", 5, &e), 0); /* and writing heals it */
	assert_int_equal(history_read(&h, path, &e), 0);
	assert_int_equal(h.count, 1);
}

static void a_write_that_fails_keeps_the_line_in_memory(void **state)
{
	(void)state;
	assert_int_equal(history_read(&h, path, &e), 0);
	assert_int_equal(str_copy(h.path, sizeof(h.path), "/nowhere/at/all"), 0);
	assert_int_equal(history_add(&h, "aaaa", 5, &e), -1);
	assert_int_equal(h.count, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(revisions_are_kept_over_restarts),
		TEST(lines_that_are_none_are_left_out),
		TEST(the_oldest_are_forgotten),
		TEST(a_file_that_is_too_large_is_an_error_and_an_empty_history),
		TEST(a_write_that_fails_keeps_the_line_in_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
