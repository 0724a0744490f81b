/* PID 1's commands through the table, as its peers call them, and the answers that describe the box. Reboot and kill
 * are faked in every test. */
#include "boot/commands.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/paths.h"
#include "base/str.h"
#include "boot/wire.h"
#include "fake/sys.h"
#include "service/table.h"

static struct box box;
static struct err e;
static char text[LIMIT_REPLY];

static int no_reboot(int how)
{
	(void)how;
	return 0;
}

static int no_kill(pid_t pid, int signo)
{
	(void)pid;
	(void)signo;
	return 0;
}

static int no_socket(int domain, int type, int proto)
{
	(void)domain;
	(void)type;
	(void)proto;
	errno = EPERM;
	return -1;
}

static int setup(void **state)
{
	static const struct stage_row rows[] = {
		{"network", NULL, "network-up", NULL, 9000, STAGE_DEGRADED, "an address"},
		{NULL, NULL, NULL, NULL, 0, STAGE_CONTINUE, NULL},
	};
	(void)state;
	fake_reset();
	fake_reboot = no_reboot;
	fake_kill = no_kill;
	fake_epoll_wait = fake_epoll_now;
	fake_socket = no_socket;
	fake_clock_ms = 5000;
	fake_clock_wall = 1700000000;
	memset(&box, 0, sizeof(box));
	if (loop_init(&box.loop, &e) < 0 || wire_init(&box, &e) < 0 || commands_install(&box, &e) < 0)
		return -1;
	struct service *s = &box.services.service[0];
	strcpy(s->def.name, "web");
	strcpy(s->def.description, "HTTPS");
	s->all = &box.services;
	s->child.pidfd = s->notify_fd = s->log_fd = s->log_read_fd = s->cgroup_fd = -1;
	box.services.count = 1;
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

/* words: separated by blanks, "_" for a blank in a word. The answer stands in text, or the error in e. */
static int run(enum peer peer, const char *words)
{
	char msg[256];
	struct json j;
	struct buf b;
	size_t len = strlen(words) + 1;
	memcpy(msg, words, len);
	for (size_t i = 0; i < len; i++) {
		if (msg[i] == ' ')
			msg[i] = '\0';
		else if (msg[i] == '_')
			msg[i] = ' ';
	}
	buf_init(&b, text, sizeof(text));
	json_init(&j, &b);
	int rc = command_run(&box.commands, peer, msg, len, &j, &e);
	if (rc == 0)
		assert_true(json_ok(&j));
	return rc;
}

static void step(void)
{
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(loop_step(&box.loop, &e), 0);
}

static void has(const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("%s is not in %s", part, text);
}

static void test_status(void **state)
{
	(void)state;
	stages_begin(&box.stages);
	wire_problem(&box, "settings", "/state/settings.yaml:3: what");
	fact_set(&box.facts, "network-up", FACT_OFF, "eth0: no answer");
	assert_int_equal(run(PEER_WEB, "status"), 0);
	has("\"system\":\"booting\"");
	has("\"url\":\"\"");
	has("\"waiting\":\"network: waiting for an address (eth0: no answer)\"");
	has("\"problems\":[\"/state/settings.yaml:3: what\"]");
	has("\"services\":{\"total\":1,\"ready\":0,\"failed\":0}");
	has("\"stages\":[{\"name\":\"network\",\"state\":\"running\"");
	has("\"interfaces\":[]");
	has("\"time\":\"2023-11-14T22:13:20Z\",\"time_synced\":false");
	fact_set(&box.facts, "network-up", FACT_ON, "eth0 10.0.2.15/24");
	step();
	assert_int_equal(run(PEER_WEB, "status"), 0);
	has("\"url\":\"https://10.0.2.15/\"");
	has("\"system\":\"running\"");
	has("\"waiting\":\"\"");
	fact_set(&box.facts, "network-up", FACT_ON, "eth0 fd00::15/64");
	assert_int_equal(run(PEER_WEB, "status"), 0);
	has("\"url\":\"https://[fd00::15]/\"");
}

static void test_boots(void **state)
{
	static const struct end last = {.kind = END_WATCHDOG, .slot = "a", .why = "stood still"};
	(void)state;
	assert_int_equal(run(PEER_WEB, "boots"), 0);
	assert_string_equal(text, "{\"boots\":[]}");
	assert_int_equal(run(PEER_WEB, "status"), 0);
	has("\"last_kind\":\"\"");
	ends_add(&box.history.past, &last);
	assert_int_equal(run(PEER_WEB, "boots"), 0);
	has("\"kind\":\"watchdog\",\"reason\":\"stood still\"");
	assert_int_equal(run(PEER_WEB, "status"), 0);
	has("\"last_kind\":\"watchdog\"");
}

static void test_services(void **state)
{
	(void)state;
	fake_clock_ms = 7500;
	assert_int_equal(run(PEER_WEB, "services"), 0);
	has("{\"name\":\"web\",\"description\":\"HTTPS\",\"state\":\"down\",\"detail\":\"\",\"since_ms\":7500,"
	    "\"restarts\":0,\"pid\":0,\"memory\":0}");
	assert_int_equal(run(PEER_LOCAL, "stop web"), 0);
	has("\"message\":\"web: stop asked for\"");
	assert_int_equal(run(PEER_LOCAL, "stop wep"), -1);
	assert_non_null(strstr(e.text, "did you mean 'web'"));
	assert_int_equal(run(PEER_WEB, "stop web"), -1);
	assert_int_equal(run(PEER_LOCAL, "start"), -1);
}

static void test_facts(void **state)
{
	(void)state;
	assert_int_equal(run(PEER_LOCAL, "fact sun on up_there"), 0);
	assert_int_equal(fact_get(&box.facts, "sun"), FACT_ON);
	fake_clock_ms += 30;
	assert_int_equal(run(PEER_WEB, "facts"), 0);
	has("{\"name\":\"sun\",\"value\":\"on\",\"detail\":\"up there\",\"age_ms\":30}");
	assert_int_equal(run(PEER_LOCAL, "fact sun off"), 0);
	assert_int_equal(run(PEER_LOCAL, "fact sun unknown"), 0);
	assert_int_equal(fact_get(&box.facts, "sun"), FACT_UNKNOWN);
	assert_int_equal(run(PEER_LOCAL, "fact sun maybe"), -1);
	assert_non_null(strstr(e.text, "on, off or unknown"));
	assert_int_equal(run(PEER_LOCAL, "fact Sun on"), -1);
	assert_int_equal(run(PEER_WEB, "fact sun on"), -1);
}

static void test_facts_of_the_kube_role(void **state)
{
	static const char *const good[] = {"fact app-torrents off", "fact kube-applied on", "fact node-ready on"};
	static const char *const bad[] = {"fact healthy on", "fact state-mounted off", "fact app off",
	                                  "fact service-web on"};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++)
		assert_int_equal(run(PEER_KUBE, good[i]), 0);
	assert_int_equal(fact_get(&box.facts, "app-torrents"), FACT_OFF);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_int_equal(run(PEER_KUBE, bad[i]), -1);
		assert_int_equal(e.code, EPERM);
	}
	assert_int_equal(run(PEER_LOCAL, "fact healthy on"), 0);
	assert_int_equal(run(PEER_KUBE, "status"), -1);
	assert_int_equal(run(PEER_KUBE, "restart web"), -1);
	assert_int_equal(run(PEER_KUBE, "apps"), -1);
	assert_int_equal(e.code, EPERM);
}

static void test_rights_of_the_update_role(void **state)
{
	(void)state;
	assert_int_equal(run(PEER_UPDATE, "fact update-ready on"), 0);
	assert_int_equal(run(PEER_UPDATE, "facts"), 0);
	assert_int_equal(run(PEER_UPDATE, "fact app-web on"), -1);
	assert_int_equal(e.code, EPERM);
	assert_int_equal(run(PEER_KUBE, "fact update-ready on"), -1);
	assert_int_equal(run(PEER_UPDATE, "restart web"), -1);
	assert_int_equal(run(PEER_UPDATE, "update"), -1);
	assert_int_equal(run(PEER_LOCAL, "reboot why"), -1);
	assert_non_null(strstr(e.text, "no argument"));
	assert_int_equal(run(PEER_WEB, "update cancel"), -1);
	assert_int_equal(e.code, EPERM);
	assert_int_equal(run(PEER_UPDATE, "reboot update"), 0);
	assert_true(shutdown_running(&box.shutdown));
	assert_int_equal(box.shutdown.kind, END_UPDATE);
}

static void test_events(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LIMIT_EVENTS + 44; i++)
		event_add(&box.events, EVENT_FACT, "tick", "number %u", i);
	uint64_t next = box.events.next;
	assert_int_equal(run(PEER_WEB, "events"), 0);
	has("number 299\"");
	has("number 280\"");
	assert_null(strstr(text, "number 279\""));
	assert_int_equal(run(PEER_WEB, "events 0"), 0);
	has("{\"oldest\":");
	has("number 44\"");
	assert_int_equal(run(PEER_WEB, "events 999999"), 0);
	has("\"events\":[],\"next\":");
	assert_int_equal(run(PEER_WEB, "events x"), -1);
	assert_int_equal(run(PEER_WEB, "events -f"), -1); /* nobody is connected here */
	assert_int_equal(box.events.next, next);
}

static void test_many_long_events_come_in_parts(void **state)
{
	char part[64], noise[LIMIT_DETAIL];
	(void)state;
	memset(noise, 1, sizeof(noise) - 1); /* six bytes each in JSON */
	noise[sizeof(noise) - 1] = '\0';
	for (unsigned i = 0; i < LIMIT_EVENTS; i++)
		event_add(&box.events, EVENT_FACT, "tick", "%s", noise);
	assert_int_equal(run(PEER_WEB, "events 1"), 0);
	assert_true(strlen(text) < LIMIT_REPLY);
	assert_true(snprintf(part, sizeof(part), "\"next\":%d}", (int)box.events.next) > 0);
	assert_null(strstr(text, part)); /* there is more to ask for */
}

static void test_logs(void **state)
{
	(void)state;
	assert_int_equal(run(PEER_LOCAL, "logs web"), 0);
	has("{\"name\":\"web\",\"path\":\"" PATH_LOGS "/web.log\"}");
	assert_int_equal(run(PEER_LOCAL, "logs ../../etc/passwd"), -1);
	assert_int_equal(run(PEER_WEB, "logs web"), -1);
}

static void add_kube(enum service_state now, const char *detail)
{
	struct service *s = &box.services.service[1];
	*s = box.services.service[0];
	strcpy(s->def.name, "kube");
	strcpy(s->detail, detail);
	s->state = now;
	box.services.count = 2;
}

static void status_says(const char *state)
{
	char want[256];
	assert_int_equal(
		str_format(want, sizeof(want), "\"kubernetes\":{\"inside\":\"%s\",\"state\":\"%s\"}", box.kube, state),
		0);
	assert_int_equal(run(PEER_WEB, "status"), 0);
	has(want);
}

static void test_status_of_kubernetes(void **state)
{
	(void)state;
	status_says("not in this image");
	add_kube(SERVICE_READY, "");
	strcpy(box.kube, "k3s v1.36.4, from modules");
	fact_set(&box.facts, "kubernetes", FACT_ON, "");
	status_says("starting");
	fact_set(&box.facts, "kube-api", FACT_OFF, "no kubeconfig yet");
	status_says("starting: no kubeconfig yet");
	fact_set(&box.facts, "kube-api", FACT_ON, "");
	status_says("starting");
	fact_set(&box.facts, "node-ready", FACT_OFF, "the node is not ready");
	status_says("starting: the node is not ready");
	fact_set(&box.facts, "node-ready", FACT_ON, "the node is ready");
	status_says("the node is ready");
	fact_set(&box.facts, "kube-healthy", FACT_OFF, "7 of 8 apps healthy; waiting for coredns");
	status_says("the node is ready; 7 of 8 apps healthy; waiting for coredns");
	fact_set(&box.facts, "kube-healthy", FACT_ON, "8 of 8 apps healthy");
	status_says("the node is ready; 8 of 8 apps healthy");
	/* What was there once and is not any more does not "start". */
	fact_set(&box.facts, "started", FACT_ON, "");
	fact_set(&box.facts, "node-ready", FACT_UNKNOWN, "the API server does not answer");
	status_says("not ready: the API server does not answer");
	fact_set(&box.facts, "kubernetes", FACT_OFF, "left out by the kernel command line");
	status_says("left out by the kernel command line");
}

/* All that the kube role answers: errors while it cannot. With one that answers: test_control. */
static void test_what_kube_answers(void **state)
{
	static const char *const asks[] = {"apps",          "apps torrents",       "apps diff torrents",
	                                   "apps resume x", "apps pause torrents", "pods",
	                                   "logs pod/x",    "logs pod/x container"};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(asks); i++) {
		box.services.count = 1;
		assert_int_equal(run(PEER_LOCAL, asks[i]), -1);
		assert_non_null(strstr(e.text, ": kube: not in this image"));
		add_kube(SERVICE_STARTING, "");
		assert_int_equal(run(PEER_LOCAL, asks[i]), -1);
		assert_non_null(strstr(e.text, ": kube: not running (starting)"));
		add_kube(SERVICE_BACKOFF, "exited with status 1");
		assert_int_equal(run(PEER_LOCAL, asks[i]), -1);
		assert_non_null(strstr(e.text, ": kube: not running (backoff: exited with status 1)"));
		add_kube(SERVICE_READY, "");
		assert_int_equal(run(PEER_LOCAL, asks[i]), -1);
		assert_non_null(strstr(e.text, "only over a control connection"));
	}
}

static void test_who_may_ask_kube(void **state)
{
	static const char *const local[] = {"apps pause x", "apps resume x", "logs pod/x"};
	(void)state;
	add_kube(SERVICE_READY, "");
	for (size_t i = 0; i < COUNT_OF(local); i++) {
		assert_int_equal(run(PEER_WEB, local[i]), -1);
		assert_int_equal(e.code, EPERM);
	}
	assert_int_equal(run(PEER_WEB, "apps diff x"), -1);
	assert_int_equal(e.code, EINVAL); /* the connection's, not the right's */
	assert_int_equal(run(PEER_LOCAL, "apps stop x"), -1);
	assert_string_equal(e.text, "apps: 'stop' is none of diff, pause and resume");
	assert_int_equal(run(PEER_LOCAL, "apps a b c"), -1);
	assert_int_equal(run(PEER_LOCAL, "logs web container"), -1);
	assert_string_equal(e.text, "logs: only a pod has containers: logs pod/NAME CONTAINER");
}

static bool event_says(const char *part)
{
	for (uint64_t seq = event_oldest(&box.events); seq < box.events.next; seq++) {
		const struct event *ev = event_get(&box.events, seq);
		if (ev && strstr(ev->text, part))
			return true;
	}
	return false;
}

/* The code is for who stands before the box. */
static void test_the_code_of_the_first_login(void **state)
{
	static const char *const open[] = {"status", "facts", "events 0", "services", "help"};
	(void)state;
	assert_int_equal(run(PEER_LOCAL, "owner"), 0);
	has("not known yet");
	fact_set(&box.facts, "network-up", FACT_ON, "eth0 10.0.2.15/24");
	assert_int_equal(run(PEER_OWNER, "owner code K7Q2-0XD1"), 0);
	assert_int_equal(run(PEER_LOCAL, "owner"), 0);
	has("\"message\":\"first login: code K7Q2-0XD1 at https://10.0.2.15/\"");
	assert_int_equal(run(PEER_LOCAL, "status"), 0);
	has("\"owner\":\"first\",\"first_login\":\"K7Q2-0XD1\"");
	step();
	for (size_t i = 0; i < COUNT_OF(open); i++) {
		assert_int_equal(run(PEER_WEB, open[i]), 0);
		assert_null(strstr(text, "K7Q2"));
	}
	assert_int_equal(run(PEER_WEB, "owner"), -1);
	assert_int_equal(e.code, EPERM);
	assert_int_equal(run(PEER_OWNER, "owner code"), 0);
	assert_int_equal(run(PEER_LOCAL, "status"), 0);
	has("\"owner\":\"set\"");
	assert_null(strstr(text, "K7Q2"));
	assert_int_equal(run(PEER_OWNER, "owner code 0123456789abcdef"), -1);
	assert_int_equal(run(PEER_OWNER, "owner event a_login_from_10.0.2.2"), 0);
	assert_true(event_says("a login from 10.0.2.2"));
}

/* Relays need a connection (test_control); here: whose words get so far. */
static void test_who_may_act_for_the_owner(void **state)
{
	static const struct {
		enum peer peer;
		const char *words;
		bool may;
	} cases[] = {
		{PEER_WEB, "session new 10.0.2.2", true},
		{PEER_LOCAL, "session new 10.0.2.2", false},
		{PEER_OWNER, "session new x", false},
		{PEER_KUBE, "session show", false},
		{PEER_LOCAL, "owner reset", true},
		{PEER_WEB, "owner reset", false},
		{PEER_WEB, "owner code X", false},
		{PEER_WEB, "owner event x", false},
		{PEER_KUBE, "owner event x", false},
		{PEER_WEB, "update", true},
		{PEER_WEB, "update install http://x", false},
		{PEER_WEB, "update upload 4096", false},
		{PEER_KUBE, "update", false},
		{PEER_OWNER, "update install http://x", true},
		{PEER_OWNER, "update upload 4096", true},
		{PEER_LOCAL, "update pause", true},
		{PEER_WEB, "snapshots", true},
		{PEER_WEB, "snapshots take", false},
		{PEER_OWNER, "snapshots restore utils/notes", true},
		{PEER_KUBE, "snapshots", false},
		{PEER_OWNER, "poweroff", false},
		{PEER_OWNER, "stop web", false},
		{PEER_OWNER, "fact app-x on", false},
		{PEER_OWNER, "logs web", false},
		{PEER_OWNER, "rollback", true},
		{PEER_WEB, "rollback", false},
		{PEER_WEB, "reboot", false},
	};
	(void)state;
	box.services.count = 1;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(run(cases[i].peer, cases[i].words), -1);
		if ((e.code != EPERM) != cases[i].may)
			fail_msg("%s of %u: %s", cases[i].words, cases[i].peer, e.text);
	}
	assert_int_equal(run(PEER_LOCAL, "owner code X"), -1);
	assert_string_equal(e.text, "owner: 'code' is not reset");
	assert_int_equal(run(PEER_OWNER, "owner nothing"), -1);
	assert_int_equal(run(PEER_OWNER, "reboot"), 0);
}

static void test_which_kubernetes(void **state)
{
	(void)state;
	assert_int_equal(run(PEER_WEB, "kube"), 0);
	has("\"message\":\"no Kubernetes in this image\"");
	strcpy(box.kube, "k3s v1.36.2, assembled from its modules");
	assert_int_equal(run(PEER_WEB, "kube"), 0);
	has("\"message\":\"k3s v1.36.2, assembled from its modules\"");
}

static void test_kubeconfig(void **state)
{
	(void)state;
	assert_int_equal(run(PEER_LOCAL, "kubeconfig"), 0);
	assert_string_equal(text, "{\"path\":\"/etc/rancher/k3s/k3s.yaml\",\"address\":\"\"}");
	fact_set(&box.facts, "network-up", FACT_ON, "eth0 10.0.2.15/24");
	assert_int_equal(run(PEER_LOCAL, "kubeconfig"), 0);
	has("\"address\":\"10.0.2.15\"}");
	fact_set(&box.facts, "network-up", FACT_ON, "eth0 fd00::15/64");
	assert_int_equal(run(PEER_LOCAL, "kubeconfig"), 0);
	has("\"address\":\"fd00::15\"}");
	fact_set(&box.facts, "network-up", FACT_OFF, "eth0: no cable");
	assert_int_equal(run(PEER_LOCAL, "kubeconfig"), 0);
	has("\"address\":\"\"}");
	assert_int_equal(run(PEER_LOCAL, "kubeconfig x"), -1);
	assert_int_equal(run(PEER_WEB, "kubeconfig"), -1);
	assert_int_equal(e.code, EPERM);
	assert_int_equal(run(PEER_KUBE, "kubeconfig"), -1);
	assert_int_equal(e.code, EPERM);
	assert_int_equal(run(PEER_LOCAL, "help"), 0);
	has("\"name\":\"kubeconfig\"");
	assert_int_equal(run(PEER_WEB, "help"), 0);
	assert_null(strstr(text, "kubeconfig"));
}

static void test_ends(void **state)
{
	static const struct {
		const char *command;
		enum shutdown_how how;
	} cases[] = {{"reboot", SHUTDOWN_REBOOT}, {"poweroff", SHUTDOWN_POWEROFF}, {"halt", SHUTDOWN_HALT}};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		assert_int_equal(run(PEER_WEB, cases[i].command), -1);
		assert_int_equal(run(PEER_LOCAL, cases[i].command), 0);
		assert_int_equal(box.shutdown.how, cases[i].how);
		assert_true(shutdown_running(&box.shutdown));
	}
	assert_int_equal(box.system, SYSTEM_STOPPING);
	assert_int_equal(run(PEER_LOCAL, "start web"), -1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_status),
		TEST(test_boots),
		TEST(test_status_of_kubernetes),
		TEST(test_services),
		TEST(test_facts),
		TEST(test_events),
		TEST(test_many_long_events_come_in_parts),
		TEST(test_logs),
		TEST(test_facts_of_the_kube_role),
		TEST(test_rights_of_the_update_role),
		TEST(test_what_kube_answers),
		TEST(test_who_may_ask_kube),
		TEST(test_the_code_of_the_first_login),
		TEST(test_who_may_act_for_the_owner),
		TEST(test_which_kubernetes),
		TEST(test_kubeconfig),
		TEST(test_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
