/* service/def: service files, good and bad. Every message carries file, line and what to do. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/sys.h"
#include "service/def.h"

#define NEED "name: web\ncommand: [/bin/web]\n"

static struct service_def d;
static struct err e;

static int user(const char *name, struct passwd_user *out, struct err *why)
{
	return passwd_find("web:x:200:300::/:/bin/false\n", name, out, why);
}

static int parse(const char *text)
{
	err_clear(&e);
	return def_parse(&d, "/s/web.yaml", text, strlen(text), user, &e);
}

static void defaults(void **state)
{
	(void)state;
	assert_int_equal(parse(NEED), 0);
	assert_string_equal(d.name, "web");
	assert_string_equal(d.file, "/s/web.yaml");
	assert_string_equal(d.argv[0], "/bin/web");
	assert_null(d.argv[1]);
	assert_null(d.env[0]);
	assert_int_equal(d.type, SERVICE_DAEMON);
	assert_int_equal(d.ready, READY_START);
	assert_int_equal(d.restart, RESTART_ALWAYS);
	assert_int_equal(d.start_timeout_ms, 30000);
	assert_int_equal(d.stop_timeout_ms, 10000);
	assert_int_equal(d.stop_signal, SIGTERM);
	assert_true(d.enabled);
	assert_false(d.control || d.keep);
	assert_int_equal(d.uid, 0);
}

static void everything(void **state)
{
	(void)state;
	int rc = parse("name: web\n"
	               "description: HTTPS console\n"
	               "command: [/bin/web, --port, '443', '']\n"
	               "ready: fact:control-ready\n"
	               "restart: on-failure\n"
	               "requires: [cert, log]\n"
	               "after: [network]\n"
	               "when: [state-mounted, data-mounted]\n"
	               "start-timeout: 500ms\n"
	               "stop-timeout: 2m\n"
	               "stop-signal: INT\n"
	               "user: web\n"
	               "tty: /dev/ttyS0\n"
	               "control: true\n"
	               "keep: true\n"
	               "memory-max: 16M\n"
	               "memory-min: 512K\n"
	               "oom-score-adj: -500\n"
	               "environment: {TERM: linux, EMPTY: ''}\n"
	               "enabled: false\n");
	if (rc < 0)
		fail_msg("%s", e.text);
	assert_string_equal(d.description, "HTTPS console");
	assert_string_equal(d.argv[2], "443");
	assert_string_equal(d.argv[3], "");
	assert_null(d.argv[4]);
	assert_int_equal(d.ready, READY_FACT);
	assert_string_equal(d.ready_fact, "control-ready");
	assert_int_equal(d.restart, RESTART_ON_FAILURE);
	assert_int_equal(d.requires_count, 2);
	assert_string_equal(d.requires[1], "log");
	assert_int_equal(d.requires_line, 6);
	assert_string_equal(d.after[0], "network");
	assert_int_equal(d.when_count, 2);
	assert_int_equal(d.start_timeout_ms, 500);
	assert_int_equal(d.stop_timeout_ms, 120000);
	assert_int_equal(d.stop_signal, SIGINT);
	assert_int_equal(d.uid, 200);
	assert_int_equal(d.gid, 300);
	assert_string_equal(d.tty, "/dev/ttyS0");
	assert_true(d.control && d.keep && !d.enabled);
	assert_int_equal(d.memory_max, 16 << 20);
	assert_int_equal(d.memory_min, 512 << 10);
	assert_int_equal(d.oom_score_adj, -500);
	assert_string_equal(d.env[0], "TERM=linux");
	assert_string_equal(d.env[1], "EMPTY=");
}

static void oneshot(void **state)
{
	(void)state;
	assert_int_equal(parse(NEED "type: oneshot\n"), 0);
	assert_int_equal(d.restart, RESTART_ON_FAILURE);
	assert_int_equal(parse(NEED "type: oneshot\nrestart: never\n"), 0);
	assert_int_equal(d.restart, RESTART_NEVER);
}

static const struct {
	const char *text, *message;
} bad[] = {
	{"command: [/bin/web]\n", "/s/web.yaml:1: key 'name' is missing"},
	{"name: web\n", "/s/web.yaml:1: key 'command' is missing"},
	{"name: wab\ncommand: [/bin/web]\n", ":1: name: 'wab' and the file's name differ; rename the file to wab.yaml"},
	{"name: we\ncommand: [/bin/web]\n", ":1: name: 'we' and the file's name differ"},
	{"name: Web\ncommand: [/bin/web]\n", ":1: name: 'Web' is no name"},
	{"name: a-name-of-24-characters-x\ncommand: [/a]\n", ":1: name: 'a-name-of-24-characters-x' is no name"},
	{"name:\ncommand: [/bin/web]\n", ":1: name: is empty"},
	{"name: [web]\ncommand: [/bin/web]\n", ":1: name: one value is wanted"},
	{"name: web\ncomand: [/bin/web]\n", ":2: unknown key 'comand'; did you mean 'command'?"},
	{"name: web\ncommand: /bin/web\n", ":2: command: write a list"},
	{"name: web\ncommand: []\n", ":2: command: write a list"},
	{"name: web\ncommand: [web]\n", ":2: command: 'web' must be an absolute path"},
	{"name: web\ncommand: [/bin/web, [a]]\n", ":2: command: an argument must be one value"},
	{NEED "command: [/bin/web]\n", ":3: key 'command' stands here and on line 2"},
	{NEED "description: a line that is much too long for the column that it is shown in, by far\n",
         ":3: description: write one line of at most 63 bytes"},
	{NEED "type: deamon\n", ":3: type: 'deamon' is not known; write one of daemon, oneshot"},
	{NEED "ready: fact:\n", ":3: "},
	{NEED "ready: fact:Up\n", ":3: ready: 'Up' is no name of a fact"},
	{NEED "ready: fact:NAME\n", ":3: ready: 'NAME' is no name of a fact"},
	{NEED "ready: yes\n", ":3: ready: 'yes' is not known; write one of start, notify, fact:NAME"},
	{NEED "type: oneshot\nready: notify\n", ":4: ready: a oneshot is ready when it has ended"},
	{NEED "restart: sometimes\n", ":3: restart: 'sometimes' is not known"},
	{NEED "restart: always\ntype: oneshot\n", ":3: restart: a oneshot ends"},
	{NEED "requires: log\n", ":3: requires: write a list"},
	{NEED "requires: [log, log]\n", ":3: requires: 'log' stands here twice"},
	{NEED "requires: [web]\n", ":3: requires: 'web' needs itself"},
	{NEED "requires: [{a: b}]\n", ":3: requires: '' is no name"},
	{NEED "after: [a, web]\n", ":3: after: 'web' comes after itself"},
	{NEED "after: [a b]\n", ":3: after: 'a b' is no name"},
	{NEED "when:\n- a\n- b\n- c\n- d\n- e\n- f\n- g\n- h\n- i\n- j\n- k\n- l\n- m\n",
         ":16: when: more than 12 names"},
	{NEED "start-timeout: 30\n", ":3: start-timeout: '30' is no time"},
	{NEED "start-timeout: 0s\n", ":3: start-timeout: '0s' is no time"},
	{NEED "stop-timeout: 25h\n", ":3: stop-timeout: '25h' is no time from 1ms to 24h"},
	{NEED "stop-signal: STOPIT\n", ":3: stop-signal: 'STOPIT' is no signal"},
	{NEED "user: nobody\n", ":3: user: no user 'nobody' in /etc/passwd"},
	{NEED "tty: ttyS0\n", ":3: tty: 'ttyS0' is no terminal; write /dev/ttyS0"},
	{NEED "control: yes\n", ":3: control: 'yes' is not known; write one of true, false"},
	{NEED "memory-max: lots\n", ":3: memory-max: 'lots' is no size"},
	{NEED "memory-max: 0\n", ":3: memory-max: '0' is no size"},
	{NEED "memory-max: 1M\nmemory-min: 2M\n", ":4: memory-min: is more than memory-max"},
	{NEED "oom-score-adj: -1001\n", ":3: oom-score-adj: '-1001' is no number"},
	{NEED "oom-score-adj: --5\n", ":3: oom-score-adj: '--5' is no number"},
	{NEED "environment: [A]\n", ":3: environment: write a mapping"},
	{NEED "environment: {1A: b}\n", ":3: environment: '1A' is no variable"},
	{NEED "environment: {A=B: b}\n", ":3: environment: 'A=B' is no variable"},
	{NEED "environment:\n  A: [b]\n", ":4: environment: 'A' is no variable with one value"},
	{NEED "environment: {NOTIFY_FD: '3'}\n", ":3: environment: NOTIFY_FD is set by"},
	{"- a\n", ":1: not a mapping"},
	{NEED "when: [a\n", ":"},
};

static void mistakes_are_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (parse(bad[i].text) == 0)
			fail_msg("taken: %s", bad[i].text);
		if (!str_starts(e.text, "/s/web.yaml:") || !strstr(e.text, bad[i].message))
			fail_msg("%s\ngave: %s\nnot: %s", bad[i].text, e.text, bad[i].message);
	}
}

/* count words of size characters each, as a flow list. */
static const char *long_list(const char *head, unsigned count, unsigned size, const char *tail)
{
	static char text[65536];
	size_t n = strlen(head);

	memcpy(text, head, n);
	for (unsigned i = 0; i < count; i++) {
		text[n++] = ',';
		memset(text + n, 'x', size);
		n += size;
	}
	memcpy(text + n, tail, strlen(tail) + 1);
	return text;
}

static void lists_are_bounded(void **state)
{
	(void)state;
	assert_int_equal(parse(long_list("name: web\ncommand: [/a", LIMIT_ARGS - 1, 1, "]\n")), 0);
	assert_null(d.argv[LIMIT_ARGS]);
	assert_int_equal(parse(long_list("name: web\ncommand: [/a", LIMIT_ARGS, 1, "]\n")), -1);
	assert_non_null(strstr(e.text, ":2: command: more than 24 words"));
	assert_int_equal(parse(long_list("name: web\ncommand: [/a", 10, 102, "]\n")), -1);
	assert_non_null(strstr(e.text, ":2: command, environment and names are longer than 1024 bytes"));
	/* 3 bytes of the program and 1021 of one word fit exactly. */
	if (parse(long_list("name: web\ncommand: [/a", 1, 1020, "]\n")) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(parse(long_list("name: web\ncommand: [/a", 1, 1021, "]\n")), -1);
}

static void a_copy_stands_alone(void **state)
{
	static struct service_def copy;
	(void)state;

	assert_int_equal(parse(NEED "requires: [log]\nafter: [a]\nwhen: [b]\nenvironment: {A: c}\n"), 0);
	def_copy(&copy, &d);
	memset(&d, 'x', sizeof(d));
	assert_string_equal(copy.argv[0], "/bin/web");
	assert_null(copy.argv[1]);
	assert_string_equal(copy.requires[0], "log");
	assert_string_equal(copy.after[0], "a");
	assert_string_equal(copy.when[0], "b");
	assert_string_equal(copy.env[0], "A=c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),          cmocka_unit_test(everything),
		cmocka_unit_test(oneshot),           cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(lists_are_bounded), cmocka_unit_test(a_copy_stands_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
