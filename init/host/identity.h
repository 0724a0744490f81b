/* Who this box is and what it remembers of its last run: what the storage role found in the state partition, handed
 * to PID 1 as PATH_RUN_IDENTITY. Pure: text and struct, no files. The text is lines of key=value:
 *
 *   machine-id=32 hexadecimal digits, lower case
 *   hostname=a label of RFC 1123 (letters, digits, "-")
 *   boots=how often this box was started, this time included
 *   clock=last known good time, seconds since 1970; 0 = none
 *   last-shutdown=one sentence for people */
#ifndef HEARTH_HOST_IDENTITY_H
#define HEARTH_HOST_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

#define IDENTITY_MACHINE_ID 33
#define IDENTITY_HOSTNAME   64  /* 63 is the longest label */
#define IDENTITY_TEXT       512 /* the longest file and some */

struct identity {
	char machine_id[IDENTITY_MACHINE_ID];
	char hostname[IDENTITY_HOSTNAME];
	uint64_t boots;
	int64_t clock;
	char last_shutdown[LIMIT_DETAIL];
};

/* Fails when a field is not what the list above says, or when b is too small. */
MUST_CHECK int identity_format(const struct identity *id, struct buf *b, struct err *e);
/* Every key must be there exactly once; text need not be terminated. */
MUST_CHECK int identity_parse(struct identity *id, const char *text, size_t len, struct err *e);

bool identity_is_machine_id(const char *s);
bool identity_is_hostname(const char *s);
/* Copies src as one line of printable ASCII, "?" for anything else; cut at cap (a sentence for people, not a key). */
void identity_sentence(char *dst, size_t cap, const char *src);

#endif
