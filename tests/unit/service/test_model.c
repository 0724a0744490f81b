/* service/model: names and details. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "service/model.h"

static void names(void **state)
{
	(void)state;
	assert_string_equal(service_state_name(SERVICE_BACKOFF), "backoff");
	assert_string_equal(service_state_name((enum service_state)99), "unknown");
	assert_string_equal(service_event_name(EV_SPAWN_FAILED), "no-spawn");
	assert_string_equal(service_event_name(EV_COUNT), "unknown");
	assert_int_equal(service_signal_number("TERM"), SIGTERM);
	assert_int_equal(service_signal_number("SIGUSR1"), SIGUSR1);
	assert_int_equal(service_signal_number("term"), 0);
	assert_string_equal(service_signal_name(SIGKILL), "KILL");
	assert_null(service_signal_name(0));
}

static void a_long_detail_is_cut_visibly(void **state)
{
	static struct service s;
	char text[LIMIT_DETAIL + 10];
	(void)state;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	service_say(&s, "%s", text);
	assert_int_equal(strlen(s.detail), LIMIT_DETAIL - 1);
	assert_string_equal(s.detail + LIMIT_DETAIL - 4, "...");
	service_say(&s, "short");
	service_say(&s, "%s and %s", s.detail, "more"); /* its own text as argument */
	assert_string_equal(s.detail, "short and more");
}

static void what_runs_and_what_is_there(void **state)
{
	static struct service s;
	(void)state;

	for (int i = 0; i < SERVICE_STATE_COUNT; i++) {
		s.state = (enum service_state)i;
		assert_int_equal(service_runs(&s),
		                 strstr("starting ready stopping killing", service_state_name(s.state)) != NULL);
		assert_int_equal(service_is_there(&s), strstr("ready done", service_state_name(s.state)) != NULL);
	}
	s.state = SERVICE_READY;
	s.leaving = true;
	assert_false(service_is_there(&s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(a_long_detail_is_cut_visibly),
		cmocka_unit_test(what_runs_and_what_is_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
