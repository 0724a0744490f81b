/* host/gpt: a table that parses builds back to itself, and stays sound when it is fitted, added to and grown.
 *
 * Input: uint64 sectors, one byte (odd: backup copy), 92 bytes of header, entries. Sums that only a random hit would
 * get past are put right here first, unless the byte's next bit says to leave them. */
#include <string.h>

#include "fuzz/check.h"
#include "host/gpt.h"

#define HEAD_BYTES 92

static uint8_t head[GPT_SECTOR], table[GPT_TABLE];

static uint32_t crc32(const uint8_t *p, size_t n)
{
	uint32_t crc = ~UINT32_C(0);

	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xEDB88320) : 0);
	}
	return ~crc;
}

static void put_right(uint64_t lba)
{
	uint32_t crc = crc32(table, sizeof(table));

	memcpy(head + 24, &lba, sizeof(lba));
	memcpy(head + 88, &crc, sizeof(crc));
	memset(head + 16, 0, 4);
	crc = crc32(head, HEAD_BYTES);
	memcpy(head + 16, &crc, sizeof(crc));
}

static void check_parts(const struct gpt *g)
{
	struct gpt_part a, b;

	for (unsigned i = 0; i < GPT_ENTRIES; i++) {
		if (!gpt_get(g, i, &a))
			continue;
		FUZZ_CHECK(a.number == i + 1 && a.first <= a.last && a.first > 1 && a.last < g->sectors - 1);
		for (unsigned j = 0; j < i; j++)
			FUZZ_CHECK(!gpt_get(g, j, &b) || a.last < b.first || b.last < a.first);
	}
}

/* What is built parses to the same table, from both places. */
static void check_builds(const struct gpt *g)
{
	static struct gpt again;
	static uint8_t first[GPT_SECTOR], second[GPT_SECTOR];
	struct err e = {0};

	check_parts(g);
	for (unsigned copy = 0; copy < 2; copy++) {
		uint64_t lba = copy ? g->sectors - 1 : 1;
		gpt_build(g, lba, first);
		memset(&again, 0, sizeof(again));
		FUZZ_CHECK(gpt_parse(&again, first, g->entry, lba, g->sectors, &e) == 0);
		FUZZ_CHECK(memcmp(&again, g, sizeof(again)) == 0);
		gpt_build(&again, lba, second);
		FUZZ_CHECK(memcmp(first, second, sizeof(first)) == 0);
	}
}

/* A header as every tool writes it comes back byte for byte. */
static void check_same_bytes(const struct gpt *g, uint64_t lba)
{
	uint8_t built[GPT_SECTOR];
	uint64_t other = lba == 1 ? g->sectors - 1 : 1;
	uint64_t entries = lba == 1 ? 2 : g->sectors - 1 - GPT_TABLE_SECTORS;
	static const uint8_t reserved[4];
	uint64_t named;

	memcpy(&named, head + 32, sizeof(named));
	if (named != other || gpt_table_lba(head) != entries || memcmp(head + 20, reserved, 4) != 0)
		return;
	gpt_build(g, lba, built);
	FUZZ_CHECK(memcmp(built, head, HEAD_BYTES) == 0);
}

static void check_changes(struct gpt *g)
{
	struct gpt_want want = {"data", "0fc63daf-8483-4772-8e79-3d69d8477de4", 4096, {1}};
	struct gpt_part p, q;
	struct err e = {0};

	gpt_fit(g);
	check_builds(g);
	for (unsigned i = 0; i < GPT_ENTRIES; i++) {
		if (gpt_grow(g, i + 1, &p))
			check_builds(g);
	}
	for (unsigned round = 0; round < 2; round++, want.sectors = 0) {
		if (gpt_add(g, &want, &p, &e) < 0)
			continue;
		FUZZ_CHECK(gpt_get(g, p.number - 1, &q) && memcmp(&p, &q, sizeof(p.guid)) == 0);
		FUZZ_CHECK(p.attributes == GPT_FRESH && p.first % GPT_ALIGN == 0 && p.last >= p.first);
		FUZZ_CHECK(p.last <= g->last_usable && p.first >= g->first_usable);
		gpt_set_attributes(g, p.number, 0);
		check_builds(g);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gpt g;
	struct err e = {0};
	uint64_t sectors;

	if (size < sizeof(sectors) + 1 + HEAD_BYTES)
		return 0;
	memcpy(&sectors, data, sizeof(sectors));
	sectors &= UINT64_MAX >> 9; /* a disk's size in bytes fits into 64 bits */
	uint8_t how = data[8];
	uint64_t lba = how & 1 ? sectors - 1 : 1;
	size_t rest = size - 9 - HEAD_BYTES;
	memset(head, 0, sizeof(head));
	memset(table, 0, sizeof(table));
	memset(&g, 0, sizeof(g));
	memcpy(head, data + 9, HEAD_BYTES);
	memcpy(table, data + 9 + HEAD_BYTES, rest < sizeof(table) ? rest : sizeof(table));
	if (!(how & 2))
		put_right(lba);
	if (gpt_parse(&g, head, table, lba, sectors, &e) < 0) {
		FUZZ_CHECK(e.code != 0 && e.text[0]);
		return 0;
	}
	check_same_bytes(&g, lba);
	check_builds(&g);
	check_changes(&g);
	return 0;
}
