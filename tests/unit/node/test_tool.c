/* Helper programs: real ones (/bin/sh), their status, their output as log lines, and the deadline. */
#include "node/tool.h"

#include "box.h"

static struct err e;
static int status, log_pipe[2];
static char logged[2048];

static int setup(void **state)
{
	(void)state;
	fake_reset();
	assert_int_equal(pipe2(log_pipe, O_CLOEXEC | O_NONBLOCK), 0);
	log_init("test", log_pipe[1], 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	close(log_pipe[0]);
	close(log_pipe[1]);
	return 0;
}

static int sh(const char *script, uint32_t deadline_ms)
{
	const char *argv[] = {"/bin/sh", "-c", script, NULL};
	int rc = tool_run(argv, deadline_ms, &status, &e);
	ssize_t n = read(log_pipe[0], logged, sizeof(logged) - 1);

	logged[n > 0 ? n : 0] = '\0';
	return rc;
}

static void the_status_comes_back(void **state)
{
	unsigned before = fake_open_fds();

	(void)state;
	assert_int_equal(sh("exit 0", 5000), 0);
	assert_int_equal(status, 0);
	assert_int_equal(sh("exit 8", 5000), 0);
	assert_int_equal(status, 8);
	assert_int_equal(fake_open_fds(), before);
}

static void output_is_logged_line_by_line(void **state)
{
	(void)state;
	assert_int_equal(sh("printf 'one\\ntwo\\r'; echo three >&2; printf '\\n\\nlast'", 5000), 0);
	assert_string_equal(logged, "info sh: one\ninfo sh: two\ninfo sh: three\ninfo sh: last\n");
	assert_int_equal(sh("i=0; while [ $i -lt 250 ]; do printf x; i=$((i+1)); done", 5000), 0);
	assert_int_equal(strlen(logged), 250 + 2 * strlen("info sh: \n")); /* cut into two */
}

static void input_is_empty(void **state)
{
	(void)state;
	assert_int_equal(sh("read x; echo \"<$x>\"", 5000), 0);
	assert_string_equal(logged, "info sh: <>\n");
}

static void a_signal_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(sh("kill -9 $$", 5000), -1);
	assert_string_equal(e.text, "sh: died of signal 9");
}

static void the_deadline_ends_it(void **state)
{
	unsigned before = fake_open_fds();

	(void)state;
	assert_int_equal(sh("echo begun; exec sleep 60", 300), -1);
	assert_int_equal(e.code, ETIMEDOUT);
	assert_string_equal(logged, "info sh: begun\n");
	assert_int_equal(fake_open_fds(), before);
	assert_int_equal(sh("exit 3", 5000), 0); /* and the next one runs */
	assert_int_equal(status, 3);
}

/* Somebody it left behind keeps the pipe open: that is not waited for. */
static void a_grandchild_does_not_hold_it(void **state)
{
	(void)state;
	assert_int_equal(sh("sleep 3 & echo done", 60000), 0);
	assert_int_equal(status, 0);
	assert_string_equal(logged, "info sh: done\n");
}

static unsigned polls;

static int counted_poll(struct pollfd *p, nfds_t n, int timeout)
{
	polls++;
	return poll(p, n, timeout);
}

/* A program that closes its output and works on costs no processor time here. */
static void the_end_of_the_output_is_not_the_end(void **state)
{
	(void)state;
	fake_poll = counted_poll;
	polls = 0;
	assert_int_equal(sh("exec >&- 2>&-; sleep 1; exit 4", 60000), 0);
	assert_int_equal(status, 4);
	assert_true(polls < 10);
}

static void what_is_not_there(void **state)
{
	const char *argv[] = {"/no/such/program", NULL};
	unsigned before = fake_open_fds();

	(void)state;
	assert_int_equal(tool_run(argv, 1000, &status, &e), -1);
	assert_int_equal(e.code, ENOENT);
	assert_int_equal(fake_open_fds(), before);
}

/* The first calls are those of the start; later ones only wait. */
static void a_start_that_fails_leaks_nothing(void **state)
{
	unsigned before = fake_open_fds();

	(void)state;
	for (unsigned n = 1; n <= 3; n++) {
		fake_fail_at(n, ENOMEM);
		assert_int_equal(sh("exit 0", 5000), -1);
		assert_true(fake_fired());
		fake_fail_at(0, 0);
		assert_int_equal(fake_open_fds(), before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_status_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(output_is_logged_line_by_line, setup, teardown),
		cmocka_unit_test_setup_teardown(input_is_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(a_signal_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(the_deadline_ends_it, setup, teardown),
		cmocka_unit_test_setup_teardown(a_grandchild_does_not_hold_it, setup, teardown),
		cmocka_unit_test_setup_teardown(the_end_of_the_output_is_not_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_there, setup, teardown),
		cmocka_unit_test_setup_teardown(a_start_that_fails_leaks_nothing, setup, teardown),
	};

	return cmocka_run_group_tests_name("tool", tests, NULL, NULL);
}
