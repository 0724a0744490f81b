/* console/tail: the last lines, what comes after, rotation, truncation, and failing calls. */
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

#include "base/str.h"
#include "console/tail.h"
#include "fake/sys.h"

static char folder[64], path[128], old[128];

static int setup(void **state)
{
	(void)state;
	fake_reset();
	assert_return_code(str_copy(folder, sizeof(folder), "/tmp/hearth-tail-XXXXXX"), 0);
	assert_non_null(mkdtemp(folder));
	assert_return_code(str_format(path, sizeof(path), "%s/web.log", folder), 0);
	assert_return_code(str_format(old, sizeof(old), "%s/web.log.1", folder), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	(void)unlink(path);
	(void)unlink(old);
	return rmdir(folder);
}

static void append(const char *text)
{
	FILE *f = fopen(path, "a");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static const char *next(struct tail *t)
{
	static char data[65536];
	struct err e = {0};
	ssize_t n = tail_read(t, data, sizeof(data) - 1, &e);
	assert_true(n >= 0);
	data[n] = '\0';
	return data;
}

static const char *last(unsigned lines)
{
	struct tail t;
	struct err e = {0};
	assert_return_code(tail_open(&t, path, lines, &e), 0);
	const char *text = next(&t);
	tail_close(&t);
	return text;
}

static void last_lines(void **state)
{
	(void)state;
	append("one\ntwo\nthree\n");
	assert_string_equal(last(1), "three\n");
	assert_string_equal(last(2), "two\nthree\n");
	assert_string_equal(last(3), "one\ntwo\nthree\n");
	assert_string_equal(last(9), "one\ntwo\nthree\n");
	assert_string_equal(last(0), "");
	append("unfinished");
	assert_string_equal(last(1), "unfinished");
	assert_string_equal(last(2), "three\nunfinished");
}

static void over_block_borders(void **state)
{
	char line[1002];
	(void)state;
	memset(line, 'x', 1000);
	line[1000] = '\n';
	line[1001] = '\0';
	for (int i = 0; i < 20; i++)
		append(line);
	assert_int_equal(strlen(last(7)), 7 * 1001);
	assert_int_equal(strlen(last(100)), 20 * 1001);
}

static void following(void **state)
{
	struct tail t;
	struct err e = {0};
	(void)state;
	/* Not there yet. */
	assert_return_code(tail_open(&t, path, 5, &e), 0);
	assert_string_equal(next(&t), "");
	append("first\n");
	assert_string_equal(next(&t), "first\n");
	append("second\n");
	assert_string_equal(next(&t), "second\n");
	assert_string_equal(next(&t), "");
	/* Rotated: the rest of the old file, then the new one. */
	append("last of old\n");
	assert_return_code(rename(path, old), 0);
	assert_string_equal(next(&t), "last of old\n");
	assert_string_equal(next(&t), "");
	append("new\n");
	assert_string_equal(next(&t), "new\n");
	/* Truncated: from the start. */
	assert_return_code(truncate(path, 0), 0);
	assert_string_equal(next(&t), "");
	append("x\n");
	assert_string_equal(next(&t), "x\n");
	tail_close(&t);
	tail_close(&t);
}

static void errors(void **state)
{
	struct tail t;
	struct err e = {0};
	char longer[LIMIT_PATH + 1];
	(void)state;
	memset(longer, 'a', LIMIT_PATH);
	longer[LIMIT_PATH] = '\0';
	assert_int_equal(tail_open(&t, longer, 5, &e), -1);
	assert_int_equal(tail_open(&t, "", 5, &e), 0); /* nothing is there */
	assert_int_equal(tail_open(&t, folder, 5, &e), -1);
}

static void torture(void **state)
{
	(void)state;
	append("one\ntwo\n");
	unsigned fds = fake_open_fds();
	for (unsigned n = 1;; n++) {
		struct tail t;
		struct err e = {0};
		char data[64];
		fake_fail_at(n, EIO);
		int rc = tail_open(&t, path, 1, &e);
		for (int i = 0; !rc && i < 3; i++)
			rc = tail_read(&t, data, sizeof(data), &e) < 0;
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		tail_close(&t);
		assert_int_equal(fake_open_fds(), fds);
		assert_int_equal(rc != 0, fired);
		if (!fired)
			break;
		assert_non_null(strstr(e.text, "web.log: "));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(last_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(over_block_borders, setup, teardown),
		cmocka_unit_test_setup_teardown(following, setup, teardown),
		cmocka_unit_test_setup_teardown(errors, setup, teardown),
		cmocka_unit_test_setup_teardown(torture, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
