/* The owner's files: the seed is taken once and only when it is without fault; copies are bounded. */
#include "node/copies.h"

#include "base/limits.h"
#include "box.h"

static struct yaml y;
static struct settings s;
static struct err e;

static void the_seed_is_taken_once(void **state)
{
	(void)state;
	assert_int_equal(copies_seed(&y, &e), 0);
	assert_false(box_exists("/state/settings.yaml"));
	box_write("/boot/hearth.yaml", "hostname: kitchen\n");
	assert_int_equal(copies_seed(&y, &e), 0);
	assert_string_equal(box_read("/state/settings.yaml"), "hostname: kitchen\n");
	box_write("/boot/hearth.yaml", "hostname: cellar\n");
	assert_int_equal(copies_seed(&y, &e), 0);
	assert_string_equal(box_read("/state/settings.yaml"), "hostname: kitchen\n");
}

static void a_seed_with_faults_is_named(void **state)
{
	(void)state;
	box_write("/boot/hearth.yaml", "hostname: kitchen\nhostnam: x\n");
	assert_int_equal(copies_seed(&y, &e), -1);
	assert_non_null(strstr(e.text, "/boot/hearth.yaml:2: "));
	assert_false(box_exists("/state/settings.yaml"));
	char *big = calloc(1, LIMIT_FILE + 10);
	memset(big, '#', LIMIT_FILE + 9);
	box_write("/boot/hearth.yaml", big);
	free(big);
	assert_int_equal(copies_seed(&y, &e), -1);
	assert_false(box_exists("/state/settings.yaml"));
}

static void settings_stand_over_the_defaults(void **state)
{
	(void)state;
	box_write("/etc/hearth/settings.yaml", "time-servers: [a.example]\n");
	box_write("/state/settings.yaml", "hostname: kitchen\n");
	copies_settings(&s, &y);
	assert_string_equal(s.hostname, "kitchen");
	assert_int_equal(s.time_servers, 1);
	assert_string_equal(s.time_server[0], "a.example");
	box_write("/state/settings.yaml", "hostname: [\n");
	copies_settings(&s, &y);
	assert_string_equal(s.hostname, "");
}

static void everything_goes_to_run(void **state)
{
	(void)state;
	assert_int_equal(copies_to_run(), 0); /* nothing is there: nothing to do */
	assert_false(box_exists("/run/hearth/settings.yaml"));
	assert_int_equal(mkdir(box_path("/state/services"), 0755), 0);
	box_write("/state/settings.yaml", "hostname: kitchen\n");
	box_write("/state/services/x.yaml", "name: x\n");
	box_write("/state/services/y.yml", "name: y\n");
	box_write("/state/services/.hidden.yaml", "");
	box_write("/state/services/readme.txt", "");
	box_write("/state/services/.yaml", "");
	assert_int_equal(copies_to_run(), 0);
	assert_string_equal(box_read("/run/hearth/settings.yaml"), "hostname: kitchen\n");
	assert_string_equal(box_read("/run/hearth/services/x.yaml"), "name: x\n");
	assert_true(box_exists("/run/hearth/services/y.yml")); /* PID 1 says what is wrong with it */
	assert_false(box_exists("/run/hearth/services/.hidden.yaml"));
	assert_false(box_exists("/run/hearth/services/readme.txt"));
	assert_false(box_exists("/run/hearth/services/.yaml"));
}

static void what_is_too_much_is_left_out(void **state)
{
	char path[64];
	unsigned there = 0;

	(void)state;
	assert_int_equal(mkdir(box_path("/state/services"), 0755), 0);
	assert_int_equal(mkdir(box_path("/state/services/folder.yaml"), 0755), 0);
	assert_int_equal(copies_to_run(), 1);
	assert_int_equal(rmdir(box_path("/state/services/folder.yaml")), 0);
	for (unsigned i = 0; i < LIMIT_SERVICES + 3; i++) {
		(void)snprintf(path, sizeof(path), "/state/services/s%u.yaml", i);
		box_write(path, "name: s\n");
	}
	assert_int_equal(copies_to_run(), 3);
	for (unsigned i = 0; i < LIMIT_SERVICES + 3; i++) {
		(void)snprintf(path, sizeof(path), "/run/hearth/services/s%u.yaml", i);
		there += box_exists(path);
	}
	assert_int_equal(there, LIMIT_SERVICES);
}

static void a_name_that_does_not_fit(void **state)
{
	char path[300] = "/state/services/";

	(void)state;
	assert_int_equal(mkdir(box_path("/state/services"), 0755), 0);
	memset(path + 16, 'n', 245);
	strcpy(path + 16 + 245, ".yaml");
	box_write(path, "name: n\n");
	assert_int_equal(copies_to_run(), 1);
}

static void any_call_may_fail(void **state)
{
	unsigned before = fake_open_fds();

	(void)state;
	assert_int_equal(mkdir(box_path("/state/services"), 0755), 0);
	box_write("/state/services/x.yaml", "name: x\n");
	box_write("/boot/hearth.yaml", "hostname: kitchen\n");
	for (unsigned n = 1; n < 300; n++) {
		fake_fail_at(n, EIO);
		(void)!copies_seed(&y, &e);
		copies_settings(&s, &y);
		unsigned bad = copies_to_run();
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		assert_int_equal(fake_open_fds(), before);
		if (!fired) {
			assert_int_equal(bad, 0);
			return;
		}
	}
	fail();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_seed_is_taken_once, box_up, box_down),
		cmocka_unit_test_setup_teardown(a_seed_with_faults_is_named, box_up, box_down),
		cmocka_unit_test_setup_teardown(settings_stand_over_the_defaults, box_up, box_down),
		cmocka_unit_test_setup_teardown(everything_goes_to_run, box_up, box_down),
		cmocka_unit_test_setup_teardown(what_is_too_much_is_left_out, box_up, box_down),
		cmocka_unit_test_setup_teardown(a_name_that_does_not_fit, box_up, box_down),
		cmocka_unit_test_setup_teardown(any_call_may_fail, box_up, box_down),
	};

	return cmocka_run_group_tests_name("copies", tests, NULL, NULL);
}
