/* init/base/backoff.c. Also: tests/unit/kube/test_retry.c, which asks for the same through kube/retry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/backoff.h"
#include "base/str.h"

static const struct backoff_rule rule = {.base_ms = 100, .cap_ms = 1500, .floor_ms = 20, .after_s = 60};

static void waits_grow_to_the_cap(void **state)
{
	static const uint32_t longest[] = {100, 200, 400, 800, 1500, 1500, 1500};
	unsigned tries = 0;

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(longest); i++) {
		unsigned same = i;
		assert_int_equal(backoff_next_ms(&rule, &same, 0, longest[i]), longest[i]); /* a remainder */
		same = i;
		assert_int_equal(backoff_next_ms(&rule, &same, 0, longest[i] + 1), 20); /* 0: the floor */
		assert_int_equal(same, i + 1);
	}
	for (unsigned i = 0; i < 1000; i++)
		assert_in_range(backoff_next_ms(&rule, &tries, 0, i * 2654435761u), 20, 1500);
}

static void what_the_other_side_asks_for(void **state)
{
	static const struct {
		unsigned after;
		uint32_t random;
		uint64_t want;
	} rows[] = {{1, 0, 1000}, {1, 50, 1050}, {60, 0, 60000}, {61, 0, 60000}, {UINT32_MAX, 100, 60100}};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		unsigned tries = 0;
		assert_int_equal(backoff_next_ms(&rule, &tries, rows[i].after, rows[i].random), rows[i].want);
	}
	unsigned tries = 10;
	assert_int_equal(backoff_next_ms(&rule, &tries, 1, 1400), 1400); /* our own wait is longer already */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waits_grow_to_the_cap),
		cmocka_unit_test(what_the_other_side_asks_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
