/* Telling PID 1 a fact: what is sent, and what an unwilling or absent PID 1 leads to. */
#include "node/tell.h"

#include "pid1.h"

static struct err e;
static unsigned waits;

/* Between the tries the clock of the test does not pass. */
static int quick_poll(struct pollfd *p, nfds_t n, int timeout)
{
	if (n == 0) {
		waits++;
		return 0;
	}
	return poll(p, n, timeout);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	pid1_up();
	waits = 0;
	fake_poll = quick_poll;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	return 0;
}

static void a_fact_is_told(void **state)
{
	unsigned before = fake_open_fds();

	(void)state;
	assert_int_equal(tell_fact("state-mounted", FACT_ON, "/state on vda", &e), 0);
	assert_int_equal(tell_fact("data-mounted", FACT_OFF, "", &e), 0);
	assert_string_equal(pid1_heard, "fact state-mounted on /state on vda\nfact data-mounted off\n");
	assert_int_equal(fake_open_fds(), before);
}

static void a_long_detail_is_cut(void **state)
{
	char text[400];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(tell_fact("f", FACT_UNKNOWN, text, &e), 0);
	assert_int_equal(strlen(pid1_heard), strlen("fact f unknown \n") + LIMIT_DETAIL - 1);
}

static void it_is_tried_again(void **state)
{
	static const enum pid1_answer answers[] = {PID1_NO, PID1_HANGS_UP, PID1_ABSENT};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		waits = 0;
		pid1_requests = 0;
		pid1_answer = answers[i];
		assert_int_equal(tell_fact("f", FACT_ON, "", &e), -1);
		assert_int_equal(waits, TELL_TRIES - 1);
		assert_int_equal(pid1_requests, answers[i] == PID1_ABSENT ? 0 : TELL_TRIES);
		assert_int_equal(strncmp(e.text, "fact f: ", 8), 0);
	}
	pid1_answer = PID1_NO;
	assert_int_equal(tell_fact("f", FACT_ON, "", &e), -1);
	assert_non_null(strstr(e.text, "no such fact"));
}

static void one_failing_call_is_made_good(void **state)
{
	unsigned before = fake_open_fds();

	(void)state;
	for (unsigned n = 1; n < 50; n++) {
		fake_fail_at(n, ENOMEM);
		assert_int_equal(tell_fact("f", FACT_ON, "", &e), 0);
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		if (!fired)
			break;
	}
	if (pid1_end >= 0)
		close(pid1_end);
	pid1_end = -1;
	assert_int_equal(fake_open_fds(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_fact_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(a_long_detail_is_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(it_is_tried_again, setup, teardown),
		cmocka_unit_test_setup_teardown(one_failing_call_is_made_good, setup, teardown),
	};

	return cmocka_run_group_tests_name("tell", tests, NULL, NULL);
}
