/* The records of the state partition: first boot, later boots, nonsense, and failing disks. */
#include "node/records.h"

#include "board.h"
#include "box.h"

static struct identity id;
static struct end last;
static struct err e;

static void load(const char *hostname)
{
	assert_int_equal(records_load(&id, hostname, &last, &e), 0);
}

static void begin(void)
{
	assert_int_equal(records_begin(&last, "a", &e), 0);
}

static void the_first_boot(void **state)
{
	(void)state;
	load("");
	assert_true(identity_is_machine_id(id.machine_id));
	assert_int_equal(id.machine_id[12], '4'); /* a random UUID's mark */
	assert_int_equal(strncmp(id.hostname, "hearth-", 7), 0);
	assert_int_equal(strncmp(id.hostname + 7, id.machine_id, 6), 0);
	assert_int_equal(strlen(id.hostname), 13);
	assert_int_equal(id.boots, 1);
	assert_int_equal(id.clock, 0);
	assert_string_equal(id.last_shutdown, "never: this is the first start");
	assert_string_equal(box_read("/state/boots"), "1\n");
	assert_int_equal(last.kind, END_RUNNING);
	fake_clock_wall = 1764000000;
	begin();
	assert_string_equal(box_read("/state/last-shutdown"), "running 1764000000 0 a " BOARD_VERSION " ill \n");
	assert_false(box_exists("/state/ends"));
}

static void later_boots_remember(void **state)
{
	char machine[IDENTITY_MACHINE_ID];

	(void)state;
	load("");
	memcpy(machine, id.machine_id, sizeof(machine));
	box_write("/state/clock", "1764000000\n");
	box_write("/state/last-shutdown", "reboot asked for by ctl\n");
	load("kitchen");
	assert_string_equal(id.machine_id, machine);
	assert_string_equal(id.hostname, "kitchen");
	assert_int_equal(id.boots, 2);
	assert_int_equal(id.clock, 1764000000);
	assert_string_equal(id.last_shutdown, "reboot asked for by ctl");
}

static void how_runs_end_is_kept(void **state)
{
	(void)state;
	box_write("/state/last-shutdown", "update 1764000000 60 a 0.1.0 well the update to 0.2.0\n");
	load("");
	assert_int_equal(last.kind, END_UPDATE);
	assert_string_equal(id.last_shutdown, "the update to 0.2.0, 2025-11-24T16:00:00Z");
	begin();
	assert_string_equal(box_read("/state/ends"), "update 1764000000 60 a 0.1.0 well the update to 0.2.0\n");
	/* Nobody got to say. */
	load("");
	assert_int_equal(last.kind, END_POWER_LOSS);
	assert_string_equal(id.last_shutdown, "power loss or crash");
	records_explain(&id, &last, END_PANIC, "kernel panic: no reason");
	records_explain(&id, &last, END_WATCHDOG, "too late");
	assert_string_equal(id.last_shutdown, "kernel panic: no reason");
	begin();
	assert_non_null(strstr(box_read("/state/ends"), "\npanic "));
	assert_non_null(strstr(box_read("/state/ends"), " a " BOARD_VERSION " ill kernel panic: no reason\n"));
}

static void an_end_in_order_needs_no_explanation(void **state)
{
	(void)state;
	box_write("/state/last-shutdown", "asked 1764000000 60 a 0.1.0 well reboot\n");
	load("");
	records_explain(&id, &last, END_PANIC, "kernel panic: survived");
	assert_int_equal(last.kind, END_ASKED);
	assert_string_equal(last.why, "reboot");
}

static void the_list_is_bounded_and_mends(void **state)
{
	(void)state;
	box_write("/state/ends", "nonsense\n");
	for (unsigned i = 0; i < ENDS_KEPT + 2; i++) {
		box_write("/state/last-shutdown", i == 1 ? "running\n" : "asked 1764000000 60 a 0.1.0 well x\n");
		load("");
		begin();
	}
	unsigned lines = 0;
	for (const char *p = box_read("/state/ends"); *p; p++)
		lines += *p == '\n';
	assert_int_equal(lines, ENDS_KEPT);
	assert_null(strstr(box_read("/state/ends"), "nonsense"));
}

static void nonsense_is_made_anew(void **state)
{
	(void)state;
	box_write("/state/machine-id", "nobody\n");
	box_write("/state/boots", "many\n");
	box_write("/state/clock", "noon\n");
	box_write("/state/last-shutdown", "a\x1b[2Jb\nsecond line\n");
	load("not a name");
	assert_true(identity_is_machine_id(id.machine_id));
	assert_int_equal(strncmp(id.hostname, "hearth-", 7), 0);
	assert_int_equal(id.boots, 1);
	assert_int_equal(id.clock, 0);
	assert_string_equal(id.last_shutdown, "a?[2Jb");
}

static void empty_and_huge_files(void **state)
{
	char big[400];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	box_write("/state/machine-id", "");
	box_write("/state/boots", big);
	box_write("/state/last-shutdown", "");
	load("");
	assert_int_equal(id.boots, 1);
}

/* A failed call is an error or has no effect; the next try works, and the id of the machine never changes. */
static void any_call_may_fail(void **state)
{
	char machine[IDENTITY_MACHINE_ID] = "";
	unsigned before = fake_open_fds();

	(void)state;
	for (unsigned n = 1; n < 300; n++) {
		fake_fail_at(n, EIO);
		int rc = records_load(&id, "", &last, &e) < 0 || records_begin(&last, "a", &e) < 0 ? -1 : 0;
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		assert_int_equal(fake_open_fds(), before);
		if (rc == 0 && machine[0])
			assert_string_equal(id.machine_id, machine);
		if (box_exists("/state/machine-id") && !machine[0])
			memcpy(machine, box_read("/state/machine-id"), IDENTITY_MACHINE_ID - 1);
		if (!fired) {
			assert_int_equal(rc, 0);
			return;
		}
	}
	fail();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_first_boot, box_up, box_down),
		cmocka_unit_test_setup_teardown(later_boots_remember, box_up, box_down),
		cmocka_unit_test_setup_teardown(how_runs_end_is_kept, box_up, box_down),
		cmocka_unit_test_setup_teardown(an_end_in_order_needs_no_explanation, box_up, box_down),
		cmocka_unit_test_setup_teardown(the_list_is_bounded_and_mends, box_up, box_down),
		cmocka_unit_test_setup_teardown(nonsense_is_made_anew, box_up, box_down),
		cmocka_unit_test_setup_teardown(empty_and_huge_files, box_up, box_down),
		cmocka_unit_test_setup_teardown(any_call_may_fail, box_up, box_down),
	};

	return cmocka_run_group_tests_name("records", tests, NULL, NULL);
}
