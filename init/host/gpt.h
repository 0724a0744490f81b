/* GUID partition tables as values: parse, look up, add, grow, build. Pure: bytes in, bytes out, no descriptors.
 *
 * A table is kept as the 128 raw entries plus the few header fields that matter, so whatever we do not know
 * (other people's partitions, names in any script) goes back to the disk byte for byte. Only the layout that
 * every tool writes is accepted: 512-byte sectors, 128 entries of 128 bytes, entries behind the primary header
 * and before the backup header. The order of writing is in host/disk: backup first, then primary.
 *
 * GPT_FRESH is our own attribute bit (56; bits 48-63 belong to the partition type's owner). It is set when we
 * create a partition and cleared when its new file system is complete (a slot keeps it until an update fills it), and
 * a file system is made only while it is set. So a power cut during the first boot is repeated safely, and no existing
 * data is ever formatted. */
#ifndef HEARTH_HOST_GPT_H
#define HEARTH_HOST_GPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define GPT_SECTOR        512u
#define GPT_ENTRIES       128u
#define GPT_ENTRY         128u
#define GPT_TABLE         16384 /* GPT_ENTRIES * GPT_ENTRY */
#define GPT_TABLE_SECTORS 32
#define GPT_MIN_SECTORS   68    /* MBR, two headers and tables, and next to nothing between them */
#define GPT_ALIGN         2048u /* sectors: 1 MiB, right for every flash and 4K disk */
#define GPT_NAME          37    /* 36 UTF-16 units and the end */
#define GPT_GUID_TEXT     37
#define GPT_FRESH         (UINT64_C(1) << 56)

struct gpt {
	uint64_t sectors;      /* of the disk; the backup header's place is the last one */
	uint64_t first_usable; /* as found */
	uint64_t last_usable;
	uint8_t disk_guid[16];
	uint8_t entry[GPT_TABLE];
};

struct gpt_part {
	unsigned number; /* 1-based, as in vda3 */
	uint8_t type[16];
	uint8_t guid[16];
	uint64_t first, last; /* sectors, inclusive */
	uint64_t attributes;
	char name[GPT_NAME]; /* characters beyond ASCII come out as '?' */
};

/* What to add; sectors 0: the largest piece that is free. */
struct gpt_want {
	const char *name;
	const char *type; /* GUID text */
	uint64_t sectors;
	uint8_t guid[16]; /* unique id of the new partition */
};

/* Checks signature, sizes, both CRCs, header place and that partitions lie inside and apart. head is the sector
 * read at `lba`, table the GPT_TABLE bytes of its entries, sectors the real size of the disk. */
MUST_CHECK int gpt_parse(struct gpt *g, const uint8_t *head, const uint8_t *table, uint64_t lba, uint64_t sectors,
                         struct err *e);
/* First sector of the entries that a header names, for reading them; 0 when it is no GPT header. */
uint64_t gpt_table_lba(const uint8_t *head);
/* Takes the table over to a disk of this size: last usable sector and backup move to its end; true when that changed
 * something. */
bool gpt_fit(struct gpt *g);
/* Header for `lba` (1, or sectors - 1) with both CRCs. */
void gpt_build(const struct gpt *g, uint64_t lba, uint8_t head[GPT_SECTOR]);
/* Protective MBR for a disk of this size: keeps the boot code, writes the one 0xEE partition. */
void gpt_build_mbr(const struct gpt *g, uint8_t mbr[GPT_SECTOR]);

/* Fills *p for entry index 0..127; false when the entry is empty. */
bool gpt_get(const struct gpt *g, unsigned index, struct gpt_part *p);
bool gpt_find(const struct gpt *g, const char *name, struct gpt_part *p);
/* Sectors that a partition added now could have at most: the largest gap. */
uint64_t gpt_room(const struct gpt *g);
/* Adds in the first gap where it fits, aligned, marked GPT_FRESH; *p gets the result. */
MUST_CHECK int gpt_add(struct gpt *g, const struct gpt_want *want, struct gpt_part *p, struct err *e);
/* Lets partition `number` reach the next one or the end of the disk, when at least GPT_ALIGN sectors are free behind
 * it; true when it grew. */
bool gpt_grow(struct gpt *g, unsigned number, struct gpt_part *p);
void gpt_set_attributes(struct gpt *g, unsigned number, uint64_t attributes);

/* GUID text to the mixed-endian bytes of a GPT, and back (lower case). */
MUST_CHECK int gpt_guid_parse(const char *text, uint8_t guid[16]);
void gpt_guid_format(const uint8_t guid[16], char text[GPT_GUID_TEXT]);

#endif
