/* Which partition is the root, of those whose verity superblock has the right UUID. Pure.
 *
 * More than one is usual when both slots hold the same image; then the boot loader's choice decides. On two disks
 * nobody here can know which one is meant. */
#ifndef HEARTH_BOOT_CANDIDATE_H
#define HEARTH_BOOT_CANDIDATE_H

#include "base/err.h"
#include "host/disk.h"

struct candidate {
	const char *name;     /* "vda2" */
	char disk[DISK_NAME]; /* "vda"; "" when it is not known */
	char slot;            /* by the partition's name: 'a', 'b'; '\0': it has another one, or none */
};

/* 'a' for BOARD_PART_SYSTEM_A, 'b' for BOARD_PART_SYSTEM_B, '\0' for any other. */
char candidate_slot(const char *label);
/* wanted: the slot that was chosen by the loader, '\0' when nobody says. count: at least 1. code ENOTUNIQ: they are on
 * two disks, or it is not said which one of them it is. */
MUST_CHECK int candidate_choose(const struct candidate *c, unsigned count, char wanted, unsigned *which, struct err *e);

#endif
