/* kube/retry */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "kube/retry.h"

/* Every class has a text and is one of those that this test knows; a person hears of what is never tried again. */
static void every_answer_has_a_rule(void **state)
{
	(void)state;
	for (int fault = -1; fault <= KCLIENT_FAULTS; fault++) {
		for (int status = -1; status <= 700; status++) {
			const struct retry_rule *r = retry_rule((enum kclient_fault)fault, status);
			assert_non_null(r);
			assert_true(r->text[0] != '\0' && r->what <= RETRY_GIVE_UP);
			if (r->what == RETRY_GIVE_UP)
				assert_true(r->tell);
			if (r->what == RETRY_DONE)
				assert_true(fault == KCLIENT_OK && ((status >= 200 && status <= 299) || status == 304));
		}
	}
}

static void statuses_have_their_classes(void **state)
{
	static const struct {
		int status;
		enum retry_what want;
		bool tell;
	} rows[] = {
		{200, RETRY_DONE, false},     {201, RETRY_DONE, false},   {299, RETRY_DONE, false},
		{304, RETRY_DONE, false},     {301, RETRY_GIVE_UP, true}, {400, RETRY_GIVE_UP, true},
		{401, RETRY_LOGIN, true},     {403, RETRY_LATER, true},   {404, RETRY_MISSING, false},
		{405, RETRY_GIVE_UP, true},   {406, RETRY_GIVE_UP, true}, {408, RETRY_LATER, false},
		{409, RETRY_CONFLICT, false}, {410, RETRY_RELIST, false}, {413, RETRY_GIVE_UP, true},
		{415, RETRY_GIVE_UP, true},   {422, RETRY_GIVE_UP, true}, {429, RETRY_LATER, false},
		{500, RETRY_LATER, true},     {501, RETRY_GIVE_UP, true}, {502, RETRY_LATER, false},
		{503, RETRY_LATER, false},    {504, RETRY_LATER, false},  {505, RETRY_GIVE_UP, true},
		{507, RETRY_LATER, true},     {499, RETRY_GIVE_UP, true}, {305, RETRY_GIVE_UP, true},
		{599, RETRY_LATER, true},     {0, RETRY_LATER, true},     {100, RETRY_LATER, true},
		{199, RETRY_LATER, true},     {600, RETRY_LATER, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct retry_rule *r = retry_rule(KCLIENT_OK, rows[i].status);
		assert_int_equal(r->what, rows[i].want);
		assert_int_equal(r->tell, rows[i].tell);
	}
}

/* With a fault the status says nothing: a cut 200 is not a success. */
static void faults_have_their_classes(void **state)
{
	static const struct {
		enum kclient_fault fault;
		enum retry_what want;
		bool tell;
	} rows[] = {
		{KCLIENT_REFUSED, RETRY_LATER, false}, {KCLIENT_RESET, RETRY_LATER, false},
		{KCLIENT_CUT, RETRY_LATER, false},     {KCLIENT_TIMEOUT, RETRY_LATER, false},
		{KCLIENT_TLS, RETRY_LOGIN, true},      {KCLIENT_TOO_LARGE, RETRY_GIVE_UP, true},
		{KCLIENT_MEMORY, RETRY_LATER, true},   {KCLIENT_BROKEN, RETRY_LATER, true},
		{KCLIENT_FAULTS, RETRY_LATER, true},
	};
	static const int statuses[] = {0, 200, 404, 410};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		for (size_t k = 0; k < COUNT_OF(statuses); k++) {
			const struct retry_rule *r = retry_rule(rows[i].fault, statuses[k]);
			assert_int_equal(r->what, rows[i].want);
			assert_int_equal(r->tell, rows[i].tell);
		}
	}
}

static void waits_grow_to_the_cap(void **state)
{
	static const uint64_t want[] = {250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};
	struct retry r = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(want); i++) {
		struct retry same = r;
		/* A remainder of ceiling: the longest wait. */
		assert_int_equal(retry_next_ms(&same, 0, (uint32_t)want[i]), want[i]);
		same = r;
		assert_int_equal(retry_next_ms(&same, 0, 0), RETRY_FLOOR_MS);
		r = same;
	}
	for (unsigned i = 0; i < 100000; i++)
		assert_true(retry_next_ms(&r, 0, i * 2654435761u) <= RETRY_CAP_MS);
	retry_reset(&r);
	assert_int_equal(retry_next_ms(&r, 0, 250), 250);
	assert_int_equal(r.tries, 1);
}

static void waits_are_spread(void **state)
{
	unsigned low = 0, high = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		struct retry r = {.tries = 20};
		uint64_t ms = retry_next_ms(&r, 0, i * 2654435761u);
		low += ms < RETRY_CAP_MS / 4;
		high += ms > RETRY_CAP_MS / 4 * 3;
	}
	assert_in_range(low, 200, 300);
	assert_in_range(high, 200, 300);
}

static void retry_after_is_honoured_and_capped(void **state)
{
	static const struct {
		unsigned tries, after;
		uint32_t random;
		uint64_t want;
	} rows[] = {
		{0, 1, 0, 1000},           {0, 1, 250, 1250},     {0, 60, 0, 60000}, {0, 61, 0, 60000},
		{0, UINT32_MAX, 7, 60007}, {20, 2, 29000, 29000}, /* our own wait is longer already */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct retry r = {.tries = rows[i].tries};
		assert_int_equal(retry_next_ms(&r, rows[i].after, rows[i].random), rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_answer_has_a_rule),   cmocka_unit_test(statuses_have_their_classes),
		cmocka_unit_test(faults_have_their_classes), cmocka_unit_test(waits_grow_to_the_cap),
		cmocka_unit_test(waits_are_spread),          cmocka_unit_test(retry_after_is_honoured_and_capped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
