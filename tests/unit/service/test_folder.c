/* service/folder: which names of a folder are service files. */
#include "unit/service/box.h"

#include "service/folder.h"

static struct folder folder;
static struct err e;

static void names_are_sorted(void **state)
{
	char path[96];
	(void)state;

	box_file("web.yaml", "");
	box_file("a.yaml", "");
	box_file("b.yml", "");
	box_file(".a.yaml", "");
	box_file(".yaml", "");
	box_file("notes", "");
	box_file("a-name-that-is-longer-than-any-name-of-a-service-could-ever-be-and-then-some.yaml", "");
	assert_int_equal(folder_read(&folder, box.dir, &e), 0);
	assert_int_equal(folder.count, 4);
	assert_string_equal(folder.name[1], "a.yaml");
	assert_string_equal(folder.name[2], "b.yml");
	assert_string_equal(folder.name[3], "web.yaml");
	assert_int_equal(strlen(folder.name[0]), FOLDER_NAME - 1);
	snprintf(path, sizeof(path), "%.60s/nothing", box.dir);
	assert_int_equal(folder_read(&folder, path, &e), 0);
	assert_int_equal(folder.count, 0);
	snprintf(path, sizeof(path), "%s/notes", box.dir);
	assert_int_equal(folder_read(&folder, path, &e), -1);
}

static void failures_leak_nothing(void **state)
{
	unsigned before = fake_open_fds();
	(void)state;

	for (unsigned n = 1; n < 10; n++) {
		fake_fail_at(n, EIO);
		int rc = folder_read(&folder, box.dir, &e);
		assert_int_equal(rc, fake_fired() ? -1 : 0);
		assert_int_equal(fake_open_fds(), before);
		if (!fake_fired())
			return;
	}
	fail();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names_are_sorted, box_setup, box_teardown),
		cmocka_unit_test_setup_teardown(failures_leak_nothing, box_setup, box_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
