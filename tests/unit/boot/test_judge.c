/* How the box is, from stages, services and facts, through the wiring. Reboot, kill and children are faked. */
#include "boot/judge.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "boot/wire.h"
#include "fake/sys.h"
#include "service/table.h"

static struct box box;
static struct err e;
static const struct stage_row rows[] = {
	{"network", NULL, "network-up", NULL, 1000, STAGE_DEGRADED, "an address"},
	{"time", NULL, "time-synced", NULL, 1000, STAGE_CONTINUE, "a time server"},
	{NULL, NULL, NULL, NULL, 0, STAGE_CONTINUE, NULL},
};

static int no_reboot(int how)
{
	(void)how;
	return 0;
}

static int no_file(const char *path, int flags, mode_t mode)
{
	(void)path;
	(void)flags;
	(void)mode;
	errno = ENOENT;
	return -1;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_reboot = no_reboot;
	fake_open = no_file;
	fake_epoll_wait = fake_epoll_now;
	fake_clock_ms = 5000;
	memset(&box, 0, sizeof(box));
	if (loop_init(&box.loop, &e) < 0 || wire_init(&box, &e) < 0)
		return -1;
	return stages_init(&box.stages, rows, wire_stage, &box, &e);
}

static int teardown(void **state)
{
	(void)state;
	power_fini(&box.power);
	loop_fini(&box.loop);
	fake_reset();
	return 0;
}

static void step(void)
{
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(loop_step(&box.loop, &e), 0);
}

static struct service *add_service(const char *name)
{
	struct service *s = &box.services.service[box.services.count++];
	assert_int_equal(str_copy(s->def.name, sizeof(s->def.name), name), 0);
	s->all = &box.services;
	s->child.pidfd = s->notify_fd = s->log_fd = s->log_read_fd = s->cgroup_fd = -1;
	return s;
}

static void test_system_follows_the_stages(void **state)
{
	(void)state;
	stages_begin(&box.stages);
	step();
	assert_int_equal(box.system, SYSTEM_BOOTING);
	fake_clock_ms += 1000;
	step();
	assert_int_equal(box.system, SYSTEM_DEGRADED);
	assert_true(str_starts(box.system_detail, "network: "));
	assert_false(judge_healthy(&box));
	assert_int_equal(fact_get(&box.facts, "healthy"), FACT_OFF);
	fact_set(&box.facts, "network-up", FACT_ON, "eth0 10.0.2.15");
	step();
	assert_int_equal(box.system, SYSTEM_RUNNING); /* a time server that is missing does not matter */
	assert_string_equal(box.system_detail, "");
	assert_true(judge_healthy(&box));
	assert_int_equal(fact_get(&box.facts, "healthy"), FACT_ON);
	assert_true(box.history.now.well);
}

static void test_damaged_root_degrades(void **state)
{
	(void)state;
	stages_begin(&box.stages);
	fact_set(&box.facts, "network-up", FACT_ON, "");
	fact_set(&box.facts, "time-synced", FACT_ON, "");
	fact_set(&box.facts, "root-intact", FACT_ON, "");
	step();
	assert_int_equal(box.system, SYSTEM_RUNNING);
	fact_set(&box.facts, "root-intact", FACT_OFF, "block 17");
	step();
	assert_int_equal(box.system, SYSTEM_DEGRADED);
	assert_int_equal(box.problems.count, 1);
	assert_string_equal(box.problems.list[0].text, "root of slot ?: block 17; flash again or install an update");
	fact_set(&box.facts, "root-intact", FACT_ON, "");
	step();
	assert_int_equal(box.system, SYSTEM_RUNNING);
	assert_int_equal(box.problems.count, 0);
}

static void test_failed_service_degrades(void **state)
{
	(void)state;
	struct service *s = add_service("cert");
	stages_begin(&box.stages);
	fact_set(&box.facts, "network-up", FACT_ON, "");
	fact_set(&box.facts, "time-synced", FACT_ON, "");
	table_set_state(s, SERVICE_FAILED, "exited with status 3");
	step();
	assert_int_equal(box.system, SYSTEM_DEGRADED);
	assert_string_equal(box.system_detail, "service cert: exited with status 3");
	table_set_state(s, SERVICE_DONE, "");
	step();
	assert_int_equal(box.system, SYSTEM_RUNNING);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_system_follows_the_stages),
		TEST(test_damaged_root_degrades),
		TEST(test_failed_service_degrades),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
