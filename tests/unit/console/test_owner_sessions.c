/* init/console/owner_sessions.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "console/owner_sessions.h"

static struct owner_sessions s;
static const struct owner_limits limits = {1000, 5000};

static int setup(void **state)
{
	(void)state;
	owner_sessions_init(&s, limits);
	return 0;
}

static const uint8_t *digest(unsigned n)
{
	static uint8_t d[OWNER_DIGEST];
	memset(d, 0, sizeof(d));
	d[OWNER_DIGEST - 1] = (uint8_t)n;
	return d;
}

static void used_or_unused(void **state)
{
	(void)state;
	assert_false(owner_sessions_use(&s, digest(0), 10)); /* what a free slot holds is no session */
	owner_sessions_add(&s, digest(1), 10);
	assert_true(owner_sessions_use(&s, digest(1), 1009));
	assert_true(owner_sessions_use(&s, digest(1), 2008));
	assert_false(owner_sessions_use(&s, digest(2), 2008));
	assert_false(owner_sessions_use(&s, digest(1), 3008)); /* a second since it was used */
	assert_false(owner_sessions_use(&s, digest(1), 3008));
}

static void ends_in_any_case(void **state)
{
	(void)state;
	owner_sessions_add(&s, digest(1), 0);
	for (uint64_t now = 500; now < 5000; now += 500)
		assert_true(owner_sessions_use(&s, digest(1), now));
	assert_false(owner_sessions_use(&s, digest(1), 5000));
}

static void one_too_many_ends_the_least_used(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= OWNER_SESSIONS; i++)
		owner_sessions_add(&s, digest(i), i);
	assert_true(owner_sessions_use(&s, digest(1), 100));
	owner_sessions_add(&s, digest(99), 101);
	assert_false(owner_sessions_use(&s, digest(2), 102));
	assert_true(owner_sessions_use(&s, digest(1), 102));
	assert_true(owner_sessions_use(&s, digest(99), 102));
}

static void ended_by_hand(void **state)
{
	(void)state;
	owner_sessions_add(&s, digest(1), 0);
	owner_sessions_add(&s, digest(2), 0);
	owner_sessions_end(&s, digest(1));
	owner_sessions_end(&s, digest(3));
	assert_false(owner_sessions_use(&s, digest(1), 1));
	assert_true(owner_sessions_use(&s, digest(2), 1));
	assert_int_equal(owner_sessions_clear(&s), 1);
	assert_false(owner_sessions_use(&s, digest(2), 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(used_or_unused, setup),
		cmocka_unit_test_setup(ends_in_any_case, setup),
		cmocka_unit_test_setup(one_too_many_ends_the_least_used, setup),
		cmocka_unit_test_setup(ended_by_hand, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
