/* init/console/owner_locks.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "console/owner_locks.h"

#define A "192.168.1.7"
#define B "192.168.1.8"

static struct owner_locks l;
static uint64_t now;

static int setup(void **state)
{
	(void)state;
	now = 1000000;
	owner_locks_init(&l, now);
	l.left = OWNER_BURST;
	return 0;
}

static void each_failure_doubles_the_wait(void **state)
{
	uint64_t want = OWNER_WAIT_MS;

	(void)state;
	assert_int_equal(owner_locks_wait(&l, A, now), 0);
	for (int i = 0; i < OWNER_FREE; i++)
		assert_int_equal(owner_locks_fail(&l, A, now), 0);
	for (int i = 0; i < 12; i++) {
		assert_int_equal(owner_locks_fail(&l, A, now), want);
		assert_int_equal(owner_locks_wait(&l, A, now + want - 1), 1);
		assert_int_equal(owner_locks_wait(&l, A, now + want), 0);
		assert_int_equal(owner_locks_wait(&l, B, now), 0);
		now += want;
		want = want * 2 > OWNER_WAIT_MOST_MS ? OWNER_WAIT_MOST_MS : want * 2;
	}
	owner_locks_pass(&l, A, now);
	assert_int_equal(owner_locks_wait(&l, A, now), 0);
	assert_int_equal(owner_locks_fail(&l, A, now), 0);
}

static void forgotten_after_a_quiet_hour(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++)
		(void)owner_locks_fail(&l, A, now);
	now += OWNER_QUIET_MS;
	assert_int_equal(owner_locks_wait(&l, A, now), 0);
	assert_int_equal(owner_locks_fail(&l, A, now), 0);
}

static void many_addresses_get_no_further(void **state)
{
	char address[24];

	(void)state;
	owner_locks_pass(&l, B, now); /* the owner's */
	for (int i = 0; i < OWNER_BURST; i++) {
		(void)snprintf(address, sizeof(address), "10.0.0.%d", i);
		assert_int_equal(owner_locks_wait(&l, address, now), 0);
		(void)owner_locks_fail(&l, address, now);
	}
	assert_int_equal(owner_locks_wait(&l, "10.9.9.9", now), OWNER_REFILL_MS);
	assert_int_equal(owner_locks_wait(&l, B, now), 0);
	now += OWNER_REFILL_MS;
	assert_int_equal(owner_locks_wait(&l, "10.9.9.9", now), 0);
	(void)owner_locks_fail(&l, "10.9.9.9", now);
	assert_int_equal(owner_locks_wait(&l, "10.9.9.8", now), OWNER_REFILL_MS);
	now += (uint64_t)OWNER_REFILL_MS * 1000;
	(void)owner_locks_wait(&l, A, now);
	assert_int_equal(l.left, OWNER_BURST); /* no more than that are saved up */
}

static void a_restart_wins_little(void **state)
{
	char address[24];

	(void)state;
	owner_locks_init(&l, now);
	for (int i = 0; i < OWNER_START; i++) {
		(void)snprintf(address, sizeof(address), "10.0.0.%d", i);
		(void)owner_locks_fail(&l, address, now);
	}
	assert_true(owner_locks_wait(&l, A, now) > 0);
}

static void households(void **state)
{
	(void)state;
	for (int i = 0; i < OWNER_FREE; i++)
		(void)owner_locks_fail(&l, "2001:db8:1:2:3:4:5:6", now);
	assert_true(owner_locks_fail(&l, "2001:db8:1:2:ffff::1", now) > 0);
	assert_int_equal(owner_locks_wait(&l, "2001:db8:1:3::1", now), 0);
	for (int i = 0; i < OWNER_FREE; i++)
		(void)owner_locks_fail(&l, "::ffff:10.0.0.1", now);
	assert_int_equal(owner_locks_wait(&l, "::ffff:10.0.0.2", now), 0);
	/* Texts that are no addresses share one place. */
	for (int i = 0; i < OWNER_FREE; i++)
		(void)owner_locks_fail(&l, "", now);
	assert_true(owner_locks_fail(&l, "0123456789012345678901234567890123456789012345678901234567890", now) > 0);
}

static void the_longest_quiet_is_forgotten_first(void **state)
{
	char address[24];

	(void)state;
	for (int i = 0; i < OWNER_FREE + 1; i++)
		(void)owner_locks_fail(&l, A, now);
	for (int i = 0; i < OWNER_ADDRESSES - 1; i++) {
		(void)snprintf(address, sizeof(address), "10.0.0.%d", i);
		(void)owner_locks_fail(&l, address, now + 1);
	}
	l.left = OWNER_BURST;
	assert_true(owner_locks_wait(&l, A, now + 1) > 0);
	(void)owner_locks_fail(&l, "10.0.1.1", now + 1);
	assert_int_equal(owner_locks_wait(&l, A, now + 1), 0);
}

/* Who fills the table cannot have it forget where the owner comes from: that one is not held up by the common count. */
static void the_owner_is_not_forgotten(void **state)
{
	char address[24];

	(void)state;
	owner_locks_pass(&l, B, now);
	for (int i = 0; i < 2 * OWNER_ADDRESSES; i++) {
		(void)snprintf(address, sizeof(address), "10.0.0.%d", i);
		(void)owner_locks_fail(&l, address, ++now);
	}
	assert_true(owner_locks_wait(&l, A, now) > 0);
	assert_int_equal(owner_locks_wait(&l, B, now), 0);
	/* Where the owner has come from everywhere, the longest ago goes. */
	for (int i = 0; i < OWNER_ADDRESSES; i++) {
		(void)snprintf(address, sizeof(address), "10.0.1.%d", i);
		owner_locks_pass(&l, address, ++now);
	}
	assert_true(owner_locks_wait(&l, B, now) > 0);
	assert_int_equal(owner_locks_wait(&l, "10.0.1.0", now), 0);
}

/* On a LAN a stranger has the owner's /64. */
static void a_neighbour_does_not_hold_up_the_owner(void **state)
{
	(void)state;
	owner_locks_pass(&l, "fe80::1", now);
	for (int i = 0; i < 2 * OWNER_FREE; i++)
		(void)owner_locks_fail(&l, "fe80::2", now);
	assert_true(owner_locks_wait(&l, "fe80::3", now) > 0);
	assert_int_equal(owner_locks_wait(&l, "fe80::1", now), 0);
	for (int i = 0; i < OWNER_FREE; i++)
		assert_int_equal(owner_locks_fail(&l, "fe80::1", now), 0);
	assert_int_equal(owner_locks_fail(&l, "fe80::1", now), OWNER_WAIT_MS);
}

static void forgiven_at_the_box(void **state)
{
	char address[24];

	(void)state;
	for (int i = 0; i < 20; i++)
		(void)owner_locks_fail(&l, A, now);
	for (int i = 0; i < OWNER_BURST; i++) {
		(void)snprintf(address, sizeof(address), "10.0.0.%d", i % 20);
		(void)owner_locks_fail(&l, address, now);
	}
	assert_true(owner_locks_wait(&l, A, now) > 0 && owner_locks_wait(&l, B, now) > 0);
	owner_locks_forgive(&l, now);
	assert_true(owner_locks_wait(&l, A, now) == 0 && owner_locks_wait(&l, B, now) == 0);
	assert_int_equal(owner_locks_fail(&l, A, now), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_failure_doubles_the_wait, setup),
		cmocka_unit_test_setup(forgotten_after_a_quiet_hour, setup),
		cmocka_unit_test_setup(many_addresses_get_no_further, setup),
		cmocka_unit_test_setup(a_restart_wins_little, setup),
		cmocka_unit_test_setup(households, setup),
		cmocka_unit_test_setup(the_longest_quiet_is_forgotten_first, setup),
		cmocka_unit_test_setup(the_owner_is_not_forgotten, setup),
		cmocka_unit_test_setup(a_neighbour_does_not_hold_up_the_owner, setup),
		cmocka_unit_test_setup(forgiven_at_the_box, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
