/* init/kube/docfile.c */
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
#include "fake/sys.h"
#include "kube/docfile.h"

static char path[64];
static struct docfile f;
static struct docfile_doc d;
static struct err e;

static void write_file(const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	err_clear(&e);
	if (str_format(path, sizeof(path), "/tmp/hearth-docfile-XXXXXX") < 0)
		return -1;
	int fd = mkstemp(path);
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

/* Three bytes at a time: every border falls inside something. */
static ssize_t read_little(int fd, void *p, size_t n)
{
	return read(fd, p, n < 3 ? n : 3);
}

static void expect(const char *text, uint32_t at, int line)
{
	char again[256];

	assert_int_equal(docfile_next(&f, &d, &e), 1);
	assert_int_equal(d.len, strlen(text));
	assert_memory_equal(d.text, text, d.len);
	assert_int_equal(d.at, at);
	assert_int_equal(d.line, line);
	assert_int_equal(docfile_again(path, d.at, again, d.len, &e), 0);
	assert_memory_equal(again, text, d.len);
}

static void reads_one_after_the_other(void **state)
{
	static const char text[] = "# head\na: 1\n---\nb:\n- 2\n\n--- # x\n---\nc: 3";

	(void)state;
	write_file(text, strlen(text));
	for (int little = 0; little < 2; little++) {
		fake_read = little ? read_little : fake_read;
		assert_int_equal(docfile_open(&f, path, &e), 0);
		expect("# head\na: 1\n", 0, 1);
		expect("---\nb:\n- 2\n\n", 12, 3);
		expect("--- # x\n", 24, 7);
		expect("---\nc: 3", 32, 8);
		assert_int_equal(docfile_next(&f, &d, &e), 0);
		assert_int_equal(docfile_next(&f, &d, &e), 0);
		docfile_close(&f);
	}
}

static void an_empty_file_has_none(void **state)
{
	(void)state;
	write_file("", 0);
	assert_int_equal(docfile_open(&f, path, &e), 0);
	assert_int_equal(docfile_next(&f, &d, &e), 0);
	docfile_close(&f);
}

/* Of many documents only one is in memory; one that is larger than the window makes it grow. */
static void memory_is_for_the_largest(void **state)
{
	enum { LARGE = 300000 };
	static char text[LARGE + 2000 * 512];
	struct buf b;
	int n = 0;

	(void)state;
	buf_init(&b, text, sizeof(text));
	for (int i = 0; i < 1000; i++)
		buf_addf(&b, "---\nn: %d\ntext: %0400d\n", i, 0);
	write_file(text, b.len);
	assert_int_equal(docfile_open(&f, path, &e), 0);
	size_t cap = f.cap;
	while (docfile_next(&f, &d, &e) > 0) {
		char want[32];
		assert_int_equal(str_format(want, sizeof(want), "---\nn: %d\n", n++), 0);
		assert_memory_equal(d.text, want, strlen(want));
		assert_memory_equal(text + d.at, d.text, d.len);
		assert_int_equal(d.line, 3 * n - 2);
	}
	assert_int_equal(n, 1000);
	assert_int_equal(f.cap, cap);
	docfile_close(&f);
	buf_addf(&b, "---\nlast: %0*d\n", LARGE, 0);
	assert_true(buf_ok(&b));
	write_file(text, b.len);
	assert_int_equal(docfile_open(&f, path, &e), 0);
	while (docfile_next(&f, &d, &e) > 0)
		n++;
	assert_int_equal(n, 2001);
	assert_true(f.cap < 4 * LARGE);
	docfile_close(&f);
}

static void a_document_has_an_end(void **state)
{
	char *text = malloc(DOCFILE_DOCUMENT + 32);

	(void)state;
	memset(text, 'x', DOCFILE_DOCUMENT + 32);
	memcpy(text, "a: 1\n---\n", 9);
	write_file(text, DOCFILE_DOCUMENT + 32);
	free(text);
	assert_int_equal(docfile_open(&f, path, &e), 0);
	assert_int_equal(docfile_next(&f, &d, &e), 1);
	assert_int_equal(docfile_next(&f, &d, &e), -1);
	assert_int_equal(e.code, EFBIG);
	assert_non_null(strstr(e.text, ":2: a document of more than 4194304 bytes; make the object smaller"));
	docfile_close(&f);
}

static void failures_are_told(void **state)
{
	char text[8];
	unsigned fds = fake_open_fds();

	(void)state;
	write_file("a: 1\n", 5);
	assert_int_equal(docfile_again(path, 0, text, 6, &e), -1);
	assert_int_equal(e.code, ESTALE);
	fake_fail_at(1, EIO);
	assert_int_equal(docfile_open(&f, path, &e), -1);
	assert_int_equal(e.code, EIO);
	fake_fail_at(0, 0);
	assert_int_equal(docfile_open(&f, path, &e), 0);
	fake_fail_at(1, EIO);
	assert_int_equal(docfile_next(&f, &d, &e), -1);
	assert_int_equal(e.code, EIO);
	docfile_close(&f);
	docfile_close(&f);
	fake_fail_at(2, EIO);
	assert_int_equal(docfile_again(path, 0, text, 5, &e), -1);
	fake_fail_at(2, EINTR);
	assert_int_equal(docfile_again(path, 0, text, 5, &e), 0);
	assert_int_equal(docfile_open(&f, "/none/such", &e), -1);
	assert_true(str_starts(e.text, "/none/such: "));
	assert_int_equal(fake_open_fds(), fds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reads_one_after_the_other, setup, teardown),
		cmocka_unit_test_setup_teardown(an_empty_file_has_none, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_is_for_the_largest, setup, teardown),
		cmocka_unit_test_setup_teardown(a_document_has_an_end, setup, teardown),
		cmocka_unit_test_setup_teardown(failures_are_told, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
