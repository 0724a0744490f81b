/* What the boot loader says of the start it has just made, in its EFI variables: stage 1 knows it before any disk is
 * mounted. A new version that cannot mount them is on trial all the same then (boot/trial). The one record of a slot's
 * state is its boot entry on the ESP; once that can be read, it counts. */
#ifndef HEARTH_BOOT_TRIES_H
#define HEARTH_BOOT_TRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "host/bootenv.h"

/* Pure. EFI variable LoaderBootCountPath as efivarfs gives it: four bytes of attributes, the path of the entry with its
 * counter in UTF-16LE, this start counted already, a zero. -1: not an entry of ours. */
MUST_CHECK int tries_counted(struct bootenv_entry *en, const uint8_t *data, size_t len);
/* Pure. EFI variable LoaderEntries: attributes, then the names of all entries without counters, a zero behind each. */
bool tries_lists(char slot, const uint8_t *data, size_t len);
/* Pure. This start was one of the tries of a new slot. The last one leaves none, and the loader's next choice is the
 * other slot; an entry that was bad already has more uses than there are tries. */
bool tries_is_trial(const struct bootenv_entry *en);

/* *left: tries that are left when the loader started the entry `started` on trial, and there is an entry of the other
 * slot. efivarfs must be mounted. code ENOENT: no trial, or nowhere to go back to. */
MUST_CHECK int tries_read(const struct bootenv_entry *started, unsigned *left, struct err *e);

#endif
