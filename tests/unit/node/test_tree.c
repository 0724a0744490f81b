/* A walk through folders: real ones. */
#include "node/tree.h"

#include <sys/stat.h>

#include "base/err.h"
#include "base/str.h"
#include "box.h"

static struct tree t;

static void enter(const char *path)
{
	struct err e = {0};
	int fd = open(box_path(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(tree_enter(&t, fd, &e), 0);
	assert_int_equal(tree_fd(&t), fd);
}

static void each_name_comes_once(void **state)
{
	const struct dirent *d;
	struct err e = {0};
	char name[32];
	unsigned seen = 0, open_before = fake_open_fds();

	(void)state;
	t.depth = 0;
	assert_int_equal(mkdir(box_path("/data/d"), 0755), 0);
	for (unsigned i = 0; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "/data/d/a-rather-long-name-%u", i);
		box_write(name, "");
	}
	enter("/data");
	assert_int_equal(tree_next(&t, &d, &e), 1);
	assert_string_equal(d->d_name, "d");
	enter("/data/d");
	while (tree_next(&t, &d, &e) > 0) {
		assert_true(str_starts(d->d_name, "a-rather-long-name-"));
		seen++;
	}
	assert_int_equal(seen, 200);
	tree_leave(&t);
	assert_int_equal(tree_next(&t, &d, &e), 0); /* goes on in the one around it */
	tree_leave(&t);
	assert_int_equal(t.depth, 0);
	assert_int_equal(fake_open_fds(), open_before);
}

static void too_deep_is_refused(void **state)
{
	struct err e = {0};

	(void)state;
	t.depth = TREE_DEPTH;
	assert_int_equal(tree_enter(&t, 0, &e), -1);
	assert_int_equal(e.code, ELOOP);
	t.depth = 0;
}

static void a_folder_that_cannot_be_read_is_said(void **state)
{
	const struct dirent *d;
	struct err e = {0};

	(void)state;
	t.depth = 0;
	enter("/data");
	fake_fail_at(1, EIO);
	assert_int_equal(tree_next(&t, &d, &e), -1);
	fake_fail_at(0, 0);
	assert_non_null(strstr(e.text, "read a folder"));
	tree_leave(&t);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, box_up, box_down)
	const struct CMUnitTest tests[] = {
		TEST(each_name_comes_once),
		TEST(too_deep_is_refused),
		TEST(a_folder_that_cannot_be_read_is_said),
	};
	return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
