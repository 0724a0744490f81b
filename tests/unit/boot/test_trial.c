/* The trial of a new slot inside PID 1: what its verdicts set off. Reboot, kill and children are faked in every test.
 */
#include "boot/trial.h"

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

#include "base/paths.h"
#include "unit/boot/box.h"

static char apps[] = "/tmp/hearth-test-apps-XXXXXX";
static const struct stage_row rows[] = {
	{"state", NULL, "state-mounted", NULL, 1000, STAGE_DEGRADED, "the state partition"},
	{NULL, NULL, NULL, NULL, 0, STAGE_CONTINUE, NULL},
};

static int only_apps(const char *path, int flags, mode_t mode)
{
	if (str_eq(path, PATH_RUN_APPS))
		return open(apps, flags, mode);
	errno = ENOENT;
	return -1;
}

static int setup(void **state)
{
	(void)state;
	box_clear();
	fake_open = only_apps;
	settings_default(&box.identify.settings);
	box.init_ms = 2000;
	if (box_start(rows) < 0)
		return -1;
	box.slot = 'b';
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	box_end();
	unlink(apps);
	return 0;
}

static void pass(uint64_t ms)
{
	fake_clock_ms += (int64_t)ms;
	box_steps(6);
}

static void begin(const char *before)
{
	FILE *f = fopen(apps, "w");
	assert_non_null(f);
	fputs(before, f);
	fclose(f);
	box_service("kube");
	fact_set(&box.facts, "kubernetes", FACT_ON, "");
	stages_begin(&box.stages);
	fact_set(&box.facts, "slot-other", FACT_ON, "good");
	fact_set(&box.facts, "trial-boot", FACT_ON, "slot b, 2 tries left");
	trial_settings(&box);
	fact_set(&box.facts, "state-mounted", FACT_ON, "");
	pass(1000);
}

static const char *health(void)
{
	const struct fact *f = fact_find(&box.facts, "health");
	return f != NULL ? f->detail : "";
}

static void it_is_not_kept_before_it_is_well(void **state)
{
	(void)state;
	begin("app-coredns\n");
	assert_int_equal(box.system, SYSTEM_RUNNING);
	assert_int_equal(fact_get(&box.facts, "healthy"), FACT_OFF);
	assert_string_equal(fact_find(&box.facts, "healthy")->detail, "the new slot is on trial, see health");
	assert_string_equal(health(), "waiting for node-ready, app-coredns; 14:56 left");
	assert_false(box.history.now.well);
	fact_set(&box.facts, "node-ready", FACT_ON, "");
	fact_set(&box.facts, "app-coredns", FACT_ON, "");
	pass(1000);
	pass(10000);
	pass(1000);
	assert_int_equal(fact_get(&box.facts, "healthy"), FACT_ON);
	assert_true(box.history.now.well);
	assert_int_equal(box.problems.count, 0);
}

static void without_a_trial_all_is_as_ever(void **state)
{
	(void)state;
	stages_begin(&box.stages);
	fact_set(&box.facts, "trial-boot", FACT_OFF, "");
	fact_set(&box.facts, "state-mounted", FACT_ON, "");
	pass(0);
	assert_int_equal(fact_get(&box.facts, "healthy"), FACT_ON);
	assert_string_equal(health(), "");
}

static void with_nothing_to_go_back_to_there_is_no_trial(void **state)
{
	(void)state;
	stages_begin(&box.stages);
	fact_set(&box.facts, "slot-other", FACT_UNKNOWN, "empty");
	fact_set(&box.facts, "trial-boot", FACT_ON, "slot a, 2 tries left");
	fact_set(&box.facts, "state-mounted", FACT_ON, "");
	pass(0);
	assert_int_equal(fact_get(&box.facts, "healthy"), FACT_ON);
	assert_int_equal(box.trial.gate.state, HEALTHGATE_OFF);
}

static void one_that_fails_is_left(void **state)
{
	(void)state;
	begin("");
	box.services.count = 0; /* so that the shutdown has nothing to stop */
	fact_set(&box.facts, "root-intact", FACT_OFF, "block 7");
	unsigned before = spawns;
	pass(900000);
	assert_int_equal(box.trial.gate.state, HEALTHGATE_FAILED);
	/* Marking it bad could not even be started, and that holds up nothing. */
	assert_true(spawns > before);
	assert_true(shutdown_running(&box.shutdown));
	assert_int_equal(box.shutdown.kind, END_HEALTH_GATE);
	assert_int_equal(box.shutdown.how, SHUTDOWN_REBOOT);
	assert_string_equal(box.shutdown.why, "slot b: still without a running system after 15:00");
}

static void one_that_has_nowhere_to_go_stays(void **state)
{
	(void)state;
	begin("");
	fact_set(&box.facts, "slot-other", FACT_OFF, "bad"); /* it was lost meanwhile */
	pass(900000);
	assert_int_equal(box.trial.gate.state, HEALTHGATE_ALONE);
	assert_false(shutdown_running(&box.shutdown));
	assert_int_equal(box.system, SYSTEM_DEGRADED);
	assert_non_null(strstr(box.system_detail, "node-ready"));
	assert_int_equal(box.problems.count, 1);
	assert_int_equal(fact_get(&box.facts, "healthy"), FACT_OFF);
	/* The gate's own verdict is no reason to stay unwell. */
	fact_set(&box.facts, "node-ready", FACT_ON, "");
	pass(1000);
	pass(11000);
	pass(1000);
	assert_int_equal(box.system, SYSTEM_RUNNING);
	assert_int_equal(box.problems.count, 0);
	assert_int_equal(fact_get(&box.facts, "healthy"), FACT_ON);
}

static void the_settings_count(void **state)
{
	(void)state;
	box.identify.settings.update.health = 0;
	box.identify.settings.update.health_deadline_ms = 60000;
	begin("app-coredns\n");
	assert_int_equal(box.trial.gate.deadline_ms, 60000);
	pass(11000);
	pass(1000);
	assert_int_equal(box.trial.gate.state, HEALTHGATE_GOOD);
}

static void a_broken_list_asks_for_nothing(void **state)
{
	(void)state;
	begin("app-coredns\nNot a name\n");
	assert_int_equal(box.trial.before.count, 0);
}

static void progress_is_no_flood_of_events(void **state)
{
	(void)state;
	begin("");
	uint64_t before = box.events.next;
	for (unsigned i = 0; i < 20; i++)
		pass(1000);
	assert_int_equal(box.events.next, before);
	assert_string_equal(health(), "waiting for node-ready; 14:36 left");
}

static void the_loader_is_heard_first(void **state)
{
	(void)state;
	trial_early(&box, 2);
	assert_int_equal(box.trial.gate.state, HEALTHGATE_WAITING);
	assert_string_equal(fact_find(&box.facts, "trial-boot")->detail, "slot b, 2 tries left, says the boot loader");
	/* The entries say the same. */
	begin("");
	assert_int_equal(box.trial.gate.state, HEALTHGATE_WAITING);
	assert_string_equal(fact_find(&box.facts, "trial-boot")->detail, "slot b, 2 tries left");
	trial_early(&box, 1); /* too late */
	assert_string_equal(fact_find(&box.facts, "trial-boot")->detail, "slot b, 2 tries left");
	/* What they say later is no news of the beginning. */
	fact_set(&box.facts, "trial-boot", FACT_OFF, "");
	assert_int_equal(box.trial.gate.state, HEALTHGATE_WAITING);
}

static void the_entries_know_better(void **state)
{
	(void)state;
	trial_early(&box, 1);
	assert_string_equal(fact_find(&box.facts, "trial-boot")->detail, "slot b, 1 try left, says the boot loader");
	stages_begin(&box.stages);
	fact_set(&box.facts, "slot-other", FACT_OFF, "bad");
	fact_set(&box.facts, "trial-boot", FACT_ON, "slot b, 1 try left");
	fact_set(&box.facts, "state-mounted", FACT_ON, "");
	pass(1000);
	assert_int_equal(box.trial.gate.state, HEALTHGATE_OFF);
	assert_int_equal(fact_get(&box.facts, "healthy"), FACT_ON);
	assert_string_equal(box.trial.gate.why, "");
}

/* Neither state nor boot entries: nothing but the loader's word. */
static void one_without_disks_is_left(void **state)
{
	(void)state;
	trial_early(&box, 2);
	stages_begin(&box.stages);
	pass(2000);
	assert_int_equal(box.system, SYSTEM_DEGRADED);
	assert_string_equal(health(), "waiting for a running system; 14:55 left");
	unsigned before = spawns;
	pass(900000);
	assert_true(spawns > before);
	assert_true(shutdown_running(&box.shutdown));
	assert_int_equal(box.shutdown.kind, END_HEALTH_GATE);
	assert_string_equal(box.shutdown.why, "slot b: still without a running system after 15:00");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_not_kept_before_it_is_well),
		TEST(without_a_trial_all_is_as_ever),
		TEST(with_nothing_to_go_back_to_there_is_no_trial),
		TEST(one_that_fails_is_left),
		TEST(one_that_has_nowhere_to_go_stays),
		TEST(the_settings_count),
		TEST(a_broken_list_asks_for_nothing),
		TEST(progress_is_no_flood_of_events),
		TEST(the_loader_is_heard_first),
		TEST(the_entries_know_better),
		TEST(one_without_disks_is_left),
	};
	int fd = mkstemp(apps);
	if (fd >= 0)
		close(fd);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
