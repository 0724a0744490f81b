/* init/update/state.c: every cell of the table is visited. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "update/state.h"

static struct err e;

static void an_update_goes_its_way(void **state)
{
	static const enum update_event way[] = {UPDATE_ON_INSTALL, UPDATE_ON_DRY,   UPDATE_ON_GO,     UPDATE_ON_MOVED,
	                                        UPDATE_ON_PAUSE,   UPDATE_ON_MOVED, UPDATE_ON_RESUME, UPDATE_ON_DRY,
	                                        UPDATE_ON_DRY,     UPDATE_ON_MOVED, UPDATE_ON_DONE,   UPDATE_ON_ARMED};
	static const enum update_state want[] = {UPDATE_ASKING,  UPDATE_WAITING, UPDATE_LOADING, UPDATE_LOADING,
	                                         UPDATE_PAUSED,  UPDATE_PAUSED,  UPDATE_LOADING, UPDATE_WAITING,
	                                         UPDATE_WAITING, UPDATE_LOADING, UPDATE_ARMING,  UPDATE_READY};
	enum update_state s = UPDATE_IDLE;

	(void)state;
	for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
		int next = update_next(s, way[i], &e);
		assert_int_equal(next, want[i]);
		s = (enum update_state)next;
	}
}

static void every_cell_is_an_answer(void **state)
{
	(void)state;
	for (unsigned s = 0; s < UPDATE_STATE_COUNT; s++) {
		assert_true(update_state_name((enum update_state)s)[0] != '\0');
		for (unsigned ev = 0; ev < UPDATE_EVENT_COUNT; ev++) {
			err_clear(&e);
			int next = update_next((enum update_state)s, (enum update_event)ev, &e);
			assert_true(next < UPDATE_STATE_COUNT);
			assert_true((next < 0) == (e.text[0] != '\0'));
		}
	}
}

/* What holds whatever the way: one update at a time, an end that is told.
 */
static void invariants(void **state)
{
	(void)state;
	for (unsigned i = 0; i < UPDATE_STATE_COUNT; i++) {
		enum update_state s = (enum update_state)i;
		bool open = s != UPDATE_IDLE && s != UPDATE_READY && s != UPDATE_FAILED;
		assert_int_equal(update_next(s, UPDATE_ON_INSTALL, &e), open ? -1 : UPDATE_ASKING);
		assert_int_equal(update_next(s, UPDATE_ON_FAIL, &e), open ? UPDATE_FAILED : -1);
		assert_int_equal(update_next(s, UPDATE_ON_RESUME, &e), s == UPDATE_PAUSED ? UPDATE_LOADING : -1);
		assert_int_equal(update_next(s, UPDATE_ON_ARMED, &e), s == UPDATE_ARMING ? UPDATE_READY : -1);
		bool can_cancel = (open && s != UPDATE_ARMING) || s == UPDATE_FAILED || s == UPDATE_READY;
		assert_int_equal(update_next(s, UPDATE_ON_CANCEL, &e), can_cancel ? UPDATE_IDLE : -1);
		/* Nothing is armed that was not read back, and nothing is read back that was not allowed. */
		int done = update_next(s, UPDATE_ON_DONE, &e);
		assert_int_equal(done,
		                 s == UPDATE_LOADING || s == UPDATE_WAITING || s == UPDATE_PAUSED ? UPDATE_ARMING : -1);
	}
}

static void refusals_say_what_is(void **state)
{
	(void)state;
	assert_int_equal(update_next(UPDATE_IDLE, UPDATE_ON_PAUSE, &e), -1);
	assert_string_equal(e.text, "no update is under way");
	assert_int_equal(update_next(UPDATE_PAUSED, UPDATE_ON_PAUSE, &e), -1);
	assert_non_null(strstr(e.text, "paused already"));
	assert_int_equal(update_next(UPDATE_READY, UPDATE_ON_PAUSE, &e), -1);
	assert_non_null(strstr(e.text, "restart the box"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_update_goes_its_way),
		cmocka_unit_test(every_cell_is_an_answer),
		cmocka_unit_test(invariants),
		cmocka_unit_test(refusals_say_what_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
