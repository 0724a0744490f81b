/* An entry becomes another one (good, bad, the next to start), and there is no moment at which its slot has none.
 *
 * A rename on FAT is two writes: the new name, and the old one away. The disk may keep both in its cache and lose the
 * first alone, when they lie in different sectors of the folder. So the entry is copied instead:
 *
 *   leftovers go   what an earlier change of this slot left: an entry that does not count, a copy that is not one yet
 *   hearth-S.copy  the bytes, flushed: not an entry, so nothing boots it
 *   the new name   by rename, flushed: both are entries now, and either boots the slot
 *   the old name   away, flushed; only then are its clusters free
 *
 * Cut off behind the third step both are there. What counts is decided as ever (bootenv_of): one that becomes good or
 * gets a higher generation has done so, one that becomes bad has not yet; the other goes with the next change, or at
 * once with the next `hearth slot good`. The loader may start and count either: they are the same bytes.
 *
 * Where a copy cannot be made (no room, or the old one cannot be read), the entry is renamed as it is, and the log
 * says so: a slot that cannot be confirmed or marked bad any more would be worse.
 *
 * What this cannot help: the loader's own counting is a rename by the firmware, which takes the old name away first.
 * Usually the new one gets the same place (equally long names), so it is one sector.
 *
 * Blocks on a disk: for roles and stage 1, never for PID 1. The ESP must be writable (bootenv_unlock). */
#ifndef HEARTH_HOST_BOOTENV_CHANGE_H
#define HEARTH_HOST_BOOTENV_CHANGE_H

#include <stdbool.h>

#include "base/err.h"
#include "host/bootenv.h"

/* from: the entry of b that counts for its slot. *to: what it becomes; its name is written here. 0: the new name is on
 * the disk and the old one is not. -1: one of both is there, or both. code ERANGE: no name for that; code EEXIST: that
 * name is taken by one that shares its bytes with another, which the check at the next boot takes apart. */
MUST_CHECK int bootenv_change(const struct bootenv *b, const struct bootenv_entry *from, struct bootenv_entry *to,
                              struct err *e);
/* Is there something of keep's slot that bootenv_sweep would remove? Needs no writable ESP. */
bool bootenv_has_leftovers(const struct bootenv *b, const struct bootenv_entry *keep);
/* Removes all other entries of keep's slot, and what is left of a copy. What shares its bytes with another file stays,
 * as does what may: removing it would free what the other one needs. A failure is logged only. */
void bootenv_sweep(const struct bootenv *b, const struct bootenv_entry *keep);

#endif
