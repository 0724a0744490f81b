/* console/client: answers by number, events, a connection that comes back, failing calls. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "console/client.h"
#include "fake/sys.h"
#include "pid1.h"

static struct loop loop;
static struct client client;
static struct pid1 pid1;
static char path[64];
static unsigned ups, downs, lost;
static char got[256], event[256], why[256];

static const struct pid1_row rows[] = {
	{"events -f", PROTO_OK, "{\"next\":1}"}, {"a", PROTO_OK, "{\"a\":1}"}, {"b", PROTO_ERROR, "no b"}, {0}};

static void on_up(void *arg)
{
	(void)arg;
	ups++;
}

static void on_down(const char *text, void *arg)
{
	(void)arg;
	downs++;
	assert_return_code(str_copy(why, sizeof(why), text), 0);
}

static void on_event(const char *json, void *arg)
{
	(void)arg;
	assert_return_code(str_copy(event, sizeof(event), json), 0);
}

static void on_reply(const struct proto_reply *r, void *arg)
{
	(void)arg;
	lost += !r;
	if (r)
		assert_return_code(str_format(got, sizeof(got), "%d %s", (int)r->kind, r->text), 0);
}

static void run(int rounds)
{
	assert_return_code(pid1_run(&pid1, &loop, rounds), 0);
}

static int setup(void **state)
{
	const struct client_hooks hooks = {on_up, on_down, on_event, NULL};
	struct err e = {0};
	(void)state;
	fake_reset();
	fake_clock_ms = 1000;
	ups = downs = lost = 0;
	got[0] = event[0] = why[0] = '\0';
	assert_return_code(str_copy(path, sizeof(path), "/tmp/hearth-client-XXXXXX"), 0);
	assert_non_null(mkdtemp(path));
	assert_return_code(rmdir(path), 0);
	memset(&loop, 0, sizeof(loop));
	assert_return_code(loop_init(&loop, &e), 0);
	client_init(&client, &loop, path, &hooks);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	client_fini(&client);
	pid1_close(&pid1);
	loop_fini(&loop);
	fake_reset();
	(void)unlink(path);
	return 0;
}

static uint32_t ask(const char *word)
{
	struct err e = {0};
	return client_call(&client, 1, &word, on_reply, NULL, &e);
}

static void connect_client(void)
{
	assert_return_code(pid1_open(&pid1, path, rows), 0);
	run(60);
	assert_int_equal(ups, 1);
	assert_true(client_is_up(&client));
}

static void answers_and_events(void **state)
{
	(void)state;
	connect_client();
	assert_int_not_equal(ask("a"), 0);
	run(3);
	assert_string_equal(got, "1 {\"a\":1}");
	assert_int_not_equal(ask("b"), 0);
	run(3);
	assert_string_equal(got, "2 no b");
	pid1_event(&pid1, "{\"seq\":1}");
	run(2);
	assert_string_equal(event, "{\"seq\":1}");
}

static void cancelled_answers_are_dropped(void **state)
{
	(void)state;
	connect_client();
	client_cancel(&client, ask("a"));
	client_cancel(&client, 0);
	client_cancel(&client, 12345);
	run(3);
	assert_string_equal(got, "");
}

static void bounded(void **state)
{
	(void)state;
	connect_client();
	pid1.silent = true;
	unsigned n = 0;
	while (n < 100 && ask("a"))
		n++;
	assert_int_equal(n, CLIENT_CALLS);
}

static void it_comes_back(void **state)
{
	(void)state;
	memset(&pid1, 0, sizeof(pid1));
	pid1.listener = -1;
	run(100); /* nobody there: no call-back, retried for ever */
	assert_int_equal(ups + downs, 0);
	assert_int_equal(ask("a"), 0);
	connect_client();
	pid1.silent = true;
	assert_int_not_equal(ask("a"), 0);
	run(2);
	pid1_close(&pid1);
	run(5);
	assert_int_equal(downs, 1);
	assert_int_equal(lost, 1);
	assert_false(client_is_up(&client));
	assert_return_code(pid1_open(&pid1, path, rows), 0);
	run(60);
	assert_int_equal(ups, 2);
	assert_int_not_equal(ask("a"), 0);
	run(3);
	assert_string_equal(got, "1 {\"a\":1}");
}

static void broken_frames_end_the_connection(void **state)
{
	struct err e = {0};
	(void)state;
	connect_client();
	assert_return_code(chan_send(pid1.peer[0], "abc", 3, -1, &e), 0);
	run(2);
	assert_int_equal(downs, 1);
	run(60);
	assert_int_equal(ups, 2);
}

static void torture(void **state)
{
	(void)state;
	connect_client();
	unsigned fds = fake_open_fds();
	for (unsigned n = 1; n < 60; n++) {
		ask("a");
		fake_fail_at(n, ENOMEM);
		(void)pid1_run(&pid1, &loop, 4);
		fake_fail_at(0, 0);
		run(100);
		assert_true(client_is_up(&client));
		assert_int_equal(fake_open_fds(), fds);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(answers_and_events, setup, teardown),
		cmocka_unit_test_setup_teardown(cancelled_answers_are_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(it_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(broken_frames_end_the_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(torture, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
