/* GUID partition tables as values. Used by the storage role; pure bytes, no system calls, never touches a disk. */
#include "host/gpt.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/str.h"

enum head_at {
	HEAD_SIGNATURE = 0,
	HEAD_REVISION = 8,
	HEAD_SIZE = 12,
	HEAD_CRC = 16,
	HEAD_LBA = 24,
	HEAD_OTHER = 32,
	HEAD_FIRST = 40,
	HEAD_LAST = 48,
	HEAD_GUID = 56,
	HEAD_TABLE = 72,
	HEAD_COUNT = 80,
	HEAD_ENTRY = 84,
	HEAD_TABLE_CRC = 88,
	HEAD_BYTES = 92
};

enum entry_at { ENTRY_TYPE = 0, ENTRY_GUID = 16, ENTRY_FIRST = 32, ENTRY_LAST = 40, ENTRY_ATTR = 48, ENTRY_NAME = 56 };

static const char signature[8] = {'E', 'F', 'I', ' ', 'P', 'A', 'R', 'T'};

static void put32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static void put64(uint8_t *p, uint64_t v)
{
	put32(p, (uint32_t)v);
	put32(p + 4, (uint32_t)(v >> 32));
}

/* CRC-32 of Ethernet and zip. Bit by bit: a table is 16 KiB, once per boot. */
static uint32_t crc32(const uint8_t *p, size_t n)
{
	uint32_t crc = ~UINT32_C(0);

	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (unsigned bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (UINT32_C(0xEDB88320) & (0 - (crc & 1)));
	}
	return ~crc;
}

static uint32_t head_crc(const uint8_t *head)
{
	uint8_t copy[HEAD_BYTES];

	memcpy(copy, head, sizeof(copy));
	put32(copy + HEAD_CRC, 0);
	return crc32(copy, sizeof(copy));
}

uint64_t gpt_table_lba(const uint8_t *head)
{
	return memcmp(head, signature, sizeof(signature)) == 0 ? bytes_le64(head + HEAD_TABLE) : 0;
}

static int check_head(const uint8_t *head, const uint8_t *table, uint64_t lba, struct err *e)
{
	if (memcmp(head, signature, sizeof(signature)) != 0)
		return err_set(e, EINVAL, "no partition table at sector %llu", (unsigned long long)lba);
	if (bytes_le32(head + HEAD_REVISION) != 0x10000 || bytes_le32(head + HEAD_SIZE) != HEAD_BYTES)
		return err_set(e, EINVAL, "partition table header of an unknown kind");
	if (head_crc(head) != bytes_le32(head + HEAD_CRC))
		return err_set(e, EINVAL, "the checksum of the partition table header is wrong");
	if (bytes_le64(head + HEAD_LBA) != lba)
		return err_set(e, EINVAL, "the partition table header belongs to another place");
	if (bytes_le32(head + HEAD_COUNT) != GPT_ENTRIES || bytes_le32(head + HEAD_ENTRY) != GPT_ENTRY)
		return err_set(e, EINVAL, "a partition table of %u entries of %u bytes; %u of %u are supported",
		               bytes_le32(head + HEAD_COUNT), bytes_le32(head + HEAD_ENTRY), GPT_ENTRIES, GPT_ENTRY);
	if (crc32(table, GPT_TABLE) != bytes_le32(head + HEAD_TABLE_CRC))
		return err_set(e, EINVAL, "the checksum of the partition entries is wrong");
	return 0;
}

static bool used(const uint8_t *entry)
{
	static const uint8_t none[16];

	return memcmp(entry + ENTRY_TYPE, none, sizeof(none)) != 0;
}

/* The last sector in front of the backup table. */
static uint64_t end_of_room(const struct gpt *g)
{
	return g->sectors - 2 - GPT_TABLE_SECTORS;
}

static int check_parts(const struct gpt *g, struct err *e)
{
	struct gpt_part a, b;

	if (g->first_usable < 2 + GPT_TABLE_SECTORS || g->first_usable >= g->sectors)
		return err_set(e, EINVAL, "the partition table says that nothing of the disk is usable");
	for (unsigned i = 0; i < GPT_ENTRIES; i++) {
		if (!gpt_get(g, i, &a))
			continue;
		if (a.first > a.last || a.first < 2 + GPT_TABLE_SECTORS || a.last > end_of_room(g))
			return err_set(e, EINVAL, "partition %u does not lie inside the disk", a.number);
		for (unsigned j = 0; j < i; j++) {
			if (gpt_get(g, j, &b) && a.first <= b.last && b.first <= a.last)
				return err_set(e, EINVAL, "partitions %u and %u overlap", b.number, a.number);
		}
	}
	return 0;
}

int gpt_parse(struct gpt *g, const uint8_t *head, const uint8_t *table, uint64_t lba, uint64_t sectors, struct err *e)
{
	if (check_head(head, table, lba, e) < 0)
		return -1;
	if (sectors < GPT_MIN_SECTORS)
		return err_set(e, EINVAL, "the disk is too small for a partition table");
	g->sectors = sectors;
	g->first_usable = bytes_le64(head + HEAD_FIRST);
	g->last_usable = bytes_le64(head + HEAD_LAST);
	memcpy(g->disk_guid, head + HEAD_GUID, sizeof(g->disk_guid));
	memcpy(g->entry, table, sizeof(g->entry));
	return check_parts(g, e);
}

bool gpt_fit(struct gpt *g)
{
	bool fits = g->last_usable == end_of_room(g);

	g->last_usable = end_of_room(g);
	return !fits;
}

void gpt_build(const struct gpt *g, uint64_t lba, uint8_t head[GPT_SECTOR])
{
	uint64_t last = g->sectors - 1;

	memset(head, 0, GPT_SECTOR);
	memcpy(head + HEAD_SIGNATURE, signature, sizeof(signature));
	put32(head + HEAD_REVISION, 0x10000);
	put32(head + HEAD_SIZE, HEAD_BYTES);
	put64(head + HEAD_LBA, lba);
	put64(head + HEAD_OTHER, lba == 1 ? last : 1);
	put64(head + HEAD_FIRST, g->first_usable);
	put64(head + HEAD_LAST, g->last_usable);
	memcpy(head + HEAD_GUID, g->disk_guid, sizeof(g->disk_guid));
	put64(head + HEAD_TABLE, lba == 1 ? 2 : last - GPT_TABLE_SECTORS);
	put32(head + HEAD_COUNT, GPT_ENTRIES);
	put32(head + HEAD_ENTRY, GPT_ENTRY);
	put32(head + HEAD_TABLE_CRC, crc32(g->entry, sizeof(g->entry)));
	put32(head + HEAD_CRC, head_crc(head));
}

void gpt_build_mbr(const struct gpt *g, uint8_t mbr[GPT_SECTOR])
{
	uint64_t size = g->sectors - 1;
	static const uint8_t protect[8] = {0x00, 0x00, 0x02, 0x00, 0xEE, 0xFF, 0xFF, 0xFF};

	memset(mbr + 446, 0, 64);
	memcpy(mbr + 446, protect, sizeof(protect));
	put32(mbr + 454, 1);
	put32(mbr + 458, size > UINT32_MAX ? UINT32_MAX : (uint32_t)size);
	mbr[510] = 0x55;
	mbr[511] = 0xAA;
}

bool gpt_get(const struct gpt *g, unsigned index, struct gpt_part *p)
{
	const uint8_t *entry = g->entry + (size_t)index * GPT_ENTRY;

	if (index >= GPT_ENTRIES || !used(entry))
		return false;
	p->number = index + 1;
	memcpy(p->type, entry + ENTRY_TYPE, sizeof(p->type));
	memcpy(p->guid, entry + ENTRY_GUID, sizeof(p->guid));
	p->first = bytes_le64(entry + ENTRY_FIRST);
	p->last = bytes_le64(entry + ENTRY_LAST);
	p->attributes = bytes_le64(entry + ENTRY_ATTR);
	for (unsigned i = 0; i < GPT_NAME - 1; i++) {
		const uint8_t *unit = entry + ENTRY_NAME + 2 * (size_t)i;
		bool ascii = unit[1] == 0 && (unit[0] == 0 || (unit[0] >= ' ' && unit[0] < 0x7F));
		p->name[i] = ascii ? (char)unit[0] : '?';
		if (p->name[i] == '\0')
			break;
	}
	p->name[GPT_NAME - 1] = '\0';
	return true;
}

bool gpt_find(const struct gpt *g, const char *name, struct gpt_part *p)
{
	for (unsigned i = 0; i < GPT_ENTRIES; i++) {
		if (gpt_get(g, i, p) && str_eq(p->name, name))
			return true;
	}
	return false;
}

static uint64_t align_up(uint64_t sector)
{
	return (sector + GPT_ALIGN - 1) / GPT_ALIGN * GPT_ALIGN;
}

/* The last sector of a partition that ends on an alignment border not behind the usable room; 0 when there is none. */
static uint64_t aligned_end(const struct gpt *g)
{
	return (end_of_room(g) + 1) / GPT_ALIGN * GPT_ALIGN - 1;
}

static uint8_t *free_entry(struct gpt *g)
{
	for (unsigned i = 0; i < GPT_ENTRIES; i++) {
		if (!used(g->entry + (size_t)i * GPT_ENTRY))
			return g->entry + (size_t)i * GPT_ENTRY;
	}
	return NULL;
}

/* The last sector in front of the next partition behind `from`, or of the usable room. */
static uint64_t free_until(const struct gpt *g, uint64_t from)
{
	struct gpt_part p;
	uint64_t end = aligned_end(g);

	for (unsigned i = 0; i < GPT_ENTRIES; i++) {
		if (gpt_get(g, i, &p) && p.last >= from && p.first <= end)
			end = p.first > from ? p.first - 1 : from - 1;
	}
	return end;
}

struct gap {
	uint64_t first, sectors;
};

/* The gap that starts at the first border from `from` on, kept in *best when it is nearer to what is wanted: the first
 * one with `sectors`, or the largest for 0. */
static void try_gap(const struct gpt *g, uint64_t from, uint64_t sectors, struct gap *best)
{
	uint64_t first = align_up(from > g->first_usable ? from : g->first_usable);
	uint64_t end = first < g->sectors ? free_until(g, first) : 0;
	struct gap gap = {first, end >= first && end < g->sectors ? end - first + 1 : 0};

	if (gap.sectors == 0 || gap.sectors < sectors)
		return;
	if (best->sectors == 0 || (sectors > 0 ? gap.first < best->first : gap.sectors > best->sectors))
		*best = gap;
}

static struct gap find_gap(const struct gpt *g, uint64_t sectors)
{
	struct gap best = {0, 0};
	struct gpt_part p;

	try_gap(g, 0, sectors, &best);
	for (unsigned i = 0; i < GPT_ENTRIES; i++) {
		if (gpt_get(g, i, &p))
			try_gap(g, p.last + 1, sectors, &best);
	}
	return best;
}

uint64_t gpt_room(const struct gpt *g)
{
	return find_gap(g, 0).sectors;
}

int gpt_add(struct gpt *g, const struct gpt_want *want, struct gpt_part *p, struct err *e)
{
	uint8_t *entry = free_entry(g);
	struct gap gap = find_gap(g, want->sectors);
	uint64_t sectors = want->sectors > 0 ? want->sectors : gap.sectors;
	uint8_t type[16];

	if (gpt_guid_parse(want->type, type) < 0 || strlen(want->name) >= GPT_NAME)
		return err_set(e, EINVAL, "%s: not a partition that can be made", want->name);
	if (!entry)
		return err_set(e, ENOSPC, "%s: all %u partition entries are taken", want->name, GPT_ENTRIES);
	if (gap.sectors == 0)
		return err_set(e, ENOSPC, "%s: %llu MiB are needed and %llu MiB are free in one piece", want->name,
		               (unsigned long long)(want->sectors / GPT_ALIGN),
		               (unsigned long long)(gpt_room(g) / GPT_ALIGN));
	memset(entry, 0, GPT_ENTRY);
	memcpy(entry + ENTRY_TYPE, type, sizeof(type));
	memcpy(entry + ENTRY_GUID, want->guid, sizeof(want->guid));
	put64(entry + ENTRY_FIRST, gap.first);
	put64(entry + ENTRY_LAST, gap.first + sectors - 1);
	put64(entry + ENTRY_ATTR, GPT_FRESH);
	for (size_t i = 0; want->name[i]; i++)
		entry[ENTRY_NAME + 2 * i] = (uint8_t)want->name[i];
	gpt_get(g, (unsigned)((entry - g->entry) / GPT_ENTRY), p);
	return 0;
}

bool gpt_grow(struct gpt *g, unsigned number, struct gpt_part *p)
{
	if (number < 1 || !gpt_get(g, number - 1, p))
		return false;
	/* What ends in the middle of a MiB may have less than one behind it: then there is nothing to gain. */
	uint64_t end = (free_until(g, p->last + 1) + 1) / GPT_ALIGN * GPT_ALIGN - 1;
	if (end >= g->sectors || end < p->last || end - p->last < GPT_ALIGN)
		return false;
	put64(g->entry + (size_t)(number - 1) * GPT_ENTRY + ENTRY_LAST, end);
	p->last = end;
	return true;
}

void gpt_set_attributes(struct gpt *g, unsigned number, uint64_t attributes)
{
	if (number >= 1 && number <= GPT_ENTRIES)
		put64(g->entry + (size_t)(number - 1) * GPT_ENTRY + ENTRY_ATTR, attributes);
}

/* Byte of the GUID that each pair of digits in the text stands for: the first three groups are little-endian. */
static const uint8_t guid_order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int gpt_guid_parse(const char *text, uint8_t guid[16])
{
	if (strlen(text) != GPT_GUID_TEXT - 1)
		return -1;
	for (unsigned i = 0; i < 16; i++) {
		if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
			return -1;
		int high = hex_digit(text[0]), low = hex_digit(text[1]);
		if (high < 0 || low < 0)
			return -1;
		guid[guid_order[i]] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	return 0;
}

void gpt_guid_format(const uint8_t guid[16], char text[GPT_GUID_TEXT])
{
	static const char digit[] = "0123456789abcdef";

	for (unsigned i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*text++ = '-';
		*text++ = digit[guid[guid_order[i]] >> 4];
		*text++ = digit[guid[guid_order[i]] & 15];
	}
	*text = '\0';
}
