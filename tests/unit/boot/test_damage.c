/* A damaged root: when the box goes over to the other slot, when it stays, and that it never does so in a circle.
 * Reboot, kill and children are faked in every test. */
#include "boot/damage.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "boot/leave.h"
#include "unit/boot/box.h"
#include "unit/ended.h"

#define CHILD ((1 << 22) + 1)

static const struct stage_row rows[] = {
	{"network", NULL, "network-up", NULL, 1000, STAGE_DEGRADED, "the network"},
	{NULL, NULL, NULL, NULL, 0, STAGE_CONTINUE, NULL},
};

/* Alive until `marked` says otherwise. */
static pid_t a_child(int (*fn)(void *), void *arg, int *pidfd)
{
	(void)fn;
	(void)arg;
	spawns++;
	*pidfd = eventfd(0, EFD_CLOEXEC);
	return CHILD;
}

static int setup(void **state)
{
	(void)state;
	box_clear();
	fake_vfork_call = a_child;
	fake_waitid = wait_ended;
	settings_default(&box.identify.settings);
	if (box_start(rows) < 0)
		return -1;
	box.slot = 'b';
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	box_end();
	return 0;
}

static void step(void)
{
	box_steps(4);
}

static void set(const char *name, enum fact_value v, const char *detail)
{
	fact_set(&box.facts, name, v, detail);
	step();
}

static const char *problem(unsigned i)
{
	return i < box.problems.count ? box.problems.list[i].text : "";
}

static void all_must_be_known(void **state)
{
	(void)state;
	const struct end other = {.kind = END_DAMAGE, .slot = "a"}, same = {.kind = END_DAMAGE, .slot = "b"};
	const struct end asked = {.kind = END_ASKED, .slot = "b"};
	fact_set(&box.facts, "root-intact", FACT_OFF, "");
	fact_set(&box.facts, "slot-other", FACT_ON, "good");
	assert_false(damage_leaves(&box.facts, 'b', NULL));
	fact_set(&box.facts, "state-mounted", FACT_OFF, "");
	assert_true(damage_leaves(&box.facts, 'b', NULL));
	fact_set(&box.facts, "state-mounted", FACT_ON, "");
	assert_true(damage_leaves(&box.facts, 'b', NULL));
	assert_true(damage_leaves(&box.facts, 'b', &asked));
	assert_true(damage_leaves(&box.facts, 'b', &other));
	assert_false(damage_leaves(&box.facts, 'b', &same)); /* it was left already, and here it is again */
	assert_false(damage_leaves(&box.facts, '\0', NULL));
	fact_set(&box.facts, "slot-other", FACT_OFF, "bad");
	assert_false(damage_leaves(&box.facts, 'b', NULL));
	fact_set(&box.facts, "slot-other", FACT_UNKNOWN, "empty");
	assert_false(damage_leaves(&box.facts, 'b', NULL));
	fact_set(&box.facts, "slot-other", FACT_ON, "good");
	fact_set(&box.facts, "root-intact", FACT_ON, "");
	assert_false(damage_leaves(&box.facts, 'b', NULL));
}

static void marked(bool ok)
{
	ended = CHILD;
	end_status = ok ? 0 : 1;
	(void)child_reap();
	step();
}

static void damaged(void)
{
	set("state-mounted", FACT_OFF, "no disk");
	set("slot-other", FACT_ON, "good");
	assert_int_equal(spawns, 0);
	set("root-intact", FACT_OFF, "block 70 is damaged");
	assert_int_equal(spawns, 1);
	assert_false(shutdown_running(&box.shutdown));
	set("root-intact", FACT_OFF, "block 71 is damaged"); /* another one: it is on its way already */
	assert_int_equal(spawns, 1);
}

static void it_goes_over_to_the_other_slot(void **state)
{
	(void)state;
	damaged();
	marked(true);
	assert_true(shutdown_running(&box.shutdown));
	assert_int_equal(box.shutdown.kind, END_DAMAGE);
	assert_int_equal(box.shutdown.how, SHUTDOWN_REBOOT);
	assert_string_equal(box.shutdown.why, "root of slot b: block 70 is damaged");
}

/* The loader would start it again, and again. */
static void a_slot_that_cannot_be_marked_is_not_left(void **state)
{
	(void)state;
	damaged();
	marked(false);
	assert_false(shutdown_running(&box.shutdown));
	assert_non_null(strstr(problem(1), "could not be marked bad"));
	/* Whoever had a turn on the boot partition may be done a minute later. */
	fake_clock_ms += LEAVE_AGAIN_MS;
	step();
	assert_int_equal(spawns, 2);
	set("slot-other", FACT_OFF, "bad"); /* nowhere to go any more */
	marked(false);
	fake_clock_ms += LEAVE_AGAIN_MS;
	step();
	assert_int_equal(spawns, 2);
	set("slot-other", FACT_ON, "good");
	assert_int_equal(spawns, 3);
	marked(true);
	assert_true(shutdown_running(&box.shutdown));
	assert_string_equal(box.shutdown.why, "root of slot b: block 71 is damaged");
}

static void without_another_slot_it_stays(void **state)
{
	(void)state;
	set("state-mounted", FACT_ON, "");
	set("slot-other", FACT_UNKNOWN, "empty");
	set("root-intact", FACT_OFF, "block 70 is damaged");
	assert_int_equal(spawns, 0);
	assert_false(shutdown_running(&box.shutdown));
	assert_string_equal(problem(0), "root of slot b: block 70 is damaged; flash again or install an update");
	/* An update has been installed. */
	set("slot-other", FACT_ON, "trial");
	assert_int_equal(spawns, 1);
	marked(false);
}

static void somebody_in_safe_mode_is_left_alone(void **state)
{
	(void)state;
	box.cmdline.safe = true;
	set("state-mounted", FACT_ON, "");
	set("slot-other", FACT_ON, "good");
	set("root-intact", FACT_OFF, "block 70 is damaged");
	assert_int_equal(spawns, 0);
}

static void a_root_that_is_whole_again_is_no_problem(void **state)
{
	(void)state;
	set("root-intact", FACT_OFF, "block 70 is damaged");
	assert_int_equal(box.problems.count, 1);
	set("root-intact", FACT_ON, "");
	assert_int_equal(box.problems.count, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_must_be_known),
		TEST(it_goes_over_to_the_other_slot),
		TEST(a_slot_that_cannot_be_marked_is_not_left),
		TEST(without_another_slot_it_stays),
		TEST(somebody_in_safe_mode_is_left_alone),
		TEST(a_root_that_is_whole_again_is_no_problem),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
