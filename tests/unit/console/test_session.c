/* console/session: waiting for PID 1, notes, and a session in which any system call may fail. */
#include "boot/asks.h"
#include "terminal.h"

static void a_slow_pid1(void **state)
{
	(void)state;
	to_prompt();
	pid1.silent = true;
	type("later\rrestart web\r");
	run(60);
	assert_screen("hearth> later\nwaiting for PID 1 ... (Ctrl-C gives up)\n");
	pid1.silent = false;
	type("\003");
	assert_screen("hearth> later\nwaiting for PID 1 ... (Ctrl-C gives up)\n"
	              "^C: not waiting any longer; PID 1 may still do it\nhearth>");
	forget();
	/* What was typed meanwhile was given up with it. */
	run(20);
	assert_screen("");
}

/* PID 1 gives a role ASKS_MS; what comes then, an answer or why there is none, is shown. */
static void an_answer_at_the_last_moment(void **state)
{
	(void)state;
	to_prompt();
	pid1.silent = true;
	type("restart web\r");
	pid1.silent = false;
	run((ASKS_MS + 2000) / 50);
	assert_int_equal(session.mode, SESSION_WAIT);
	pid1_send(&pid1, 0, session.call, PROTO_ERROR, "kube: no answer in 10 s");
	run(5);
	assert_screen("hearth> restart web\nwaiting for PID 1 ... (Ctrl-C gives up)\nkube: no answer in 10 s\nhearth>");
}

static void notes_and_the_boot_row(void **state)
{
	(void)state;
	rows[0].text = BOOTING;
	run(30);
	forget();
	session_say(&session, "web", "a reason");
	session_say(&session, NULL, "another one");
	run(2);
	assert_screen("web: a reason\nanother one\n[ .. ] network: waiting for an address (eth0: no cable)  12 s");
	assert_int_equal(session_width(&session), 79);
	assert_false(session_takes_lines(&session));
}

/* The n-th system call fails, for every n that a session has: nothing crashes, nothing is leaked, and a moment later
 * the prompt is there and works. */
static void torture(void **state)
{
	(void)state;
	to_prompt();
	append("one\ntwo\n");
	unsigned fds = fake_open_fds(), quits = 0;
	for (unsigned n = 1; n < 120; n++) {
		assert_int_equal(write(master, "\003logs web\rservices\r", 20), 20);
		fake_fail_at(n, ENOMEM);
		(void)pid1_run(&pid1, &loop, 10);
		fake_fail_at(0, 0);
		if (loop.quit) { /* a failed read is a terminal that has gone: the next console */
			(void)teardown(state);
			(void)setup(state);
			to_prompt();
			append("one\ntwo\n");
			fds = fake_open_fds();
			quits++;
			continue;
		}
		run(100);
		at = 0;
		forget();
		assert_int_equal(session.mode, SESSION_PROMPT);
		assert_true(client_is_up(&session.client));
		assert_int_equal(fake_open_fds(), fds);
	}
	assert_true(quits < 10);
}

int main(void)
{
	/* The role takes it as a signalfd event. */
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {T(a_slow_pid1), T(an_answer_at_the_last_moment), T(notes_and_the_boot_row),
	                                   T(torture)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
