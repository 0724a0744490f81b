/* The wiring: what follows from facts, services, problems and the log service's channel; and that PID 1's set-up goes
 * on whatever fails. Reboot and kill are faked in every test; files lie in a temporary folder. */

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
#include "loop/chan.h"
#include "service/output.h"
#include "service/table.h"
#include "unit/boot/box.h"

static const struct stage_row rows[] = {
	{"network", NULL, "network-up", NULL, 1000, STAGE_DEGRADED, "an address"},
	{"time", NULL, "time-synced", NULL, 1000, STAGE_CONTINUE, "a time server"},
	{NULL, NULL, NULL, NULL, 0, STAGE_CONTINUE, NULL},
};

static int no_name(const char *name, size_t n)
{
	(void)name;
	(void)n;
	return 0;
}

static int no_clock(int64_t wall)
{
	(void)wall;
	return 0;
}

static int setup(void **state)
{
	(void)state;
	box_clear();
	fake_sethostname = no_name;
	fake_clock_set = no_clock;
	return box_start(rows);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < box.services.count; i++) {
		close_fd(&box.services.service[i].log_fd);
		close_fd(&box.services.service[i].log_read_fd);
	}
	close_fd(&box.log_chan);
	for (unsigned i = 0; i < CONTROL_PEERS; i++)
		close_fd(&box.control.peer[i].fd);
	box_end();
	return 0;
}

static void step(void)
{
	box_steps(6);
}

static void test_consoles_take_over_the_screen(void **state)
{
	(void)state;
	assert_false(box.say.quiet);
	fact_set(&box.facts, "service-console-serial", FACT_ON, "");
	fact_set(&box.facts, "service-console-screen", FACT_ON, "");
	assert_true(box.say.quiet);
	fact_set(&box.facts, "service-console-serial", FACT_OFF, "");
	assert_true(box.say.quiet);
	fact_set(&box.facts, "service-console-screen", FACT_OFF, "");
	assert_false(box.say.quiet);
}

/* What the log service hears next: its text, "" for nothing, and whether a descriptor came. */
static const char *hear(int fd, bool *with_fd)
{
	static char text[128];
	int got = -1;
	ssize_t n = chan_recv(fd, text, sizeof(text) - 1, &got, &e);
	text[n > 0 ? n : 0] = '\0';
	*with_fd = got >= 0;
	if (got >= 0)
		close(got);
	return text;
}

static void test_log_service_gets_the_pipes(void **state)
{
	bool with_fd;
	(void)state;
	assert_int_equal(output_open(box_service("a"), &e), 0);
	int child = box.services.open_channel("log", &box, &e);
	assert_true(child >= 0);
	step();
	assert_string_equal(hear(child, &with_fd), "pipe a");
	assert_true(with_fd);
	assert_string_equal(hear(child, &with_fd), "");
	/* A service that comes later, and the data partition. */
	struct service *b = box_service("b");
	assert_int_equal(output_open(b, &e), 0);
	table_set_state(b, SERVICE_READY, "");
	fact_set(&box.facts, "data-mounted", FACT_ON, "");
	step();
	assert_string_equal(hear(child, &with_fd), "pipe b");
	assert_string_equal(hear(child, &with_fd), "reopen");
	assert_false(with_fd);
	/* Started anew: everything again, but it need not be told to reopen. */
	int next = box.services.open_channel("log", &box, &e);
	step();
	assert_string_equal(hear(next, &with_fd), "pipe a");
	assert_string_equal(hear(next, &with_fd), "pipe b");
	assert_string_equal(hear(next, &with_fd), "");
	close(child);
	close(next);
	step();
	assert_int_equal(box.log_chan, -1);
}

static void test_other_services_get_a_control_channel(void **state)
{
	(void)state;
	int child = box.services.open_channel("web", &box, &e);
	assert_true(child >= 0);
	assert_int_equal(box.control.peer[LIMIT_PEERS].kind, PEER_WEB);
	close(child);
	step();
}

static void test_clock_is_kept_only_when_it_is_right(void **state)
{
	(void)state;
	fact_set(&box.facts, "state-mounted", FACT_ON, "");
	fake_clock_ms += 600000;
	step();
	assert_int_equal(spawns, 0);
	fact_set(&box.facts, "time-synced", FACT_ON, "");
	step();
	assert_int_equal(spawns, 1);
	fake_clock_ms += 600000;
	step();
	assert_int_equal(spawns, 2);
	wire_shutdown(&box, SHUTDOWN_REBOOT, "a test");
	assert_int_equal(spawns, 3);
	assert_int_equal(box.system, SYSTEM_STOPPING);
	fact_set(&box.facts, "network-up", FACT_ON, "");
	assert_int_equal(box.system, SYSTEM_STOPPING);
}

static unsigned rests;

static int start_consoles(void *arg, struct err *why)
{
	(void)why;
	wire_consoles(arg);
	return 0;
}

static int start_rest(void *arg, struct err *why)
{
	(void)arg;
	(void)why;
	rests++;
	return 0;
}

/* A console that is on its way, and a stage that waits for its turn. */
static struct service *begin_with_console(void)
{
	static const struct stage_row consoles_first[] = {
		{"consoles", start_consoles, WIRE_CONSOLES, NULL, 60000, STAGE_CONTINUE, "a console"},
		{"rest", start_rest, NULL, "consoles", 0, STAGE_CONTINUE, NULL},
		{NULL, NULL, NULL, NULL, 0, STAGE_CONTINUE, NULL},
	};
	struct service *s = box_service("console-a");
	s->want_up = true;
	s->state = SERVICE_STARTING;
	rests = 0;
	assert_int_equal(stages_init(&box.stages, consoles_first, wire_stage, &box, &e), 0);
	stages_begin(&box.stages);
	step();
	assert_int_equal(rests, 0);
	return s;
}

static void test_the_rest_waits_for_the_consoles(void **state)
{
	static const enum service_state turns[] = {SERVICE_READY, SERVICE_BACKOFF, SERVICE_FAILED, SERVICE_DONE};
	void *none = NULL;
	(void)state;
	for (size_t i = 0; i < COUNT_OF(turns); i++) {
		struct service *s = begin_with_console();
		table_set_state(s, turns[i], "");
		assert_int_equal(rests, 0); /* not within the change of a service */
		step();
		assert_int_equal(rests, 1);
		assert_int_equal(teardown(&none), 0);
		assert_int_equal(setup(&none), 0);
	}
}

static void test_the_rest_waits_for_no_console_for_ever(void **state)
{
	(void)state;
	struct service *s = begin_with_console();
	box_service("console-off"); /* not wanted: nobody waits for it */
	fake_clock_ms += WIRE_CONSOLES_MS - 1;
	step();
	assert_int_equal(rests, 0);
	fake_clock_ms++;
	step();
	assert_int_equal(rests, 1);
	table_set_state(s, SERVICE_READY, "");
	step();
	assert_int_equal(rests, 1);
	assert_false(box.consoles.armed);
}

static void test_no_console(void **state)
{
	(void)state;
	wire_consoles(&box);
	step();
	assert_int_equal(fact_get(&box.facts, WIRE_CONSOLES), FACT_ON);
}

/* The update role has changed the boot entries: what is told of the slots is old. */
static void test_slots_are_looked_at_behind_an_update(void **state)
{
	(void)state;
	fact_set(&box.facts, "update-running", FACT_OFF, "");
	fact_set(&box.facts, "update-ready", FACT_OFF, "");
	fact_set(&box.facts, "update-running", FACT_ON, "1 %");
	fact_set(&box.facts, "update-running", FACT_ON, "2 %");
	assert_int_equal(spawns, 0);
	fact_set(&box.facts, "update-running", FACT_OFF, "failed");
	assert_int_equal(spawns, 1);
	fact_set(&box.facts, "update-ready", FACT_ON, "version 2");
	assert_int_equal(spawns, 2);
	fact_set(&box.facts, "update-ready", FACT_OFF, "");
	assert_int_equal(spawns, 3);
}

static void test_no_services(void **state)
{
	(void)state;
	assert_int_equal(wire_services(&box, &e), -1);
	assert_non_null(strstr(e.text, PATH_SERVICES));
	assert_int_equal(wire_state(&box, &e), -1); /* no identity either */
}

static const char *kube_text;

static int kube_alone(const char *path, int flags, mode_t mode)
{
	int fds[2];
	if (!str_eq(path, PATH_KUBE_INSIDE))
		return no_file(path, flags, mode);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], kube_text, strlen(kube_text)), strlen(kube_text));
	close(fds[1]);
	return fds[0];
}

static void test_which_kubernetes_is_inside(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {{"k3s v1.36.2, the official release\nmore\n", "k3s v1.36.2, the official release"},
	             {"k3s", "k3s"}};
	char large[LIMIT_DETAIL + 1];
	(void)state;
	fake_open = kube_alone;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		kube_text = cases[i].text;
		(void)!wire_services(&box, &e);
		assert_string_equal(box.kube, cases[i].want);
	}
	memset(large, 'x', LIMIT_DETAIL);
	large[LIMIT_DETAIL] = '\0';
	kube_text = large;
	(void)!wire_services(&box, &e);
	assert_string_equal(box.kube, "");
	fake_open = no_file;
	(void)!wire_services(&box, &e);
	assert_string_equal(box.kube, "");
}

static const struct stage_row with_kubernetes[] = {
	{"network", NULL, "network-up", NULL, 1000, STAGE_DEGRADED, "an address"},
	{WIRE_KUBERNETES, NULL, "node-ready", NULL, 5000, STAGE_CONTINUE, "the node to be Ready"},
	{"platform", NULL, "kube-healthy", WIRE_KUBERNETES, 9000, STAGE_CONTINUE, "every app to be healthy"},
	{NULL, NULL, NULL, NULL, 0, STAGE_CONTINUE, NULL},
};

static void test_started_when_all_stages_are_over(void **state)
{
	(void)state;
	assert_int_equal(stages_init(&box.stages, with_kubernetes, wire_stage, &box, &e), 0);
	stages_begin(&box.stages);
	fact_set(&box.facts, "network-up", FACT_ON, "");
	step();
	assert_int_equal(box.system, SYSTEM_RUNNING); /* Kubernetes does not matter for that */
	assert_int_equal(fact_get(&box.facts, "started"), FACT_UNKNOWN);
	fact_set(&box.facts, "node-ready", FACT_ON, "");
	step();
	assert_int_equal(fact_get(&box.facts, "started"), FACT_UNKNOWN);
	fact_set(&box.facts, "kube-healthy", FACT_ON, "8 of 8 apps healthy");
	step();
	assert_int_equal(fact_get(&box.facts, "started"), FACT_ON);
	assert_string_equal(box.stages.stage[2].detail, "8 of 8 apps healthy");
}

static void test_started_though_nothing_ever_comes(void **state)
{
	(void)state;
	assert_int_equal(stages_init(&box.stages, with_kubernetes, wire_stage, &box, &e), 0);
	stages_begin(&box.stages);
	fake_clock_ms += 1000;
	step();
	assert_int_equal(box.system, SYSTEM_DEGRADED);
	assert_int_equal(fact_get(&box.facts, "started"), FACT_UNKNOWN);
	fake_clock_ms += 4000;
	step();
	assert_int_equal(fact_get(&box.facts, "started"), FACT_ON);
	fact_set(&box.facts, "node-ready", FACT_ON, ""); /* heals; what had started has started */
	step();
	assert_int_equal(fact_get(&box.facts, "started"), FACT_ON);
	assert_string_equal(box.system_detail, "network: no network-up within 1 s; still waiting for it");
}

static void test_without_kubernetes_its_stages_are_not_there(void **state)
{
	(void)state;
	box.cmdline.no_kubernetes = true;
	assert_int_equal(stages_init(&box.stages, with_kubernetes, wire_stage, &box, &e), 0);
	(void)!wire_services(&box, &e);
	assert_int_equal(box.stages.count, 1);
	stages_begin(&box.stages);
	fact_set(&box.facts, "network-up", FACT_ON, "");
	step();
	assert_int_equal(fact_get(&box.facts, "started"), FACT_ON);
}

static void test_torture(void **state)
{
	(void)state;
	for (unsigned n = 1; n < 300; n++) {
		unsigned before;
		void *none = NULL;
		assert_int_equal(teardown(&none), 0);
		before = fake_open_fds();
		assert_int_equal(setup(&none), 0);
		fake_fail_at(n, ENOMEM);
		wire_consoles(&box);
		(void)!wire_services(&box, &e);
		(void)!wire_state(&box, &e);
		stages_begin(&box.stages);
		(void)!output_open(box_service("a"), &e);
		int fd = box.services.open_channel("log", &box, &e), web = box.services.open_channel("web", &box, &e);
		fact_set(&box.facts, "network-up", FACT_ON, "");
		for (unsigned i = 0; i < 6; i++)
			(void)!loop_step(&box.loop, &e);
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		close_fd(&fd);
		close_fd(&web);
		assert_int_equal(teardown(&none), 0);
		assert_int_equal(fake_open_fds(), before);
		assert_int_equal(setup(&none), 0);
		if (!fired)
			return;
	}
	fail();
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_consoles_take_over_the_screen),
		TEST(test_log_service_gets_the_pipes),
		TEST(test_other_services_get_a_control_channel),
		TEST(test_clock_is_kept_only_when_it_is_right),
		TEST(test_the_rest_waits_for_the_consoles),
		TEST(test_the_rest_waits_for_no_console_for_ever),
		TEST(test_no_console),
		TEST(test_slots_are_looked_at_behind_an_update),
		TEST(test_no_services),
		TEST(test_which_kubernetes_is_inside),
		TEST(test_started_when_all_stages_are_over),
		TEST(test_started_though_nothing_ever_comes),
		TEST(test_without_kubernetes_its_stages_are_not_there),
		TEST(test_torture),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
