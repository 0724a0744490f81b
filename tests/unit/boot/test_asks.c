/* init/boot/asks.c */
#include "boot/asks.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/sys.h"

static struct loop l;
static struct asks as;
static struct err e;
static char web, ctl, kube, kube_again; /* peers, by address */
static void *told;
static uint32_t told_id;
static char why[64];
static unsigned ends;

static void on_end(void *from, uint32_t from_id, const char *text, void *arg)
{
	assert_ptr_equal(arg, &as);
	told = from;
	told_id = from_id;
	assert_int_equal(str_copy(why, sizeof(why), text), 0);
	ends++;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_clock_ms = 1000;
	fake_epoll_wait = fake_epoll_now;
	memset(&l, 0, sizeof(l));
	ends = 0;
	told = NULL;
	as = (struct asks){.loop = &l, .end = on_end, .arg = &as};
	return loop_init(&l, &e);
}

static int teardown(void **state)
{
	(void)state;
	loop_fini(&l);
	fake_reset();
	return 0;
}

static void pass(uint64_t ms)
{
	fake_clock_ms += (int64_t)ms;
	assert_int_equal(loop_step(&l, &e), 0);
}

static uint32_t add(void *from, uint32_t from_id)
{
	struct ask *a = asks_add(&as, from, from_id, &kube, "kube", &e);
	return a ? a->id : 0;
}

static void an_answer_finds_its_asker_once(void **state)
{
	void *from;
	uint32_t id, one = add(&web, 7), two = add(&ctl, 7);

	(void)state;
	assert_int_not_equal(one, two);
	assert_false(asks_take(&as, two + 1, &kube, &from, &id));
	assert_false(asks_take(&as, 0, &kube, &from, &id));
	assert_false(asks_take(&as, two, &web, &from, &id)); /* not its question */
	assert_true(asks_take(&as, two, &kube, &from, &id));
	assert_ptr_equal(from, &ctl);
	assert_int_equal(id, 7);
	assert_false(asks_take(&as, two, &kube, &from, &id));
	assert_true(asks_take(&as, one, &kube, &from, &id));
	assert_ptr_equal(from, &web);
	pass(ASKS_MS);
	assert_int_equal(ends, 0);
}

static void no_answer_is_told_in_time(void **state)
{
	void *from;
	uint32_t id, ask = add(&web, 9);

	(void)state;
	pass(ASKS_MS - 1);
	assert_int_equal(ends, 0);
	pass(1);
	assert_int_equal(ends, 1);
	assert_ptr_equal(told, &web);
	assert_int_equal(told_id, 9);
	assert_string_equal(why, "kube: no answer in 23 s");
	assert_false(asks_take(&as, ask, &kube, &from, &id)); /* late */
	pass(ASKS_MS);
	assert_int_equal(ends, 1);
}

static void the_end_of_the_role_is_told_from_the_loop(void **state)
{
	void *from;
	uint32_t id, ask = add(&web, 9);

	(void)state;
	asks_forget(&as, &kube_again);
	pass(0);
	assert_int_equal(ends, 0);
	asks_forget(&as, &kube);
	assert_int_equal(ends, 0);
	/* The place has a new owner already: not its question. */
	assert_false(asks_take(&as, ask, &kube, &from, &id));
	pass(0);
	assert_int_equal(ends, 1);
	assert_ptr_equal(told, &web);
	assert_string_equal(why, "kube: it ended before it answered");
}

static void nobody_is_told_who_has_gone(void **state)
{
	void *from = &from;
	uint32_t id, ask = add(&web, 1);

	(void)state;
	asks_forget(&as, &web);
	assert_true(asks_take(&as, ask, &kube, &from, &id));
	assert_null(from);
	assert_int_not_equal(add(&web, 2), 0);
	asks_forget(&as, &web);
	pass(ASKS_MS);
	assert_int_equal(ends, 0);
	assert_int_equal(as.ask[0].id | as.ask[ASKS - 1].id, 0);
}

static void there_is_a_limit_for_each_and_for_all(void **state)
{
	void *from;
	uint32_t id, first = 0;
	char others[ASKS / ASKS_EACH];

	(void)state;
	for (unsigned i = 0; i < ASKS_EACH; i++) {
		uint32_t ask = add(&web, i);
		assert_int_not_equal(ask, 0);
		first = first ? first : ask;
	}
	assert_int_equal(add(&web, 99), 0);
	assert_int_equal(e.code, EBUSY);
	assert_string_equal(e.text, "kube: too many questions at a time; ask again");
	assert_non_null(asks_add(&as, &web, 98, &kube_again, "other", &e)); /* another role's questions are others */
	for (unsigned i = ASKS_EACH + 1; i < ASKS; i++)
		assert_int_not_equal(add(&others[i / ASKS_EACH], i), 0);
	assert_int_equal(add(&kube_again, 1), 0);
	/* To leave and come again makes no room at the role. */
	asks_forget(&as, &web);
	assert_int_equal(add(&web, 100), 0);
	assert_true(asks_take(&as, first, &kube, &from, &id));
	assert_int_not_equal(add(&web, 101), 0);
}

static void numbers_are_never_none(void **state)
{
	(void)state;
	as.last_id = UINT32_MAX;
	assert_int_equal(add(&web, 1), 1);
	asks_cancel(&as.ask[ASKS - 1]);
	pass(ASKS_MS);
	assert_int_equal(ends, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_finds_its_asker_once),
		TEST(no_answer_is_told_in_time),
		TEST(the_end_of_the_role_is_told_from_the_loop),
		TEST(nobody_is_told_who_has_gone),
		TEST(there_is_a_limit_for_each_and_for_all),
		TEST(numbers_are_never_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
