/* Small files in a folder of the test's own; each call failed in turn, and the old file must survive. */
#include "base/file.h"

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

#include <sys/stat.h>

#include "base/limits.h"
#include "fake/sys.h"

static struct err e;
static struct buf b;
static char storage[64], dir[32], path[64], temp[64];
static unsigned fds_before;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	umask(077);
	memcpy(dir, "/tmp/file.XXXXXX", sizeof("/tmp/file.XXXXXX"));
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/f", dir);
	snprintf(temp, sizeof(temp), "%s/f.new", dir);
	buf_init(&b, storage, sizeof(storage));
	fds_before = fake_open_fds();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	unlink(path);
	unlink(temp);
	return rmdir(dir) == 0 && fake_open_fds() == fds_before ? 0 : -1;
}

static void put(const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static const char *content(void)
{
	static char text[256];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n >= 0 ? text : "(none)";
}

static mode_t mode_of(const char *name)
{
	struct stat st;
	return stat(name, &st) == 0 ? st.st_mode & 07777 : 0;
}

static ssize_t read_one(int fd, void *p, size_t n)
{
	return read(fd, p, n < 1 ? n : 1);
}

static void read_adds_the_whole_file(void **state)
{
	(void)state;
	put("text\n");
	buf_add(&b, "> ");
	assert_int_equal(file_read(path, &b, &e), 0);
	assert_string_equal(b.data, "> text\n");
	assert_int_equal(b.len, 7);
	fake_read = read_one;
	assert_int_equal(file_read(path, &b, &e), 0);
	assert_string_equal(b.data, "> text\ntext\n");
	put("");
	assert_int_equal(file_read(path, &b, &e), 0);
	assert_int_equal(b.len, 12);
}

static void a_file_that_just_fits(void **state)
{
	(void)state;
	put("12345");
	buf_init(&b, storage, 6);
	assert_int_equal(file_read(path, &b, &e), 0);
	assert_string_equal(b.data, "12345");
	buf_init(&b, storage, 5);
	assert_int_equal(file_read(path, &b, &e), -1);
	assert_int_equal(e.code, EFBIG);
	assert_int_equal(b.len, 0); /* all or nothing */
	assert_string_equal(b.data, "");
	buf_init(&b, NULL, 0);
	assert_int_equal(file_read(path, &b, &e), -1);
	assert_int_equal(e.code, EFBIG);
	put("");
	assert_int_equal(file_read(path, &b, &e), 0);
}

static void read_says_which_file(void **state)
{
	(void)state;
	char want[128];
	assert_int_equal(file_read(path, &b, &e), -1);
	snprintf(want, sizeof(want), "open %s: No such file or directory", path);
	assert_string_equal(e.text, want);
	assert_int_equal(file_read(dir, &b, &e), -1);
	assert_int_equal(e.code, EISDIR);
}

static void a_fifo_does_not_hold_the_reader(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(file_read(path, &b, &e), 0);
	assert_int_equal(b.len, 0);
}

static void replace_writes_content_and_mode(void **state)
{
	(void)state;
	assert_int_equal(file_replace(path, "new", 3, 0644, &e), 0);
	assert_string_equal(content(), "new");
	assert_int_equal(mode_of(path), 0644); /* the umask does not count */
	assert_int_equal(file_replace(path, "", 0, 0600, &e), 0);
	assert_string_equal(content(), "");
	assert_int_equal(mode_of(path), 0600);
	assert_int_equal(access(temp, F_OK), -1);
}

static void replace_survives_what_a_power_cut_left(void **state)
{
	(void)state;
	put("old");
	assert_int_equal(symlink("/etc/passwd", temp), 0);
	assert_int_equal(file_replace(path, "new", 3, 0600, &e), 0);
	assert_string_equal(content(), "new");
	assert_int_equal(access(temp, F_OK), -1);
}

static void replace_does_not_follow_a_link(void **state)
{
	(void)state;
	assert_int_equal(symlink("/tmp/does-not-exist-either", path), 0);
	assert_int_equal(file_replace(path, "new", 3, 0600, &e), 0);
	struct stat st;
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
}

static ssize_t write_one(int fd, const void *p, size_t n)
{
	return write(fd, p, n < 1 ? n : 1);
}

static ssize_t write_none(int fd, const void *p, size_t n)
{
	(void)fd, (void)p, (void)n;
	return 0;
}

static void replace_copes_with_short_writes(void **state)
{
	(void)state;
	fake_write = write_one;
	assert_int_equal(file_replace(path, "new", 3, 0600, &e), 0);
	assert_string_equal(content(), "new");
	fake_write = write_none;
	assert_int_equal(file_replace(path, "newer", 5, 0600, &e), -1);
	assert_int_equal(e.code, ENOSPC);
	assert_string_equal(content(), "new");
	assert_int_equal(access(temp, F_OK), -1);
}

/* The order that makes a power cut harmless: new file on the disk, then the name, then the folder. */
static char order[32];

static int note_fsync(int fd)
{
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	memcpy(order + strlen(order), S_ISDIR(st.st_mode) ? "D" : "F", 2);
	return fsync(fd);
}

static int note_rename(const char *from, const char *to)
{
	memcpy(order + strlen(order), "R", 2);
	return rename(from, to);
}

static void replace_keeps_the_order(void **state)
{
	(void)state;
	order[0] = '\0';
	fake_fsync = note_fsync;
	fake_rename = note_rename;
	assert_int_equal(file_replace(path, "new", 3, 0600, &e), 0);
	assert_string_equal(order, "FRD");
}

static void replace_takes_names_without_a_folder(void **state)
{
	(void)state;
	char back[256], longer[LIMIT_PATH + 8];
	assert_non_null(getcwd(back, sizeof(back)));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(file_replace("f", "new", 3, 0600, &e), 0);
	assert_int_equal(chdir(back), 0);
	assert_string_equal(content(), "new");
	memset(longer, 'x', sizeof(longer));
	longer[LIMIT_PATH - 4] = '\0'; /* no room for ".new" */
	assert_int_equal(file_replace(longer, "", 0, 0600, &e), -1);
	assert_int_equal(e.code, ENAMETOOLONG);
	assert_int_equal(file_replace("/nowhere/f", "", 0, 0600, &e), -1);
	assert_string_equal(e.text, "open /nowhere: No such file or directory");
}

static void torture_of_replace(void **state)
{
	(void)state;
	unsigned n = 1;
	for (;; n++) {
		put("old");
		err_clear(&e);
		fake_fail_at(n, EIO);
		int rc = file_replace(path, "new", 3, 0600, &e);
		bool hit = fake_fired();
		fake_fail_at(0, 0);
		assert_int_equal(fake_open_fds(), fds_before);
		assert_int_equal(access(temp, F_OK), -1);
		assert_int_equal(rc, hit ? -1 : 0);
		if (!hit)
			break;
		assert_int_equal(e.code, EIO);
		/* Only the last call, the fsync of the folder, comes after the new name. */
		assert_string_equal(content(), n < 8 ? "old" : "new");
	}
	assert_string_equal(content(), "new");
	assert_int_equal(n, 9); /* open, unlink, open, chmod, write, fsync, rename, fsync */
}

static void attributes_are_one_write(void **state)
{
	(void)state;
	assert_int_equal(file_write_attr(path, "1", &e), -1);
	assert_int_equal(e.code, ENOENT);
	put("00");
	assert_int_equal(file_write_attr(path, "1", &e), 0);
	assert_string_equal(content(), "10"); /* not truncated */
	fake_write = write_one;
	assert_int_equal(file_write_attr(path, "12", &e), -1);
	assert_int_equal(e.code, EIO);
	fake_write = NULL;
	for (unsigned n = 1; n <= 2; n++) {
		fake_fail_at(n, EBUSY);
		assert_int_equal(file_write_attr(path, "1", &e), -1);
		assert_int_equal(e.code, EBUSY);
		assert_int_equal(fake_open_fds(), fds_before);
	}
}

static void folders_are_made_down_to_the_last(void **state)
{
	(void)state;
	char deep[64], middle[64];
	snprintf(deep, sizeof(deep), "%s/f/a//b/", dir);
	snprintf(middle, sizeof(middle), "%s/f/a", dir);
	assert_int_equal(file_mkdirs(deep, 0755, &e), 0);
	assert_int_equal(mode_of(deep), 0755);
	assert_int_equal(mode_of(path), 0755);
	assert_int_equal(chmod(middle, 0700), 0);
	assert_int_equal(file_mkdirs(deep, 0755, &e), 0);
	assert_int_equal(mode_of(middle), 0700); /* what was there is left alone */
	assert_int_equal(file_mkdirs("/", 0755, &e), 0);
	rmdir(deep);
	rmdir(middle);
	rmdir(path);
}

static void a_file_in_the_way_is_named(void **state)
{
	(void)state;
	char deep[64], want[128];
	put("");
	snprintf(deep, sizeof(deep), "%s/f/a", dir);
	assert_int_equal(file_mkdirs(deep, 0755, &e), -1);
	assert_int_equal(e.code, ENOTDIR);
	snprintf(want, sizeof(want), "mkdir %s: a file is in the way", path);
	assert_string_equal(e.text, want);
	assert_int_equal(file_mkdirs("", 0755, &e), -1);
	char longer[LIMIT_PATH + 1];
	memset(longer, 'x', sizeof(longer) - 1);
	longer[LIMIT_PATH] = '\0';
	assert_int_equal(file_mkdirs(longer, 0755, &e), -1);
	assert_int_equal(e.code, ENAMETOOLONG);
}

static void a_line_is_the_first_one(void **state)
{
	char line[8] = "before";
	(void)state;
	put("one\n2\n");
	assert_int_equal(file_read_line(path, line, sizeof(line), &e), 0);
	assert_string_equal(line, "one");
	put("far too long\n");
	assert_int_equal(file_read_line(path, line, sizeof(line), &e), 0);
	assert_string_equal(line, "");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(file_read_line(path, line, sizeof(line), &e), 0);
	assert_string_equal(line, "");
	put("one\n");
	fake_fail_at(1, EIO);
	assert_int_equal(file_read_line(path, line, sizeof(line), &e), -1);
	assert_int_equal(e.code, EIO);
	fake_fail_at(0, 0);
}

static void a_folder_is_flushed(void **state)
{
	(void)state;
	assert_int_equal(file_flush_folder(dir, &e), 0);
	for (unsigned n = 1; n <= 2; n++) { /* open, fsync */
		fake_fail_at(n, EIO);
		assert_int_equal(file_flush_folder(dir, &e), -1);
		assert_true(fake_fired());
		assert_int_equal(e.code, EIO);
	}
	fake_fail_at(0, 0);
	assert_int_equal(file_flush_folder(path, &e), -1);
	assert_int_equal(e.code, ENOENT);
	assert_non_null(strstr(e.text, path));
}

static void torture_of_mkdirs_and_read(void **state)
{
	(void)state;
	unsigned n = 1;
	for (;; n++) {
		fake_fail_at(n, EIO);
		int rc = file_mkdirs(path, 0755, &e);
		bool hit = fake_fired();
		fake_fail_at(0, 0);
		rmdir(path);
		assert_int_equal(rc, hit ? -1 : 0);
		if (!hit)
			break;
		assert_int_equal(e.code, EIO);
	}
	assert_int_equal(n, 7); /* mkdir + stat of /tmp and of dir, mkdir + chmod of the new one */
	put("x");
	for (n = 1; n <= 3; n++) {
		fake_fail_at(n, EIO);
		assert_int_equal(file_read(path, &b, &e), -1);
		assert_true(fake_fired());
		assert_int_equal(e.code, EIO);
		assert_int_equal(b.len, 0);
		assert_string_equal(b.data, "");
		assert_int_equal(fake_open_fds(), fds_before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(read_adds_the_whole_file, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_that_just_fits, setup, teardown),
		cmocka_unit_test_setup_teardown(read_says_which_file, setup, teardown),
		cmocka_unit_test_setup_teardown(a_fifo_does_not_hold_the_reader, setup, teardown),
		cmocka_unit_test_setup_teardown(replace_writes_content_and_mode, setup, teardown),
		cmocka_unit_test_setup_teardown(replace_survives_what_a_power_cut_left, setup, teardown),
		cmocka_unit_test_setup_teardown(replace_does_not_follow_a_link, setup, teardown),
		cmocka_unit_test_setup_teardown(replace_copes_with_short_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(replace_keeps_the_order, setup, teardown),
		cmocka_unit_test_setup_teardown(replace_takes_names_without_a_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(torture_of_replace, setup, teardown),
		cmocka_unit_test_setup_teardown(attributes_are_one_write, setup, teardown),
		cmocka_unit_test_setup_teardown(folders_are_made_down_to_the_last, setup, teardown),
		cmocka_unit_test_setup_teardown(a_line_is_the_first_one, setup, teardown),
		cmocka_unit_test_setup_teardown(a_folder_is_flushed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_in_the_way_is_named, setup, teardown),
		cmocka_unit_test_setup_teardown(torture_of_mkdirs_and_read, setup, teardown),
	};
	return cmocka_run_group_tests_name("base/file", tests, NULL, NULL);
}
