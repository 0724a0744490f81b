/* The slot role: changes what the boot loader does next, by another name of an entry (host/bootenv_change).
 *
 *   hearth slot good    the running slot has proved itself: its entry loses the try counter
 *   hearth slot bad S   the loader prefers every other entry; a slot that is bad already, or empty, stays so
 *   hearth slot next S  the loader starts S next: its entry gets the highest generation plus one; a bad one becomes a
 *                       fresh trial, a good one stays good, a trial keeps its tries
 *   hearth slot tell    changes nothing
 *
 * Each may be said again and cut anywhere: there is an entry of the old name, of the new one, or both, and the next of
 * these words takes away what is too much. The ESP is writable only for that moment. Afterwards PID 1 is told (facts
 * slot-other, trial-boot and slot-failed, PATH_RUN_SLOTS). */
#ifndef HEARTH_NODE_SLOT_H
#define HEARTH_NODE_SLOT_H

#include "base/err.h"
#include "host/bootenv.h"
#include "host/slots.h"

/* Exit codes as base/exit.h; nothing to do is success. */
int slot_main(int argc, char **argv);

/* Pure. What the running slot's entry means for PID 1: sentences for the facts trial-boot and slot-failed, "" for off.
 * As long as there is a good slot to go to, a start of one without a try left is a trial, too: it is the last try, or
 * somebody has chosen a bad one in the boot menu. en: NULL when the running slot has no entry (a kernel
 * started by other means); other: the other slot's, or NULL. */
void slot_sentences(const struct bootenv_entry *en, const struct bootenv_entry *other, char *trial, char *failed,
                    size_t cap);
/* The version that an update has put there; "": no record, no state partition yet, or nonsense in it. */
void slot_version(char slot, char version[SLOTS_VERSION]);
/* Reads the entries; tells PID 1 the facts, when facts is true, and writes PATH_RUN_SLOTS. For the storage role: once
 * the ESP is mounted, and again without the facts when the state, which knows the versions, is there too. */
MUST_CHECK int slot_tell(bool facts, struct err *e);

#endif
