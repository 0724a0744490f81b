/* init/update/seek.c: what is done by itself, and when; and the steps of a look, with a conductor that has no worker.
 */
#include "update/seek.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/paths.h"
#include "base/str.h"
#include "fake/sys.h"

#define MIDNIGHT 1795392000 /* UTC, a Monday */
#define HOUR     3600
#define NIGHT                                                                                                          \
	{                                                                                                              \
		.days = 0x7f, .from = 3 * 60, .to = 5 * 60                                                             \
	}
#define GOOD                                                                                                           \
	{                                                                                                              \
		.network = true, .synced = true                                                                        \
	}

static struct loop loop;
static struct teller teller;
static struct teller_fact fact[4];
static struct conduct conduct;
static struct seek seek;
static struct err e;
static const char *settings;
static unsigned asked, decided;
static char said[ERR_TEXT], restarted[VERSION_TEXT];

/* --- the plan --------------------------------------------------------------------------------- */

static void plan(struct seek_view v, enum seek_act act, uint64_t wait)
{
	uint64_t got = 0;

	assert_int_equal(seek_plan(&v, &got), act);
	if (act == SEEK_NOTHING)
		assert_int_equal(got, wait);
}

static struct seek_view view(void)
{
	return (struct seek_view){
		.automatic = true, .world = GOOD, .state = UPDATE_IDLE, .wall = MIDNIGHT + 4 * HOUR, .window = NIGHT};
}

static void looks_come_when_they_are_due(void **state)
{
	struct seek_view v = view();

	(void)state;
	plan(v, SEEK_CHECK, 0);
	v.wall = MIDNIGHT; /* a look may be at any time */
	plan(v, SEEK_CHECK, 0);
	v.world.network = false;
	plan(v, SEEK_NOTHING, SEEK_SOON_MS);
	v.world.network = true;
	v.due_ms = 5000;
	plan(v, SEEK_NOTHING, 5000);
	v.due_ms = SEEK_EVERY_MS;
	plan(v, SEEK_NOTHING, SEEK_RETRY_MS);
	v.state = UPDATE_FAILED;
	v.due_ms = 0;
	plan(v, SEEK_CHECK, 0);
	v.automatic = false;
	plan(v, SEEK_NOTHING, SEEK_RETRY_MS);
}

static void installs_and_restarts_have_their_window(void **state)
{
	struct seek_view v = view();

	(void)state;
	v.offered = true;
	v.due_ms = SEEK_EVERY_MS;
	plan(v, SEEK_INSTALL, 0);
	v.wall = MIDNIGHT + 3 * HOUR - 60;
	plan(v, SEEK_NOTHING, 60000);
	v.wall = MIDNIGHT + 5 * HOUR;
	plan(v, SEEK_NOTHING, SEEK_RETRY_MS);
	v.state = UPDATE_READY;
	plan(v, SEEK_NOTHING, SEEK_RETRY_MS);
	v.wall = MIDNIGHT + 5 * HOUR - 1;
	plan(v, SEEK_RESTART, 0);
	v.automatic = false;
	plan(v, SEEK_NOTHING, SEEK_RETRY_MS);
}

static void a_clock_that_may_be_wrong_opens_no_window(void **state)
{
	struct seek_view v = view();

	(void)state;
	v.offered = true;
	v.due_ms = 1;
	v.world.synced = false;
	plan(v, SEEK_NOTHING, 1);
	v.state = UPDATE_READY;
	plan(v, SEEK_NOTHING, SEEK_LATER_MS);
	v.window = (struct window){.any = true};
	plan(v, SEEK_RESTART, 0);
	v.state = UPDATE_IDLE;
	plan(v, SEEK_INSTALL, 0);
}

static void never_in_a_trial_or_beside_another(void **state)
{
	struct seek_view v = view();

	(void)state;
	v.offered = true;
	for (unsigned s = 0; s < UPDATE_STATE_COUNT; s++) {
		v.state = (enum update_state)s;
		v.world.trial = true;
		plan(v, SEEK_NOTHING, SEEK_LATER_MS);
		v.world.trial = false;
		if (s == UPDATE_ASKING || s == UPDATE_LOADING || s == UPDATE_WAITING || s == UPDATE_PAUSED ||
		    s == UPDATE_ARMING)
			plan(v, SEEK_NOTHING, SEEK_SOON_MS);
		else
			plan(v, s == UPDATE_READY ? SEEK_RESTART : SEEK_INSTALL, 0);
	}
}

/* --- the steps -------------------------------------------------------------------------------- */

static int on_open(const char *path, int flags, mode_t mode)
{
	char file[] = "/tmp/hearth-test-seek-XXXXXX";

	if (str_eq(path, PATH_NULL))
		return open(path, flags, mode);
	if (!str_eq(path, PATH_RUN_SETTINGS)) {
		errno = ENOENT;
		return -1;
	}
	int fd = mkostemp(file, O_CLOEXEC);
	unlink(file);
	assert_int_equal(write(fd, settings, strlen(settings)), strlen(settings));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int nothing_mounted(const char *path, struct stat *st)
{
	(void)path;
	memset(st, 0, sizeof(*st));
	return 0;
}

static void on_ask(void *arg)
{
	assert_ptr_equal(arg, &seek);
	asked++;
}

static void on_decided(const struct err *why, void *arg)
{
	(void)arg;
	decided++;
	(void)snprintf(said, sizeof(said), "%s", why ? why->text : "");
}

static void on_restart(const char *version, void *arg)
{
	(void)arg;
	(void)snprintf(restarted, sizeof(restarted), "%s", version);
}

static int setup(void **state)
{
	const struct conduct_options options = {
		.self = "/bin/true", .keys = "/", .user = "", .stand_in = {"/t", "/r", 'a'}, .soon = true};
	const struct conduct_hooks hooks = {.decided = on_decided};
	const struct seek_hooks looking = {on_ask, on_decided, on_restart, &seek};

	(void)state;
	fake_reset();
	fake_open = on_open;
	fake_stat = nothing_mounted;
	fake_epoll_wait = fake_epoll_now;
	fake_clock_wall = MIDNIGHT + 4 * HOUR;
	settings = "update: {url: 'http://h/index.yaml', automatic: true}\n";
	asked = decided = 0;
	said[0] = restarted[0] = '\0';
	memset(&loop, 0, sizeof(loop));
	if (loop_init(&loop, &e))
		return -1;
	teller_init(&teller, fact, COUNT_OF(fact));
	teller_open(&teller, &loop, -1, "test");
	conduct_init(&conduct, &loop, &teller, &options, &hooks);
	seek_init(&seek, &loop, &conduct, &looking);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	seek_fini(&seek);
	conduct_fini(&conduct);
	for (int i = 0; i < 5000 && conduct.worker.pid > 0; i++) {
		(void)child_reap();
		usleep(1000);
	}
	teller_fini(&teller);
	loop_fini(&loop);
	fake_reset();
	return 0;
}

static void turn(void)
{
	assert_int_equal(loop_step(&loop, &e), 0);
}

static int order(enum order_verb verb)
{
	const struct order o = {.verb = verb, .kind = ORDER_CHANNEL};

	err_clear(&e);
	return seek_order(&seek, &o, &e);
}

static const struct seek_world good = GOOD;

static void a_person_asks(void **state)
{
	(void)state;
	assert_int_equal(order(ORDER_CHECK), 0);
	assert_int_equal(asked, 1);
	assert_int_equal(order(ORDER_CHECK), -1);
	assert_int_equal(e.code, EBUSY);
	seek_world(&seek, &good);
	assert_true(conduct.synced && conduct.looking);
	assert_int_equal(conduct.next.verb, ORDER_CHECK);
	assert_string_equal(conduct.next.source, "http://h/index.yaml");
	/* The end of the look is the answer. */
	conduct_stop_look(&conduct);
	assert_int_equal(decided, 1);
	assert_non_null(strstr(said, "does not answer"));
	assert_false(seek_decided(&seek, &e));
	assert_int_equal(seek.step, SEEK_QUIET);
}

static void without_a_channel_there_is_nothing_to_ask(void **state)
{
	(void)state;
	settings = "update: {automatic: true}\n";
	assert_int_equal(order(ORDER_INSTALL), -1);
	assert_non_null(strstr(e.text, "set update.url"));
	settings = "update: 7\n";
	assert_int_equal(order(ORDER_CHECK), -1);
	assert_int_equal(asked, 0);
	seek_begin(&seek);
	turn();
	assert_int_equal(asked, 0);
}

static void an_install_follows_its_look(void **state)
{
	(void)state;
	assert_int_equal(order(ORDER_INSTALL), 0);
	seek_world(&seek, NULL);
	assert_false(conduct.synced);
	conduct.looking = conduct.undecided = false; /* the index came */
	(void)snprintf(conduct.offer.text, sizeof(conduct.offer.text), "nothing newer");
	assert_true(seek_decided(&seek, NULL));
	assert_string_equal(said, "nothing newer");
	/* With something to install the order gets as far as the ESP that is not there. */
	assert_int_equal(order(ORDER_INSTALL), 0);
	seek.step = SEEK_INDEX;
	conduct.offer.there = true;
	strcpy(conduct.offer.url, "http://h/new.hearth");
	strcpy(conduct.offer.version, "0.2.0");
	assert_true(seek_decided(&seek, NULL));
	assert_int_equal(decided, 2);
	assert_non_null(strstr(said, "is not mounted"));
}

static void by_itself(void **state)
{
	(void)state;
	seek_begin(&seek);
	turn();
	assert_int_equal(asked, 1);
	seek_world(&seek, &(struct seek_world){.synced = true});
	assert_false(conduct.looking); /* no network yet */
	seek.timer.due = 0;
	turn();
	assert_int_equal(asked, 2);
	seek_world(&seek, &good);
	assert_true(conduct.looking);
	assert_int_equal(decided, 0);
	/* Nobody waits for the verdict. */
	assert_true(seek_decided(&seek, &e));
	conduct.looking = conduct.undecided = false;
	conduct.state = UPDATE_READY;
	strcpy(conduct.m.version, "0.2.0");
	turn();
	assert_int_equal(asked, 3);
	seek_world(&seek, &good);
	assert_string_equal(restarted, "0.2.0");
}

/* What one channel offered in the morning is not installed at night, when the settings name another one by then. */
static void another_channel_has_another_offer(void **state)
{
	(void)state;
	seek_begin(&seek);
	turn();
	seek_world(&seek, &good);
	conduct.offer.there = true;
	strcpy(conduct.offer.version, "0.2.0");
	assert_true(seek_decided(&seek, NULL));
	conduct.looking = conduct.undecided = false;
	assert_true(seek.offered);
	settings = "update: {url: 'http://h/other.yaml', automatic: true}\n";
	turn();
	assert_int_equal(asked, 2);
	assert_false(seek.offered);
	seek_world(&seek, &good);
	assert_true(conduct.looking);
	assert_string_equal(conduct.next.source, "http://h/other.yaml");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks_come_when_they_are_due),
		cmocka_unit_test(installs_and_restarts_have_their_window),
		cmocka_unit_test(a_clock_that_may_be_wrong_opens_no_window),
		cmocka_unit_test(never_in_a_trial_or_beside_another),
		T(a_person_asks),
		T(without_a_channel_there_is_nothing_to_ask),
		T(an_install_follows_its_look),
		T(by_itself),
		T(another_channel_has_another_offer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
