/* The keep role: only the records of its table, only values that are ones, only into a mounted state partition. */
#include "node/keep.h"

#include "base/limits.h"
#include "board.h"
#include "box.h"

static struct err e;

static int keep(const char *name, const char *value)
{
	return keep_record(name, value, &e);
}

static void a_record_is_kept(void **state)
{
	(void)state;
	box_mounted("/state");
	assert_int_equal(keep("clock", "1800000000"), 0);
	assert_string_equal(box_read("/state/clock"), "1800000000\n");
	assert_int_equal(keep("end", "asked 1764000000 60 a 0.1.0 well reboot asked for by ctl"), 0);
	assert_string_equal(box_read("/state/last-shutdown"),
	                    "asked 1764000000 60 a 0.1.0 well reboot asked for by ctl\n");
}

static void only_what_is_in_the_table(void **state)
{
	char early[32];
	static const char *const bad[][2] = {{"machine-id", "x"},
	                                     {"../etc/passwd", "x"},
	                                     {"", "x"},
	                                     {"clock", ""},
	                                     {"clock", "-1"},
	                                     {"clock", "1.5"},
	                                     {"clock", "0"},
	                                     {"clock", "99999999999999"},
	                                     {"end", ""},
	                                     {"end", "reboot"},
	                                     {"last-shutdown", "x"}};

	(void)state;
	box_mounted("/state");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(keep(bad[i][0], bad[i][1]), -1);
		assert_int_equal(e.code, EINVAL);
	}
	(void)snprintf(early, sizeof(early), "%d", BOARD_EPOCH - 1);
	assert_int_equal(keep("clock", early), -1);
	assert_false(box_exists("/state/clock"));
}

static void without_the_partition_nothing_is_written(void **state)
{
	(void)state;
	assert_int_equal(keep("clock", "1800000000"), -1);
	assert_int_equal(e.code, EROFS);
	assert_false(box_exists("/state/clock"));
}

static void the_role_and_its_exit_codes(void **state)
{
	char name[] = "keep", clock[] = "clock", good[] = "1800000000", bad[] = "x";

	(void)state;
	assert_int_equal(keep_main(1, (char *[]){name, NULL}), 2);
	assert_int_equal(keep_main(3, (char *[]){name, clock, bad, NULL}), 2);
	assert_int_equal(keep_main(3, (char *[]){name, clock, good, NULL}), 1);
	box_mounted("/state");
	assert_int_equal(keep_main(3, (char *[]){name, clock, good, NULL}), 0);
}

static void any_call_may_fail(void **state)
{
	unsigned before = fake_open_fds();

	(void)state;
	box_mounted("/state");
	assert_int_equal(keep("clock", "1800000000"), 0);
	for (unsigned n = 1; n < 100; n++) {
		fake_fail_at(n, EIO);
		int rc = keep("clock", "1800000001");
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		assert_int_equal(fake_open_fds(), before);
		const char *now = box_read("/state/clock");
		assert_true(strcmp(now, "1800000000\n") == 0 || strcmp(now, "1800000001\n") == 0);
		if (rc == 0)
			assert_string_equal(now, "1800000001\n");
		if (!fired)
			return;
	}
	fail();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_record_is_kept, box_up, box_down),
		cmocka_unit_test_setup_teardown(only_what_is_in_the_table, box_up, box_down),
		cmocka_unit_test_setup_teardown(without_the_partition_nothing_is_written, box_up, box_down),
		cmocka_unit_test_setup_teardown(the_role_and_its_exit_codes, box_up, box_down),
		cmocka_unit_test_setup_teardown(any_call_may_fail, box_up, box_down),
	};

	return cmocka_run_group_tests_name("keep", tests, NULL, NULL);
}
