/* Which partition becomes the root. */
#include "boot/candidate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct err e;
static const struct candidate both[] = {{"vda2", "vda", 'a'}, {"vda3", "vda", 'b'}};
static unsigned which;

static void labels(void **state)
{
	(void)state;
	assert_int_equal(candidate_slot("system-a"), 'a');
	assert_int_equal(candidate_slot("system-b"), 'b');
	assert_int_equal(candidate_slot("system-c"), '\0');
	assert_int_equal(candidate_slot(""), '\0');
}

static void only_one(void **state)
{
	const struct candidate nameless = {"sda", "", '\0'};
	(void)state;
	which = 9;
	assert_int_equal(candidate_choose(&both[1], 1, 'a', &which, &e), 0);
	assert_int_equal(which, 0);
	assert_int_equal(candidate_choose(&nameless, 1, '\0', &which, &e), 0);
}

static void the_loader_decides(void **state)
{
	(void)state;
	assert_int_equal(candidate_choose(both, 2, 'b', &which, &e), 0);
	assert_int_equal(which, 1);
	assert_int_equal(candidate_choose(both, 2, 'a', &which, &e), 0);
	assert_int_equal(which, 0);
}

static void nobody_decides(void **state)
{
	const struct candidate same[] = {{"vda2", "vda", 'b'}, {"vda3", "vda", 'b'}};
	(void)state;
	assert_int_equal(candidate_choose(both, 2, '\0', &which, &e), -1);
	assert_int_equal(e.code, ENOTUNIQ);
	assert_non_null(strstr(e.text, "vda2 and vda3; the boot loader says nothing"));
	assert_int_equal(candidate_choose(same, 2, 'b', &which, &e), -1);
	assert_int_equal(candidate_choose(same, 2, 'a', &which, &e), -1);
	const struct candidate unnamed[] = {{"vda2", "vda", '\0'}, {"vda3", "vda", '\0'}};
	assert_int_equal(candidate_choose(unnamed, 2, '\0', &which, &e), -1);
}

static void two_disks(void **state)
{
	const struct candidate two[] = {{"vda2", "vda", 'a'}, {"vda3", "vda", 'b'}, {"vdb2", "vdb", 'a'}};
	const struct candidate unknown[] = {{"vda2", "", 'a'}, {"vda3", "", 'b'}};
	(void)state;
	assert_int_equal(candidate_choose(two, 3, 'b', &which, &e), -1);
	assert_int_equal(e.code, ENOTUNIQ);
	assert_non_null(strstr(e.text, "unplug one of the disks"));
	assert_int_equal(candidate_choose(unknown, 2, 'a', &which, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels),         cmocka_unit_test(only_one),  cmocka_unit_test(the_loader_decides),
		cmocka_unit_test(nobody_decides), cmocka_unit_test(two_disks),
	};
	return cmocka_run_group_tests_name("candidate", tests, NULL, NULL);
}
