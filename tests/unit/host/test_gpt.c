/* Partition tables as values. The bytes are built here, field by field from the UEFI specification (5.3), not by the
 * code under test. */
#include "host/gpt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake/sys.h"

#define SECTORS (UINT64_C(8) << 20) /* 4 GiB */
#define LINUX   "0fc63daf-8483-4772-8e79-3d69d8477de4"

static struct gpt g;
static struct gpt_part p;
static struct err e;
static uint8_t head[GPT_SECTOR], table[GPT_TABLE];

static void put(uint8_t *at, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get(const uint8_t *at, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = bytes; i > 0; i--)
		v = v << 8 | at[i - 1];
	return v;
}

/* Table-driven, unlike the one in gpt.c. */
static uint32_t crc(const uint8_t *data, size_t n)
{
	uint32_t row[256], c = 0xFFFFFFFF;

	for (uint32_t i = 0; i < 256; i++) {
		row[i] = i;
		for (int k = 0; k < 8; k++)
			row[i] = row[i] & 1 ? 0xEDB88320 ^ row[i] >> 1 : row[i] >> 1;
	}
	while (n--)
		c = row[(c ^ *data++) & 255] ^ c >> 8;
	return c ^ 0xFFFFFFFF;
}

static void set_part(unsigned index, const char *name, uint64_t first, uint64_t last)
{
	uint8_t *entry = table + (size_t)index * 128;

	memset(entry, 0, 128);
	memset(entry, 0xAB, 16);
	memset(entry + 16, (int)index + 1, 16);
	put(entry + 32, first, 8);
	put(entry + 40, last, 8);
	for (size_t i = 0; name[i]; i++)
		entry[56 + 2 * i] = (uint8_t)name[i];
}

static void seal(void)
{
	put(head + 88, crc(table, sizeof(table)), 4);
	put(head + 16, 0, 4);
	put(head + 16, crc(head, 92), 4);
}

static void make(uint64_t sectors, uint64_t lba)
{
	memset(head, 0, sizeof(head));
	memcpy(head, "EFI PART", 8);
	put(head + 8, 0x00010000, 4);
	put(head + 12, 92, 4);
	put(head + 24, lba, 8);
	put(head + 32, lba == 1 ? sectors - 1 : 1, 8);
	put(head + 40, 34, 8);
	put(head + 48, sectors - 34, 8);
	memset(head + 56, 0x5A, 16);
	put(head + 72, lba == 1 ? 2 : sectors - 33, 8);
	put(head + 80, 128, 4);
	put(head + 84, 128, 4);
	seal();
}

static int setup(void **state)
{
	(void)state;
	memset(table, 0, sizeof(table));
	set_part(0, "esp", 2048, 1050623);
	set_part(1, "system-a", 1050624, 3147775);
	make(SECTORS, 1);
	return 0;
}

static void parse(void)
{
	assert_int_equal(gpt_parse(&g, head, table, 1, SECTORS, &e), 0);
}

static void refused(const char *why)
{
	assert_int_equal(gpt_parse(&g, head, table, 1, SECTORS, &e), -1);
	if (!strstr(e.text, why))
		fail_msg("'%s' does not say '%s'", e.text, why);
}

static void reads_what_the_specification_says(void **state)
{
	(void)state;
	parse();
	assert_int_equal(g.sectors, SECTORS);
	assert_int_equal(g.first_usable, 34);
	assert_int_equal(g.last_usable, SECTORS - 34);
	assert_true(gpt_get(&g, 1, &p));
	assert_int_equal(p.number, 2);
	assert_string_equal(p.name, "system-a");
	assert_int_equal(p.first, 1050624);
	assert_int_equal(p.last, 3147775);
	assert_int_equal(p.guid[0], 2);
	assert_false(gpt_get(&g, 2, &p));
	assert_false(gpt_get(&g, GPT_ENTRIES, &p));
	assert_true(gpt_find(&g, "esp", &p));
	assert_false(gpt_find(&g, "data", &p));
}

static void builds_the_same_bytes(void **state)
{
	uint8_t out[GPT_SECTOR];

	(void)state;
	parse();
	gpt_build(&g, 1, out);
	assert_memory_equal(out, head, sizeof(out));
	make(SECTORS, SECTORS - 1);
	gpt_build(&g, SECTORS - 1, out);
	assert_memory_equal(out, head, sizeof(out));
	assert_int_equal(gpt_table_lba(out), SECTORS - 33);
}

static void refuses_each_fault(void **state)
{
	static const struct {
		unsigned at;
		const char *why;
	} flips[] = {
		{0, "no partition table"}, {8, "unknown kind"},
		{12, "unknown kind"},      {16, "checksum of the partition table header"},
		{24, "checksum"},          {57, "checksum"},
		{80, "checksum"},          {88, "checksum"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(flips) / sizeof(flips[0]); i++) {
		setup(NULL);
		head[flips[i].at] ^= 1;
		refused(flips[i].why);
	}
	setup(NULL);
	table[GPT_TABLE - 1] ^= 1;
	refused("checksum of the partition entries");
	setup(NULL);
	put(head + 24, 2, 8);
	seal();
	refused("another place");
	setup(NULL);
	put(head + 80, 64, 4);
	seal();
	refused("64 entries");
	setup(NULL);
	put(head + 40, 33, 8);
	seal();
	refused("nothing of the disk is usable");
	assert_int_equal(gpt_parse(&g, head, table, 1, 67, &e), -1);
}

static void refuses_partitions_that_cannot_be(void **state)
{
	(void)state;
	set_part(2, "x", 3000000, 4000000);
	seal();
	refused("partitions 2 and 3 overlap");
	set_part(2, "x", 3147776, SECTORS - 33); /* its last sector is the first one of the backup table */
	seal();
	refused("partition 3 does not lie inside");
	set_part(2, "x", 3147776, SECTORS - 34);
	seal();
	parse();
	set_part(2, "x", 33, 40);
	seal();
	refused("partition 3");
	set_part(2, "x", 5000000, 4000000);
	seal();
	refused("partition 3");
}

static void a_header_alone_names_its_table(void **state)
{
	(void)state;
	assert_int_equal(gpt_table_lba(head), 2);
	head[0] = 'e';
	assert_int_equal(gpt_table_lba(head), 0);
}

static void odd_names_do_not_hurt(void **state)
{
	(void)state;
	memset(table + 56, 0xFF, 72); /* 36 units without an end */
	seal();
	parse();
	assert_true(gpt_get(&g, 0, &p));
	assert_int_equal(strlen(p.name), 36);
	assert_int_equal(p.name[35], '?');
}

static struct gpt_want want(const char *name, uint64_t mib)
{
	struct gpt_want w = {.name = name, .type = LINUX, .sectors = mib * 2048};

	memset(w.guid, 9, sizeof(w.guid));
	return w;
}

static void adds_behind_the_last_one(void **state)
{
	struct gpt_want w = want("state", 256);

	(void)state;
	parse();
	assert_int_equal(gpt_add(&g, &w, &p, &e), 0);
	assert_int_equal(p.number, 3);
	assert_int_equal(p.first, 3147776);
	assert_int_equal(p.last, 3147776 + 256 * 2048 - 1);
	assert_true(p.attributes == GPT_FRESH);
	/* 0fc63daf-... with its first three groups turned round. */
	static const uint8_t type[16] = {0xaf, 0x3d, 0xc6, 0x0f, 0x83, 0x84, 0x72, 0x47,
	                                 0x8e, 0x79, 0x3d, 0x69, 0xd8, 0x47, 0x7d, 0xe4};
	assert_memory_equal(g.entry + 256, type, 16);
	assert_string_equal(p.name, "state");
	gpt_set_attributes(&g, 3, 5);
	assert_true(gpt_get(&g, 2, &p));
	assert_int_equal(p.attributes, 5);
}

static void adds_all_that_is_left(void **state)
{
	struct gpt_want w = want("data", 0);

	(void)state;
	parse();
	assert_int_equal(gpt_room(&g), SECTORS - 2048 - 3147776);
	assert_int_equal(gpt_add(&g, &w, &p, &e), 0);
	assert_int_equal(p.last, SECTORS - 2048 - 1); /* the last whole MiB in front of the backup table */
	assert_int_equal(gpt_room(&g), 0);
	assert_int_equal(gpt_add(&g, &w, &p, &e), -1);
	assert_non_null(strstr(e.text, "0 MiB are free"));
}

static void fills_the_gap_of_a_deleted_one(void **state)
{
	struct gpt_want w = want("state", 256);

	(void)state;
	set_part(2, "system-b", 3147776, 5244927);
	set_part(4, "data", 5769216, SECTORS - 2049);
	seal();
	parse();
	assert_int_equal(gpt_room(&g), 256 * 2048);
	w.sectors++;
	assert_int_equal(gpt_add(&g, &w, &p, &e), -1);
	assert_non_null(strstr(e.text, "256 MiB are free in one piece"));
	w.sectors--;
	assert_int_equal(gpt_add(&g, &w, &p, &e), 0);
	assert_int_equal(p.number, 4);
	assert_int_equal(p.first, 5244928);
	assert_int_equal(p.last, 5769215);
}

static void refuses_to_add_nonsense(void **state)
{
	struct gpt_want w = want("a-name-of-thirty-seven-characters-000", 1);

	(void)state;
	parse();
	assert_int_equal(strlen(w.name), 37);
	assert_int_equal(gpt_add(&g, &w, &p, &e), -1);
	w = want("x", 1);
	w.type = "not-a-guid";
	assert_int_equal(gpt_add(&g, &w, &p, &e), -1);
	for (unsigned i = 0; i < GPT_ENTRIES; i++)
		set_part(i, "x", 4096 + 2 * i, 4096 + 2 * i);
	seal();
	parse();
	w = want("x", 1);
	assert_int_equal(gpt_add(&g, &w, &p, &e), -1);
	assert_non_null(strstr(e.text, "128"));
}

static void moves_to_a_larger_disk(void **state)
{
	const uint64_t larger = SECTORS * 2;
	uint8_t out[GPT_SECTOR];

	(void)state;
	set_part(2, "data", 3147776, SECTORS - 2049);
	seal();
	assert_int_equal(gpt_parse(&g, head, table, 1, larger, &e), 0);
	assert_false(gpt_grow(&g, 0, &p));
	assert_false(gpt_grow(&g, 2, &p)); /* something lies behind it */
	assert_false(gpt_grow(&g, 4, &p)); /* not there */
	assert_true(gpt_fit(&g));
	assert_false(gpt_fit(&g));
	assert_true(gpt_grow(&g, 3, &p));
	assert_int_equal(p.last, larger - 2049);
	assert_false(gpt_grow(&g, 3, &p));
	gpt_build(&g, 1, out);
	assert_int_equal(get(out + 32, 8), larger - 1);
	assert_int_equal(get(out + 48, 8), larger - 34);
}

static void protects_the_disk(void **state)
{
	uint8_t mbr[GPT_SECTOR];

	(void)state;
	memset(mbr, 0x77, sizeof(mbr));
	parse();
	gpt_build_mbr(&g, mbr);
	assert_int_equal(mbr[0], 0x77);
	assert_int_equal(mbr[445], 0x77);
	assert_int_equal(mbr[450], 0xEE);
	assert_int_equal(get(mbr + 454, 4), 1);
	assert_int_equal(get(mbr + 458, 4), SECTORS - 1);
	assert_int_equal(get(mbr + 510, 2), 0xAA55);
	g.sectors = UINT64_C(1) << 40;
	gpt_build_mbr(&g, mbr);
	assert_int_equal(get(mbr + 458, 4), 0xFFFFFFFF);
}

static void guids_there_and_back(void **state)
{
	uint8_t guid[16];
	char text[GPT_GUID_TEXT];

	(void)state;
	assert_int_equal(gpt_guid_parse("C12A7328-f81f-11d2-ba4b-00a0c93ec93b", guid), 0);
	assert_int_equal(guid[0], 0x28);
	assert_int_equal(guid[3], 0xC1);
	assert_int_equal(guid[15], 0x3B);
	gpt_guid_format(guid, text);
	assert_string_equal(text, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
	assert_int_equal(gpt_guid_parse("c12a7328-f81f-11d2-ba4b-00a0c93ec93", guid), -1);
	assert_int_equal(gpt_guid_parse("c12a7328-f81f-11d2-ba4b-00a0c93ec93g", guid), -1);
	assert_int_equal(gpt_guid_parse("c12a7328-f81f-11d2-ba4b+00a0c93ec93b", guid), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reads_what_the_specification_says, setup),
		cmocka_unit_test_setup(builds_the_same_bytes, setup),
		cmocka_unit_test_setup(refuses_each_fault, setup),
		cmocka_unit_test_setup(refuses_partitions_that_cannot_be, setup),
		cmocka_unit_test_setup(a_header_alone_names_its_table, setup),
		cmocka_unit_test_setup(odd_names_do_not_hurt, setup),
		cmocka_unit_test_setup(adds_behind_the_last_one, setup),
		cmocka_unit_test_setup(adds_all_that_is_left, setup),
		cmocka_unit_test_setup(fills_the_gap_of_a_deleted_one, setup),
		cmocka_unit_test_setup(refuses_to_add_nonsense, setup),
		cmocka_unit_test_setup(moves_to_a_larger_disk, setup),
		cmocka_unit_test_setup(protects_the_disk, setup),
		cmocka_unit_test_setup(guids_there_and_back, setup),
	};

	return cmocka_run_group_tests_name("gpt", tests, NULL, NULL);
}
