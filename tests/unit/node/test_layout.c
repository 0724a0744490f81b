/* The disk of a box: every size of disk that a person may flash to, and a second look that changes nothing. */
#include "node/layout.h"

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

#include "board.h"

#define MIB 2048 /* sectors */

static struct gpt g;
static struct layout lo;
static struct err e;
static unsigned randoms;
static int random_fails_at;

static int counting(uint8_t bytes[16], void *arg)
{
	(void)arg;
	memset(bytes, 0xF0 + (int)++randoms, 16);
	return random_fails_at == (int)randoms ? -1 : 0;
}

/* What the image has: esp and system-a, made with the code's own gpt_add and without its mark. */
static void flash(uint64_t mib)
{
	static const struct {
		const char *name, *type;
		uint64_t mib;
	} image[] = {{BOARD_PART_ESP, BOARD_TYPE_ESP, BOARD_ESP_MIB},
	             {BOARD_PART_SYSTEM_A, BOARD_TYPE_SYSTEM, BOARD_SYSTEM_MIB}};
	struct gpt_part p;

	memset(&g, 0, sizeof(g));
	g.sectors = (BOARD_ESP_MIB + BOARD_SYSTEM_MIB + 2) * MIB;
	g.first_usable = 34;
	(void)gpt_fit(&g);
	assert_int_equal(gpt_guid_parse(BOARD_IMAGE_DISK_GUID, g.disk_guid), 0);
	for (size_t i = 0; i < 2; i++) {
		struct gpt_want w = {.name = image[i].name, .type = image[i].type, .sectors = image[i].mib * MIB};
		assert_int_equal(gpt_add(&g, &w, &p, &e), 0);
		gpt_set_attributes(&g, p.number, 0);
	}
	g.sectors = mib * MIB;
}

static int plan(void)
{
	randoms = 0;
	return layout_plan(&lo, &g, counting, NULL, &e);
}

static int setup(void **state)
{
	(void)state;
	random_fails_at = 0;
	return 0;
}

static void the_first_boot(void **state)
{
	struct gpt_part p;

	(void)state;
	flash(8192);
	assert_int_equal(plan(), 0);
	assert_true(lo.changed);
	assert_false(lo.grown); /* the kernel hears of it in its full size */
	for (unsigned i = 0; i < LAYOUT_PARTS; i++) {
		assert_true(lo.there[i] && lo.added[i]);
		assert_true(lo.part[i].attributes & GPT_FRESH);
		assert_true(gpt_find(&g, layout_part_name(i), &p));
		assert_int_equal(p.number, 3 + i); /* in the order of the board */
		assert_int_equal(p.last, lo.part[i].last);
		assert_int_equal(p.guid[7] >> 4, 4); /* random ids say so */
		assert_int_equal(p.guid[8] >> 6, 2);
	}
	assert_int_equal(lo.part[LAYOUT_SYSTEM_B].last - lo.part[LAYOUT_SYSTEM_B].first + 1, BOARD_SYSTEM_MIB * MIB);
	assert_int_equal(lo.part[LAYOUT_STATE].last - lo.part[LAYOUT_STATE].first + 1, BOARD_STATE_MIB * MIB);
	assert_int_equal(lo.part[LAYOUT_DATA].last, 8191 * MIB - 1);
	assert_memory_not_equal(lo.part[0].guid, lo.part[1].guid, 16);
	assert_int_equal(g.disk_guid[0], 0xF1); /* not the image's any more */
}

static void the_second_boot_changes_nothing(void **state)
{
	static struct gpt before;

	(void)state;
	flash(8192);
	assert_int_equal(plan(), 0);
	before = g;
	assert_int_equal(plan(), 0);
	assert_false(lo.changed || lo.grown || lo.added[LAYOUT_DATA]);
	assert_true(lo.there[LAYOUT_DATA]);
	assert_memory_equal(&g, &before, sizeof(g));
	assert_int_equal(randoms, 0);
}

static void a_larger_disk_grows_data_alone(void **state)
{
	uint64_t first;

	(void)state;
	flash(8192);
	assert_int_equal(plan(), 0);
	first = lo.part[LAYOUT_DATA].first;
	gpt_set_attributes(&g, lo.part[LAYOUT_DATA].number, 0);
	g.sectors = 16384 * MIB;
	assert_int_equal(plan(), 0);
	assert_true(lo.changed && lo.grown);
	assert_int_equal(lo.part[LAYOUT_DATA].first, first);
	assert_int_equal(lo.part[LAYOUT_DATA].last, UINT64_C(16383) * MIB - 1);
	assert_int_equal(lo.part[LAYOUT_DATA].attributes, 0); /* growing does not make it fresh */
}

/* Whatever the size: what fits is there, data never without the rest, and the message names both sizes. */
static void small_disks(void **state)
{
	static const struct {
		unsigned mib;
		bool b, state, data;
	} disks[] = {
		{1540, false, false, false}, {1793, false, false, false}, {1794, false, true, false},
		{2560, false, true, false},  {2817, false, true, false},  {2818, true, true, false},
		{3329, true, true, false},   {3330, true, true, true},
	};
	char sizes[64];

	(void)state;
	for (size_t i = 0; i < sizeof(disks) / sizeof(disks[0]); i++) {
		flash(disks[i].mib);
		assert_int_equal(plan(), 0);
		assert_int_equal(lo.there[LAYOUT_SYSTEM_B], disks[i].b);
		assert_int_equal(lo.there[LAYOUT_STATE], disks[i].state);
		assert_int_equal(lo.there[LAYOUT_DATA], disks[i].data);
		(void)snprintf(sizes, sizeof(sizes), "it has %u MiB and 3330 MiB are needed", disks[i].mib);
		if (!disks[i].data)
			assert_non_null(strstr(lo.missing[LAYOUT_DATA].text, sizes));
	}
}

static void a_small_disk_moved_to_a_large_one(void **state)
{
	(void)state;
	flash(2000);
	assert_int_equal(plan(), 0);
	assert_true(lo.there[LAYOUT_STATE] && !lo.there[LAYOUT_SYSTEM_B]);
	g.sectors = 8192 * MIB;
	assert_int_equal(plan(), 0);
	assert_true(lo.there[LAYOUT_SYSTEM_B] && lo.there[LAYOUT_DATA]);
	assert_false(lo.added[LAYOUT_STATE]);
}

static void a_deleted_state_comes_back_in_its_place(void **state)
{
	uint64_t first;

	(void)state;
	flash(8192);
	assert_int_equal(plan(), 0);
	first = lo.part[LAYOUT_STATE].first;
	memset(g.entry + (size_t)(lo.part[LAYOUT_STATE].number - 1) * GPT_ENTRY, 0, GPT_ENTRY);
	assert_int_equal(plan(), 0);
	assert_true(lo.added[LAYOUT_STATE]);
	assert_false(lo.added[LAYOUT_DATA]);
	assert_int_equal(lo.part[LAYOUT_STATE].first, first);
}

static void a_disk_id_of_its_own_stays(void **state)
{
	(void)state;
	flash(8192);
	memset(g.disk_guid, 0x33, 16);
	assert_int_equal(plan(), 0);
	assert_int_equal(g.disk_guid[0], 0x33);
}

static void without_random_numbers_nothing_is_written(void **state)
{
	(void)state;
	for (random_fails_at = 1; random_fails_at <= 4; random_fails_at++) {
		flash(8192);
		assert_int_equal(plan(), -1);
	}
	flash(8192);
	assert_int_equal(plan(), 0); /* four are asked for: the disk and three partitions */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_first_boot, setup),
		cmocka_unit_test_setup(the_second_boot_changes_nothing, setup),
		cmocka_unit_test_setup(a_larger_disk_grows_data_alone, setup),
		cmocka_unit_test_setup(small_disks, setup),
		cmocka_unit_test_setup(a_small_disk_moved_to_a_large_one, setup),
		cmocka_unit_test_setup(a_deleted_state_comes_back_in_its_place, setup),
		cmocka_unit_test_setup(a_disk_id_of_its_own_stays, setup),
		cmocka_unit_test_setup(without_random_numbers_nothing_is_written, setup),
	};

	return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
