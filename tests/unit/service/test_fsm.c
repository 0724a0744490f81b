/* service/fsm: every cell of the table, against an expectation written down separately, and rules for all cells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "service/fsm.h"

/* A wanted daemon that is always restarted, nothing asked for: next state per event, in the order of the enum. */
static const char *const plain[SERVICE_STATE_COUNT][EV_COUNT] = {
	/* up down clear blocked no-spawn is-ready exit-ok exit-bad timeout restart */
	[SERVICE_DOWN] = {"waiting", "down", "-", "-", "-", "-", "-", "-", "-", "waiting"},
	[SERVICE_WAITING] = {"waiting", "down", "starting", "-", "-", "-", "-", "-", "-", "waiting"},
	[SERVICE_STARTING] = {"starting", "stopping", "-", "stopping", "backoff", "ready", "backoff", "backoff",
                              "stopping", "stopping"},
	[SERVICE_READY] = {"ready", "stopping", "-", "stopping", "-", "ready", "backoff", "backoff", "-", "stopping"},
	[SERVICE_DONE] = {"done", "down", "-", "-", "-", "-", "-", "-", "-", "waiting"},
	[SERVICE_STOPPING] = {"stopping", "stopping", "-", "-", "-", "stopping", "backoff", "backoff", "killing",
                              "stopping"},
	[SERVICE_KILLING] = {"killing", "killing", "-", "-", "-", "killing", "backoff", "backoff", "killing",
                             "killing"},
	[SERVICE_BACKOFF] = {"waiting", "down", "-", "-", "-", "-", "-", "-", "waiting", "waiting"},
	[SERVICE_FAILED] = {"waiting", "down", "-", "-", "-", "-", "-", "-", "-", "waiting"},
};

static bool is_exit(enum service_event ev)
{
	return ev == EV_EXIT_OK || ev == EV_EXIT_BAD;
}

static bool runs(enum service_state s)
{
	return s == SERVICE_STARTING || s == SERVICE_READY || s == SERVICE_STOPPING || s == SERVICE_KILLING;
}

static bool waits(enum service_state s)
{
	return runs(s) || s == SERVICE_BACKOFF;
}

/* What a person expects where the input matters: at the end of a program, and when it could not be started. */
static const char *expected(enum service_state s, enum service_event ev, const struct fsm_input *in)
{
	bool stopped = s == SERVICE_STOPPING || s == SERVICE_KILLING;
	bool ends = runs(s) && (is_exit(ev) || (s == SERVICE_STARTING && ev == EV_SPAWN_FAILED));

	if (!ends)
		return plain[s][ev];
	if (!in->want_up)
		return "down";
	if (ev == EV_SPAWN_FAILED)
		return "backoff"; /* whatever the policy: it has not run yet */
	if (stopped && in->restarting)
		return "waiting";
	if (!stopped && ev == EV_EXIT_OK && (in->type == SERVICE_ONESHOT || in->restart != RESTART_ALWAYS))
		return "done";
	return in->restart == RESTART_NEVER ? "failed" : "backoff";
}

static void check_cell(enum service_state s, enum service_event ev, const struct fsm_input *in)
{
	const struct fsm_step st = fsm_next(s, ev, in);
	const char *want = expected(s, ev, in);

	if (str_eq(want, "-")) {
		assert_false(st.legal);
		assert_int_equal(st.next, s);
		assert_int_equal(st.actions, 0);
		return;
	}
	if (!st.legal || !str_eq(service_state_name(st.next), want))
		fail_msg("%s x %s (type %d, restart %d, want %d, again %d): %s, not %s", service_state_name(s),
		         service_event_name(ev), in->type, in->restart, in->want_up, in->restarting,
		         st.legal ? service_state_name(st.next) : "illegal", want);
	/* No running process is ever forgotten. */
	if (runs(s) && !runs(st.next))
		assert_true(is_exit(ev) || ev == EV_SPAWN_FAILED);
	if (runs(s) && (is_exit(ev) || ev == EV_SPAWN_FAILED)) {
		assert_false(runs(st.next));
		assert_true(st.actions & ACT_CLEANUP);
	}
	/* Nothing is started twice, and only the start action makes a process. */
	assert_int_equal(!runs(s) && runs(st.next), (st.actions & ACT_START) != 0);
	/* Every state that waits gets its way out when it is entered. */
	if (st.next != s && waits(st.next) && st.next != SERVICE_READY)
		assert_true(st.actions & (ACT_TIMER | ACT_BACKOFF));
	if (st.actions & ACT_TIMER)
		assert_true(fsm_next(st.next, EV_TIMEOUT, in).legal);
	if (st.actions & ACT_BACKOFF)
		assert_int_equal(st.next, SERVICE_BACKOFF);
	/* Who depends on it hears of every change but that of the means of stopping. */
	if (st.next != s && st.next != SERVICE_KILLING)
		assert_true(st.actions & ACT_SETTLE);
	/* A stop signal comes with the state, a kill with the state. */
	assert_int_equal((st.actions & ACT_STOP) != 0, st.next == SERVICE_STOPPING && s != SERVICE_STOPPING);
	assert_int_equal((st.actions & ACT_KILL) != 0, ev == EV_TIMEOUT && st.next == SERVICE_KILLING);
}

static void every_cell(void **state)
{
	(void)state;
	for (int s = 0; s < SERVICE_STATE_COUNT; s++) {
		for (int ev = 0; ev < EV_COUNT; ev++) {
			for (unsigned g = 0; g < 2 * 3 * 2 * 2; g++) {
				const struct fsm_input in = {
					.type = (enum service_type)(g % 2),
					.restart = (enum service_restart)(g / 2 % 3),
					.want_up = g / 6 % 2,
					.restarting = g / 12 % 2,
				};
				check_cell((enum service_state)s, (enum service_event)ev, &in);
			}
		}
	}
}

/* From every state a wanted service can come to run again, and an unwanted one comes to rest. */
static void no_dead_end(void **state)
{
	const struct fsm_input up = {.want_up = true}, down = {.want_up = false};
	(void)state;

	for (int i = 0; i < SERVICE_STATE_COUNT; i++) {
		enum service_state s = (enum service_state)i;
		assert_true(fsm_next(s, EV_RESTART, &up).legal);
		assert_true(fsm_next(s, EV_DOWN, &down).legal);
		assert_true(fsm_next(s, EV_UP, &up).legal);
		enum service_state rest = fsm_next(s, EV_DOWN, &down).next;
		if (runs(rest))
			rest = fsm_next(rest, EV_EXIT_BAD, &down).next;
		assert_int_equal(rest, SERVICE_DOWN);
	}
}

static void asked_restart_is_remembered(void **state)
{
	const struct fsm_input in = {.want_up = true};
	(void)state;

	assert_true(fsm_next(SERVICE_READY, EV_RESTART, &in).actions & ACT_AGAIN);
	assert_true(fsm_next(SERVICE_READY, EV_BLOCKED, &in).actions & ACT_AGAIN);
	assert_true(fsm_next(SERVICE_STOPPING, EV_UP, &in).actions & ACT_AGAIN);
	/* Not ready in time is a failure: it gets a back-off. */
	assert_false(fsm_next(SERVICE_STARTING, EV_TIMEOUT, &in).actions & ACT_AGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell),
		cmocka_unit_test(no_dead_end),
		cmocka_unit_test(asked_restart_is_remembered),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
