/* init/host/halves.c: tables with one slot, two, or the root elsewhere. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "board.h"
#include "fake/sys.h"
#include "host/halves.h"

static struct err e;
static struct gpt g;
static struct halves h;

static void add(const char *name, uint64_t sectors)
{
	struct gpt_want want = {.name = name, .type = BOARD_TYPE_SYSTEM, .sectors = sectors};
	struct gpt_part p;
	static uint8_t id;

	want.guid[0] = ++id;
	assert_int_equal(gpt_add(&g, &want, &p, &e), 0);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	memset(&g, 0, sizeof(g));
	g.sectors = 1 << 22;
	g.first_usable = 2048;
	(void)gpt_fit(&g);
	memset(&h, 0, sizeof(h));
	strcpy(h.disk, "nvme0n1");
	return 0;
}

static void the_other_one_is_found(void **state)
{
	(void)state;
	add("esp", 4096);
	add(BOARD_PART_SYSTEM_A, 8192);
	add(BOARD_PART_SYSTEM_B, 16384);
	assert_int_equal(halves_from(&h, &g, 2, &e), 0);
	assert_int_equal(h.running, 'a');
	assert_int_equal(h.other, 'b');
	assert_string_equal(h.running_name, "nvme0n1p2");
	assert_string_equal(h.other_name, "nvme0n1p3");
	assert_int_equal(h.other_bytes, 16384 * 512);
	assert_int_equal(halves_from(&h, &g, 3, &e), 0);
	assert_int_equal(h.running, 'b');
	assert_string_equal(h.other_name, "nvme0n1p2");
	assert_int_equal(h.other_bytes, 8192 * 512);
}

static void without_another_there_are_no_updates(void **state)
{
	(void)state;
	add(BOARD_PART_SYSTEM_A, 8192);
	assert_int_equal(halves_from(&h, &g, 1, &e), -1);
	assert_int_equal(e.code, ENOENT);
	assert_string_equal(e.text, "no updates: nvme0n1 has no partition system-b to put one into");
}

static void a_root_elsewhere_is_no_slot(void **state)
{
	(void)state;
	add(BOARD_PART_SYSTEM_A, 8192);
	add(BOARD_PART_SYSTEM_B, 8192);
	add("data", 8192);
	assert_int_equal(halves_from(&h, &g, 3, &e), -1);
	assert_int_equal(e.code, EINVAL);
	assert_int_equal(halves_from(&h, &g, 0, &e), -1);
}

static int no_control(const char *path, int flags, mode_t mode)
{
	(void)path;
	(void)flags;
	(void)mode;
	errno = ENOENT;
	return -1;
}

static void a_root_that_is_not_verified_is_said(void **state)
{
	(void)state;
	fake_open = no_control;
	assert_int_equal(halves_find(&h, &e), -1);
	assert_non_null(strstr(e.text, "where the root runs from is not known"));
	fake_reset();
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(the_other_one_is_found),
		T(without_another_there_are_no_updates),
		T(a_root_elsewhere_is_no_slot),
		T(a_root_that_is_not_verified_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
