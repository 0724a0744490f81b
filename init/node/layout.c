/* What is missing from the disk. Run by the storage role; pure, so that every disk a person may flash to can be a unit
 * test. Never touches a disk. */
#include "node/layout.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "board.h"

#define MIB_SECTORS (UINT64_C(1048576) / GPT_SECTOR)

static const struct {
	const char *name, *type;
	uint64_t mib; /* at least, for the one that takes the rest */
	bool rest;    /* takes what is left, and only when nothing before it is missing */
} parts[LAYOUT_PARTS] = {
	[LAYOUT_SYSTEM_B] = {BOARD_PART_SYSTEM_B, BOARD_TYPE_SYSTEM, BOARD_SYSTEM_MIB, false},
	[LAYOUT_STATE] = {BOARD_PART_STATE, BOARD_TYPE_LINUX, BOARD_STATE_MIB, false},
	[LAYOUT_DATA] = {BOARD_PART_DATA, BOARD_TYPE_LINUX, BOARD_DATA_MIN_MIB, true},
};

const char *layout_part_name(enum layout_part p)
{
	return parts[p].name;
}

/* A random (version 4) id in the mixed-endian order of a GPT. */
static int make_guid(uint8_t guid[16], layout_random_fn *random, void *arg, struct err *e)
{
	if (random(guid, arg) < 0)
		return err_set(e, EIO, "no random numbers for the ids of partitions");
	guid[7] = (uint8_t)((guid[7] & 0x0F) | 0x40);
	guid[8] = (uint8_t)((guid[8] & 0x3F) | 0x80);
	return 0;
}

/* The image has a fixed id so that it can be reproduced; two boxes flashed from it must still differ. */
static int own_disk_id(struct layout *lo, struct gpt *g, layout_random_fn *random, void *arg, struct err *e)
{
	uint8_t image[16];

	if (gpt_guid_parse(BOARD_IMAGE_DISK_GUID, image) < 0 || memcmp(g->disk_guid, image, sizeof(image)) != 0)
		return 0;
	lo->changed = true;
	return make_guid(g->disk_guid, random, arg, e);
}

/* What the whole layout takes, with one MiB of alignment at each end. */
static uint64_t whole_mib(void)
{
	uint64_t mib = BOARD_ESP_MIB + BOARD_SYSTEM_MIB + 2;

	for (unsigned i = 0; i < LAYOUT_PARTS; i++)
		mib += parts[i].mib;
	return mib;
}

/* The state partition goes before a second slot: without it the box forgets who it is. */
static bool leaves_room(const struct layout *lo, const struct gpt *g, unsigned i)
{
	uint64_t need = parts[i].mib;

	if (i < LAYOUT_STATE && !lo->there[LAYOUT_STATE])
		need += parts[LAYOUT_STATE].mib;
	return gpt_room(g) >= need * MIB_SECTORS;
}

static bool all_there(const struct layout *lo, unsigned before)
{
	for (unsigned i = 0; i < before; i++) {
		if (!lo->there[i])
			return false;
	}
	return true;
}

static void add(struct layout *lo, struct gpt *g, unsigned i, const uint8_t guid[16])
{
	struct gpt_want want = {.name = parts[i].name, .type = parts[i].type, .sectors = parts[i].mib * MIB_SECTORS};

	memcpy(want.guid, guid, sizeof(want.guid));
	if (!leaves_room(lo, g, i) || (parts[i].rest && !all_there(lo, i)))
		err_set(&lo->missing[i], ENOSPC,
		        "the disk is too small for %s: it has %llu MiB and %llu MiB are needed", parts[i].name,
		        (unsigned long long)(g->sectors / MIB_SECTORS), (unsigned long long)whole_mib());
	else if (gpt_add(g, &want, &lo->part[i], &lo->missing[i]) == 0)
		lo->added[i] = lo->there[i] = lo->changed = true;
}

static void grow(struct layout *lo, struct gpt *g)
{
	struct gpt_part *p = &lo->part[LAYOUT_DATA];

	if (!lo->there[LAYOUT_DATA] || !gpt_grow(g, p->number, p))
		return;
	lo->changed = true;
	lo->grown = !lo->added[LAYOUT_DATA]; /* of a new one the kernel hears for the first time, in its full size */
}

int layout_plan(struct layout *lo, struct gpt *g, layout_random_fn *random, void *arg, struct err *e)
{
	uint8_t guid[16];

	memset(lo, 0, sizeof(*lo));
	lo->changed = gpt_fit(g);
	if (own_disk_id(lo, g, random, arg, e) < 0)
		return -1;
	for (unsigned i = 0; i < LAYOUT_PARTS; i++)
		lo->there[i] = gpt_find(g, parts[i].name, &lo->part[i]);
	for (unsigned i = 0; i < LAYOUT_PARTS; i++) {
		if (lo->there[i])
			continue;
		if (make_guid(guid, random, arg, e) < 0)
			return -1;
		add(lo, g, i, guid);
	}
	grow(lo, g);
	return 0;
}
