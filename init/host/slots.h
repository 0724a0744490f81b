/* What is known of both slots, for people: written to PATH_RUN_SLOTS by the roles that read or change boot entries,
 * read by PID 1, which must not wait for a disk. Pure: text and struct, no files. The text is one line per slot, a
 * first: slot, state (bootenv_state_name), generation, tries left, version.
 *
 *   a good 1 0 0.1.0
 *   b trial 2 3 - */
#ifndef HEARTH_HOST_SLOTS_H
#define HEARTH_HOST_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "host/bootenv.h"

#define SLOTS_VERSION 41  /* 40 bytes and the end, as a bundle may have */
#define SLOTS_TEXT    256 /* both lines and some */

struct slots_row {
	enum bootenv_state state;
	uint32_t generation, left;
	char version[SLOTS_VERSION]; /* "": not known */
};

struct slots {
	struct slots_row row[BOOTENV_SLOTS]; /* a, b */
};

/* From the entries; versions are "". */
void slots_from(struct slots *s, const struct bootenv *b);
struct slots_row *slots_row(struct slots *s, char slot);
/* Fails when a version is not of 1 to 40 letters, digits, '.', '-' and '+', or when b is too small. */
MUST_CHECK int slots_format(const struct slots *s, struct buf *b, struct err *e);
/* text need not be terminated. */
MUST_CHECK int slots_parse(struct slots *s, const char *text, size_t len, struct err *e);
bool slots_is_version(const char *s);

#endif
