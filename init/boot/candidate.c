/* Choosing the root's partition; see candidate.h. Used by stage 1. */
#include "boot/candidate.h"

#include <errno.h>

#include "base/str.h"
#include "board.h"

char candidate_slot(const char *label)
{
	if (str_eq(label, BOARD_PART_SYSTEM_A))
		return 'a';
	return str_eq(label, BOARD_PART_SYSTEM_B) ? 'b' : '\0';
}

static bool on_one_disk(const struct candidate *c, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (c[i].disk[0] == '\0' || !str_eq(c[i].disk, c[0].disk))
			return false;
	}
	return true;
}

int candidate_choose(const struct candidate *c, unsigned count, char wanted, unsigned *which, struct err *e)
{
	unsigned fit = 0;

	*which = 0;
	if (count == 1)
		return 0;
	if (!on_one_disk(c, count))
		return err_set(e, ENOTUNIQ, "two partitions claim to be the root: %s and %s; unplug one of the disks",
		               c[0].name, c[1].name);
	for (unsigned i = 0; i < count && wanted != '\0'; i++) {
		if (c[i].slot != wanted)
			continue;
		*which = i;
		fit++;
	}
	if (fit == 1)
		return 0;
	return err_set(e, ENOTUNIQ,
	               "two partitions claim to be the root: %s and %s; the boot loader says nothing of a slot",
	               c[0].name, c[1].name);
}
