/* What the boot partition must hold, and its repair from copies.
 *
 *   EFI/BOOT/BOOTX64.EFI, loader/loader.conf   the copies are in the root, PATH_LOADER, verified like all of it;
 *                                              PATH_DATA_ESP/NAME.sum is the SHA-256 of what is in place: another
 *                                              version than the root's is no damage, and a new slot changes no loader
 *   the boot entries of the slots              the copies are PATH_DATA_ESP/SLOT.efi; SLOT says which entry it is of
 * and its SHA-256: "hearth-0001-a.efi 64-DIGITS"
 *
 * A copy is taken of a good entry and counts for its generation: a newer entry is left alone until it is good. Whoever
 * removes a slot's entries on purpose removes the record first (bootenv_remove), so no half-written slot comes back to
 * life.
 *
 * When what is looked at:
 *   at once   by the storage role, before PATH_DATA is told: the loader's files whole, the boot entries by name and
 *             size. All of it whole when the check of the file system found something. That is so after a power cut
 *             while it was writable, for then FAT is marked dirty; at any other time nothing is written there.
 *   confirm   `hearth esp`: a good entry that has no copy gets one
 *   later     `hearth esp check`, when the start is over, at idle priority: entries and copies whole
 * The boot entries have 8 MiB each: read at once they would hold up the start from a slow stick by a second (to hash
 * them takes 5 ms each), for what hardly ever happens: bytes that went bad at rest.
 *
 * Every step may be cut: a file is written beside its place, flushed and renamed; copy before record. Who writes has
 * its turn (host/turn.h). */
#ifndef HEARTH_NODE_ESP_H
#define HEARTH_NODE_ESP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "format/sha256.h"
#include "host/bootenv.h"

struct esp_record {
	struct bootenv_entry entry;
	uint8_t digest[SHA256_BYTES];
};

#define ESP_RECORD (BOOTENV_NAME + 2 * SHA256_BYTES + 2)

/* How closely. */
enum esp_look { ESP_SIZES, ESP_WHOLE };

/* The role: `hearth esp` copies, `hearth esp check` repairs and copies. */
int esp_main(int argc, char **argv);

/* Pure. The line with its line break; 0 or -1. */
MUST_CHECK int esp_record_parse(struct esp_record *r, const char *text, size_t len);
MUST_CHECK int esp_record_format(const struct esp_record *r, struct buf *b);

/* In the caller's turn. Copies what is good and not copied yet. Only reads the boot partition. */
MUST_CHECK int esp_keep(enum esp_look look, struct err *e);
/* In the caller's turn. Puts back what is missing or differs in the mounted boot partition, and adds its names to *done
 * ("loader.conf"). The entry of the other slot comes back, too, when its record is there. */
MUST_CHECK int esp_restore(enum esp_look look, struct buf *done, struct err *e);
/* Neither would find anything to do; reads all of it, and needs no turn: false may be somebody at work. */
bool esp_is_whole(void);
/* There is an undamaged copy of this slot's entry: without one the boot partition must not be made anew. */
bool esp_has_copy(char slot);

#endif
