/* init/core/cage.c: users, and filters with conditions, run on recorded programs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "core/cage.h"
#include "fake/sys.h"
#include "unit/core/filter.h"

static struct err e;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_prctl = filter_prctl;
	filter_len = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	return 0;
}

static bool allows(int nr, uint64_t arg1, uint64_t arg2)
{
	return filter_allows(nr, FILTER_ANY, arg1, arg2, FILTER_ANY);
}

static void conditions_hold(void **state)
{
	static const uint16_t plain[] = {10};
	static const struct cage_call with[] = {
		{11, {CAGE_NONE_OF(1, 3)}},
		{12, {{2, false, 4, 4}}},
		{13, {CAGE_IS(1, 7), CAGE_IS_NOT(2, 3)}},
		{14, {CAGE_IS(1, 1)}},
		{14, {CAGE_IS(1, 2), CAGE_IS(2, 5)}},
		{15, {{0, false, 0, 0}}},
	};
	const struct cage_filter f = {plain, COUNT_OF(plain), with, COUNT_OF(with)};
	static const struct {
		int nr;
		uint64_t arg1, arg2;
		bool allowed;
	} cases[] = {
		{10, 0, 0, true},  {10, ~0ull, ~0ull, true},
		{9, 0, 0, false},  {16, 0, 0, false},
		{11, 4, 3, true},  {11, 0, 0, true},
		{11, 1, 0, false}, {11, 2, 0, false},
		{11, 3, 0, false}, {12, 0, 4, true},
		{12, 0, 7, true},  {12, 4, 3, false},
		{13, 7, 0, true},  {13, 7, 3, false},
		{13, 6, 0, false}, {14, 1, 0, true},
		{14, 2, 5, true},  {14, 2, 4, false},
		{14, 3, 5, false}, {14, 0, 0, false},
		{15, 9, 9, true},  {13, 7 | 1ull << 32, 0, true}, /* an int to the call, too */
	};

	(void)state;
	assert_int_equal(cage_close(&f, &e), 0);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (allows(cases[i].nr, cases[i].arg1, cases[i].arg2) != cases[i].allowed)
			fail_msg("case %zu: call %d", i, cases[i].nr);
	}
	assert_int_equal(filter_count(0, 0, 0, 0), 3);
}

static void too_many_rows_are_an_error(void **state)
{
	static const uint16_t plain[CAGE_CALLS];
	static const struct cage_call with[1];

	(void)state;
	assert_int_equal(cage_close(&(struct cage_filter){plain, CAGE_CALLS - 1, with, 1}, &e), 0);
	assert_int_equal(cage_close(&(struct cage_filter){plain, CAGE_CALLS, with, 1}, &e), -1);
}

static void each_step_may_fail(void **state)
{
	const struct cage_filter f = {0};
	unsigned n = 1;

	(void)state;
	for (;; n++) {
		fake_fail_at(n, EPERM);
		int rc = cage_close(&f, &e);
		if (!fake_fired())
			break;
		assert_int_equal(rc, -1);
	}
	assert_int_equal(n, 4);
}

static int one_user(const char *path, int flags, mode_t mode)
{
	static const char text[] = "root:x:0:0::/:\nweb:x:900:901::/:\nhalf:x:900:0::/:\n";
	int fds[2];

	(void)flags;
	(void)mode;
	assert_string_equal(path, "/etc/passwd");
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], text, strlen(text)), strlen(text));
	close(fds[1]);
	return fds[0];
}

static void root_is_no_user_of_a_cage(void **state)
{
	uid_t uid = 1;
	gid_t gid = 1;

	(void)state;
	fake_open = one_user;
	assert_int_equal(cage_find_user("root", &uid, &gid, &e), -1);
	assert_int_equal(cage_find_user("half", &uid, &gid, &e), -1);
	assert_non_null(strstr(e.text, "'half' of /etc/passwd is root"));
	assert_int_equal(cage_find_user("nobody", &uid, &gid, &e), -1);
	assert_true(uid == 1 && gid == 1);
	assert_int_equal(cage_find_user("web", &uid, &gid, &e), 0);
	assert_true(uid == 900 && gid == 901);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(conditions_hold),
		T(too_many_rows_are_an_error),
		T(each_step_may_fail),
		T(root_is_no_user_of_a_cage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
