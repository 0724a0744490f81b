/* console/shell: a whole session: the boot, events above the prompt, keys typed ahead, connection and terminal lost. */
#include "terminal.h"

static void a_boot(void **state)
{
	(void)state;
	rows[0].text = BOOTING;
	run(30);
	assert_screen("Hearth 0.1.0 is starting; Enter gives a prompt at any time\n"
	              "[ ok ] mounts\n"
	              "[ .. ] network: waiting for an address (eth0: no cable)  12 s");
	forget();
	rows[0].text = RUNNING;
	run(60);
	assert_non_null(strstr(screen, "[ ok ] network\nattic: Hearth 0.1.0, running\n"));
	assert_string_equal(screen + strlen(screen) - 9, "\nhearth> ");
	assert_int_equal(session.mode, SESSION_PROMPT);
}

static void a_prompt_while_booting(void **state)
{
	(void)state;
	rows[0].text = BOOTING;
	run(30);
	type("\r");
	assert_non_null(strstr(screen, "attic: Hearth 0.1.0, booting\n"));
	assert_int_equal(session.mode, SESSION_PROMPT);
	forget();
	rows[0].text = RUNNING;
	pid1_event(&pid1, "{\"seq\":9,\"kind\":\"stage\",\"name\":\"network\",\"text\":\"done\"}");
	run(10);
	assert_screen("[ ok ] network\nhearth>");
}

static void events_while_typing(void **state)
{
	(void)state;
	to_prompt();
	type("servi");
	pid1_event(&pid1, "{\"seq\":9,\"time\":\"2026-01-31T12:00:03Z\",\"kind\":\"service\",\"name\":\"web\",\"text\":"
	                  "\"backoff: exited\"}");
	run(5);
	assert_screen("12:00:03  service  web: backoff: exited\nhearth> servi");
	type("c\033[D\033[Dx");
	assert_screen("12:00:03  service  web: backoff: exited\nhearth> servxic");
}

static void typed_ahead(void **state)
{
	(void)state;
	to_prompt();
	pid1.silent = true;
	type("later\rrestart web\rhalf");
	assert_screen("hearth> later\n");
	pid1.silent = false;
	pid1_send(&pid1, 0, session.client.last_id, PROTO_OK, "{\"message\":\"done\"}");
	run(20);
	assert_screen("hearth> later\ndone\nhearth> restart web\nweb: restart asked for\nhearth> half");
}

static void a_lost_connection(void **state)
{
	(void)state;
	to_prompt();
	pid1.silent = true;
	type("later\r");
	pid1_close(&pid1);
	run(5);
	assert_non_null(strstr(screen, "the connection to PID 1 was lost before it answered\n"));
	assert_non_null(strstr(screen, "connection to PID 1 lost, connecting again: "));
	forget();
	type("restart web\r");
	assert_screen("hearth> restart web\nPID 1 cannot be reached at the moment\nhearth>");
	forget();
	assert_return_code(pid1_open(&pid1, path, rows), 0);
	run(60);
	assert_screen("connected to PID 1 again\nhearth>");
	type("\rrestart web\r");
	assert_non_null(strstr(screen, "web: restart asked for\n"));
}

static void nobody_at_the_socket(void **state)
{
	(void)state;
	pid1_close(&pid1);
	(void)unlink(path);
	run(60);
	assert_screen("[ .. ] waiting for PID 1 ...");
	assert_return_code(pid1_open(&pid1, path, rows), 0);
	run(80);
	assert_int_equal(session.mode, SESSION_PROMPT);
}

static void a_hangup(void **state)
{
	(void)state;
	to_prompt();
	close(master);
	master = -1;
	for (int i = 0; i < 5; i++)
		assert_return_code(pid1_run(&pid1, &loop, 1), 0);
	assert_true(loop.quit);
}

static void garbage(void **state)
{
	(void)state;
	to_prompt();
	rows[0].text = "[]";
	srand(7);
	for (int i = 0; i < 300; i++) {
		char bytes[33];
		for (int k = 0; k < 32; k++)
			bytes[k] = (char)(1 + rand() % 255);
		bytes[32] = '\0';
		assert_int_equal(write(master, bytes, 32), 32);
		assert_return_code(pid1_run(&pid1, &loop, 3), 0);
		char data[4096];
		while (read(master, data, sizeof(data)) > 0)
			;
	}
	rows[0].text = RUNNING;
	/* Ctrl-C out of whatever it was; an answer that is no object must not have hurt. */
	at = 0;
	forget();
	assert_int_equal(write(master, "\003\003\003", 3), 3);
	run(30);
	if (session.mode == SESSION_BOOT)
		type("\r");
	assert_int_equal(session.mode, SESSION_PROMPT);
}

int main(void)
{
	/* The role takes it as a signalfd event. */
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {T(a_boot),
	                                   T(a_prompt_while_booting),
	                                   T(events_while_typing),
	                                   T(typed_ahead),
	                                   T(a_lost_connection),
	                                   T(nobody_at_the_socket),
	                                   T(a_hangup),
	                                   T(garbage)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
