/* The boot entries: one UKI per slot in PATH_ESP_ENTRIES, whose file name is the one record of the slot's state.
 *
 *   hearth-GGGG-S.efi        good: it proved itself
 *   hearth-GGGG-S+L.efi      on trial, L tries left; hearth-GGGG-S+L-D.efi: and D used
 *   hearth-GGGG-S+0-D.efi    bad: no tries left
 *
 * GGGG is a generation: at least four digits, no more zeroes in front than that needs. Whatever shall boot next gets
 * the highest plus one. S is a or b. Counting is systemd-boot's (UAPI group, Automatic Boot Assessment): the loader
 * takes the highest generation that is not bad and counts its tries at each start, in the name; where all are bad, it
 * takes the highest generation all the same. Names of any other shape are somebody else's: never counted, renamed or
 * removed.
 *
 * A slot may have several entries: somebody copied one, or a power cut hit a change of its name. host/bootenv_change
 * writes the new one beside the old one before that goes, so there may be both, each whole by itself. A plain rename
 * has FAT write the new name for an empty file, then make it the same file as the old one, then take the old name away
 * (in this order: that is how the ESP is mounted): there may be an empty one, which the loader does not see and which
 * counts for nothing here, or one file under two names, of which no operation here puts one over the other. Of several
 * that count the highest generation is the slot's; of one generation a good one before a trial before a bad one, then
 * more tries left, then fewer used.
 *
 * The first part is pure. The second blocks on a disk: for roles, never for PID 1. */
#ifndef HEARTH_HOST_BOOTENV_H
#define HEARTH_HOST_BOOTENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"

#define BOOTENV_NAME    64 /* the longest name of ours and the end: three numbers of BOOTENV_DIGITS */
#define BOOTENV_ENTRIES 16 /* two, and what people and power cuts leave */
#define BOOTENV_DIGITS  9
#define BOOTENV_MOST    999999999u
#define BOOTENV_SLOTS   2

enum bootenv_state { BOOTENV_EMPTY, BOOTENV_GOOD, BOOTENV_TRIAL, BOOTENV_BAD };

struct bootenv_entry {
	char slot; /* 'a' or 'b' */
	bool counted;
	bool empty; /* no bytes in it */
	uint32_t generation;
	uint32_t left, used;     /* 0 unless counted */
	char name[BOOTENV_NAME]; /* as it was found */
};

struct bootenv {
	struct bootenv_entry entry[BOOTENV_ENTRIES];
	unsigned count;
};

/* 0, or -1 when the name is not of the shape above (*en is then undefined). */
MUST_CHECK int bootenv_parse(struct bootenv_entry *en, const char *name);
/* Writes en->name from the other fields. -1: a number is out of range, or no such slot. */
MUST_CHECK int bootenv_name(struct bootenv_entry *en);
/* EFI variable LoaderEntrySelected as efivarfs gives it: four bytes of attributes, the entry's name in UTF-16LE without
 * its counter, a zero. *en gets slot and generation. -1: not an entry of ours. */
MUST_CHECK int bootenv_selected(struct bootenv_entry *en, const uint8_t *data, size_t len);
/* "a" or "b". */
bool bootenv_is_slot(const char *s);
char bootenv_other(char slot);
char bootenv_slot(unsigned index); /* 0: 'a' */

/* en: NULL for a slot without entry. */
enum bootenv_state bootenv_state(const struct bootenv_entry *en);
const char *bootenv_state_name(enum bootenv_state s); /* "good", "trial", "bad", "empty" */
/* The boot loader starts it before any bad one. en: or NULL. */
bool bootenv_starts(const struct bootenv_entry *en);
/* Does a run of en have something to prove? Also without a try left, beside a good other one: it is the last try, or
 * somebody has chosen a bad one in the boot menu. Either may be NULL. */
bool bootenv_on_trial(const struct bootenv_entry *en, const struct bootenv_entry *other);
/* What it would be as a bad one: no try left. The name is not written. */
struct bootenv_entry bootenv_as_bad(const struct bootenv_entry *en);
/* The entry that counts for a slot, or NULL. */
const struct bootenv_entry *bootenv_of(const struct bootenv *b, char slot);
/* The highest of all entries plus one, 1 for none. BOOTENV_MOST + 1 has no name: bootenv_name refuses it. */
uint32_t bootenv_next_generation(const struct bootenv *b);

/* ---- these block ---- */

/* Where a file of the folder is. */
MUST_CHECK int bootenv_path(const char *name, char path[LIMIT_PATH], struct err *e);
/* All entries of ours. code E2BIG: more than BOOTENV_ENTRIES. The ESP need not be mounted writable; that it is mounted
 * at all is checked (code ENOENT). */
MUST_CHECK int bootenv_read(struct bootenv *b, struct err *e);
/* Makes the ESP writable; every caller calls bootenv_lock after, also when what it wanted to do failed. */
MUST_CHECK int bootenv_unlock(struct err *e);
/* Read-only again. A failure is logged only: what was done is done. */
void bootenv_lock(void);
/* Renames `from` to what *to says (its name is written here) and flushes the folder. For a file that is no entry yet,
 * or where there is no room for another: on a disk that loses what is in its cache, a power cut can take both names
 * away, when they lie in different sectors of the folder. An entry is changed by bootenv_change. code EEXIST: there is
 * a file of that name that is not empty. */
MUST_CHECK int bootenv_rename(const struct bootenv_entry *from, struct bootenv_entry *to, struct err *e);
/* Removes one file of the folder; 0 also when it is not there. Its name is off the disk before its clusters are free: a
 * power cut leaves no name that leads nowhere. */
MUST_CHECK int bootenv_unlink(const char *name, struct err *e);
/* Removes every entry of the slot and flushes the folder; 0 also when there was none. Of one file under two names the
 * second frees what is free already, at which the kernel makes a FAT read-only: the ESP is writable again afterwards.
 * Nothing else may be written there in the meantime, and such a name is never removed alone. First the record of the
 * slot's copy goes (node/esp.h), or the next boot would put the entry back. */
MUST_CHECK int bootenv_remove(const struct bootenv *b, char slot, struct err *e);
/* Flushes the folder. */
MUST_CHECK int bootenv_flush(struct err *e);
/* What the boot loader started, from PATH_EFI_SELECTED; efivarfs must be mounted. code ENOENT: no such loader. */
MUST_CHECK int bootenv_loader(struct bootenv_entry *en, struct err *e);
/* Which slot runs, as stage 1 found out and PID 1 noted in PATH_RUN_SLOT. code ENOENT: nobody knows. */
MUST_CHECK int bootenv_running(char *slot, struct err *e);

#endif
