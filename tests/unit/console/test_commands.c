/* console/commands: what typed lines do. */
#include <fcntl.h>

#include "base/paths.h"
#include "terminal.h"

static void commands(void **state)
{
	(void)state;
	to_prompt();
	type("restart web\r");
	assert_screen("hearth> restart web\nweb: restart asked for\nhearth>");
	forget();
	type("restart nope\r");
	assert_screen("hearth> restart nope\nrestart: no service 'nope'; did you mean 'web'?\nhearth>");
	forget();
	type("stauts\rxyzzy\r'x\r\r");
	assert_screen("hearth> stauts\nunknown command 'stauts'; did you mean 'status'?\n"
	              "hearth> xyzzy\nunknown command 'xyzzy'; 'help' lists them\n"
	              "hearth> 'x\na quote is not closed\nhearth>\nhearth>");
	forget();
	type("res\tw\t\r");
	assert_screen("hearth> restart web\nweb: restart asked for\nhearth>");
	forget();
	type("services\r");
	assert_screen("hearth> services\nNAME  STATE    SINCE    MEMORY\nweb   ready      now         -  HTTPS "
	              "console\nhearth>");
}

static void rebooting_asks(void **state)
{
	(void)state;
	to_prompt();
	type("poweroff\r");
	assert_screen("hearth> poweroff\nPower off now? [y/N]");
	type("no\rhalt\rnever\rreboot now\r");
	assert_string_equal(pid1.last, "reboot now");
	forget();
	type("reboot\r");
	assert_screen("hearth> reboot\nReboot now? [y/N]");
	unsigned before = pid1.requests;
	type("\r");
	assert_screen("hearth> reboot\nReboot now? [y/N]\nNothing was done.\nhearth>");
	type("reboot\r\003");
	assert_int_equal(pid1.requests, before);
	forget();
	type("reboot\ry\r");
	assert_screen("hearth> reboot\nReboot now? [y/N] y\nreboot begins\nhearth>");
	assert_string_equal(pid1.last, "reboot");
	forget();
	type("rollback\r");
	assert_screen("hearth> rollback\nReboot into the other slot? [y/N]");
	type("n\r");
	assert_string_equal(pid1.last, "reboot");
	forget();
	type("owner\r");
	assert_string_equal(pid1.last, "owner");
	before = pid1.requests;
	forget();
	type("owner reset\r");
	assert_screen("hearth> owner reset\nForget the password? [y/N]");
	type("n\r");
	assert_int_equal(pid1.requests, before);
	type("owner reset\ry\r");
	assert_string_equal(pid1.last, "owner reset");
	forget();
	type("snapshots take\r");
	assert_string_equal(pid1.last, "snapshots take");
	before = pid1.requests;
	forget();
	type("snapshots remove a/b\r");
	assert_screen("hearth> snapshots remove a/b\nRemove this copy for good? [y/N]");
	type("n\r");
	forget();
	type("snapshots restore a/b\r");
	assert_screen("hearth> snapshots restore a/b\nPut it back at the next start? [y/N]");
	type("n\r");
	assert_int_equal(pid1.requests, before);
	type("snapshots restore a/b\ry\r");
	assert_string_equal(pid1.last, "snapshots restore a/b");
	forget();
	type("half");
	pid1_event(&pid1, "{\"seq\":9,\"time\":\"2026-01-31T12:00:03Z\",\"kind\":\"system\",\"name\":\"system\","
	                  "\"text\":\"stopping: x\"}");
	run(5);
	/* No prompt in the way of PID 1's own lines, but one for who wants it. */
	assert_screen("12:00:03  system   system: stopping: x\n");
	type("\r");
	assert_int_equal(session.mode, SESSION_PROMPT);
}

static void logs(void **state)
{
	(void)state;
	to_prompt();
	type("logs web\r");
	assert_screen("hearth> logs web\nweb: nothing has been logged yet\nhearth>");
	append("one\ntwo \033[31mred\nthree");
	to_prompt();
	type("logs web -n 2\r");
	assert_screen("hearth> logs web -n 2\ntwo ?[31mred\nthree\nhearth>");
	forget();
	type("logs web -n x\r");
	assert_screen("hearth> logs web -n x\nusage: logs NAME | pod/NAME [CONTAINER] [-f] [-n N], N up to 10000\n"
	              "hearth>");
	forget();
	type("logs web -f -n 1\r");
	assert_int_equal(session.mode, SESSION_LOG);
	append(" goes on\nfour\n");
	run(20);
	assert_screen("hearth> logs web -f -n 1\nthree goes on\nfour\n");
	type("\003");
	assert_screen("hearth> logs web -f -n 1\nthree goes on\nfour\n^C\nhearth>");
}

static void apps_and_pods(void **state)
{
	static struct pid1_row answers[] = {
		{"apps", PROTO_OK,
	         "{\"apps\":[{\"name\":\"torrents\",\"status\":\"healthy\",\"objects\":5,\"ready\":5}]}"},
		{"apps pause torrents", PROTO_OK, "{\"message\":\"torrents: paused\"}"},
		{"pods", PROTO_ERROR, "pods: kube: not running (starting)"},
		{"logs pod/x", PROTO_OK, "{\"name\":\"x\",\"path\":\"/etc/shadow\"}"},
		{"logs pod/x c", PROTO_OK, "{\"name\":\"x\",\"path\":\"/var/log/pods/none_x_1/c/0.log\"}"},
		{0},
	};
	(void)state;
	to_prompt();
	pid1.rows = answers;
	session.vocabulary.commands = 0; /* all go to PID 1 */
	type("apps\r");
	assert_screen("hearth> apps\nNAME      STATUS     READY\ntorrents  healthy      5/5\nrevision\nhearth>");
	forget();
	type("apps pause torrents\rpods\r");
	assert_screen("hearth> apps pause torrents\ntorrents: paused\nhearth> pods\n"
	              "pods: kube: not running (starting)\nhearth>");
	forget();
	type("logs pod/x\r");
	assert_screen("hearth> logs pod/x\n'/etc/shadow' is not the path of a log\nhearth>");
	forget();
	type("logs pod/x c\r");
	assert_screen("hearth> logs pod/x c\npod/x: nothing has been logged yet\nhearth>");
}

/* The kubeconfig is where the test's log is. */
static int open_here(const char *name, int flags, mode_t mode)
{
	return open(str_eq(name, PATH_KUBECONFIG) ? log_path : name, flags, mode);
}

/* A line, and all bytes that the terminal gets until there is a prompt again. */
static void type_raw(const char *line, char *raw, size_t cap)
{
	size_t len = 0;
	assert_int_equal(write(master, line, strlen(line)), strlen(line));
	for (int i = 0; i < 40; i++) {
		assert_return_code(pid1_run(&pid1, &loop, 1), 0);
		ssize_t n = read(master, raw + len, cap - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	}
	raw[len] = '\0';
	assert_int_equal(session.mode, SESSION_PROMPT);
}

static void kubeconfig(void **state)
{
	static struct pid1_row answers[] = {
		{"kubeconfig", PROTO_OK, "{\"path\":\"" PATH_KUBECONFIG "\",\"address\":\"10.0.2.15\"}"},
		{"kubeconfig x", PROTO_ERROR, "kubeconfig: takes no words"},
		{0},
	};
	static char data[12000], raw[32768], expected[16384];
	(void)state;
	to_prompt();
	pid1.rows = answers;
	session.vocabulary.commands = 0;
	fake_open = open_here;
	type("kubeconfig\r");
	assert_screen("hearth> kubeconfig\nkubeconfig: the cluster has not come up yet; `services` shows k3s\nhearth>");
	forget();
	type("kubeconfig x\r");
	assert_screen("hearth> kubeconfig x\nkubeconfig: takes no words\nhearth>");
	memset(data, 'A', sizeof(data) - 1); /* longer than the terminal's backlog */
	append("users:\n  client-key-data: ");
	append(data);
	append("\n    server: https://127.0.0.1:6443\n");
	type_raw("kubeconfig\r", raw, sizeof(raw));
	assert_return_code(str_format(expected, sizeof(expected),
	                              "\nusers:\n  client-key-data: %s\n    tls-server-name: 127.0.0.1\n    server: "
	                              "https://10.0.2.15:6443\n",
	                              data),
	                   0);
	const char *found = strstr(raw, expected);
	assert_non_null(found);
	assert_non_null(strstr(found + strlen(expected), "hearth> "));
}

static void following_events(void **state)
{
	(void)state;
	to_prompt();
	type("events -f\r");
	assert_screen("hearth> events -f\n12:00:02  fact     time-floor: on\n");
	pid1_event(&pid1,
	           "{\"seq\":2,\"time\":\"2026-01-31T12:00:02Z\",\"kind\":\"fact\",\"name\":\"old\",\"text\":\"on\"}");
	pid1_event(&pid1,
	           "{\"seq\":3,\"time\":\"2026-01-31T12:00:03Z\",\"kind\":\"fact\",\"name\":\"new\",\"text\":\"on\"}");
	run(5);
	type("ignored");
	type("\004");
	assert_screen("hearth> events -f\n12:00:02  fact     time-floor: on\n12:00:03  fact     new: on\n^C\nhearth>");
}

/* A log longer than any buffer over a terminal that stops in between: nothing is lost, nothing blocks. */
static void a_terminal_that_stops(void **state)
{
	char line[32];
	(void)state;
	for (int i = 0; i < 1500; i++) {
		assert_return_code(str_format(line, sizeof(line), "line %d\n", i), 0);
		append(line);
	}
	to_prompt();
	fake_write = terminal_full;
	assert_int_equal(write(master, "logs web -n 1500\r", 17), 17);
	for (int i = 0; i < 200; i++)
		assert_return_code(pid1_run(&pid1, &loop, 1), 0);
	fake_write = NULL;
	run(300);
	unsigned n = 0;
	for (const char *p = screen; (p = strstr(p, "line ")); p += 5)
		n++;
	assert_int_equal(n, 1500);
	assert_non_null(strstr(screen, "line 1499\nhearth> "));
}

int main(void)
{
	/* The role takes it as a signalfd event. */
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		T(commands),         T(rebooting_asks),       T(logs), T(apps_and_pods), T(kubeconfig),
		T(following_events), T(a_terminal_that_stops)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
