/* How the last runs of this box ended: the record behind `boots`, and what safe mode is decided by. Pure: text and
 * structs, no files. Written by the keep and storage roles, read by PID 1 (as PATH_RUN_ENDS). One line per run, the
 * oldest first, words separated by one blank:
 *
 *   KIND TIME UPTIME SLOT VERSION well|ill SENTENCE
 *
 * A kind that this version does not know is read as "asked": what the newer one had to say stands in the sentence.
 * TIME is seconds since 1970, UPTIME seconds; SLOT and VERSION are "-" when not known. "well": the run got to running,
 * with everything that matters. Of a run that was cut short TIME and UPTIME are the last ones that were noted. */
#ifndef HEARTH_HOST_ENDS_H
#define HEARTH_HOST_ENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

#define END_KINDS(X)                                                                                                   \
	X(RUNNING, "running")         /* no end yet */                                                                 \
	X(ASKED, "asked")             /* a command, a key, a signal */                                                 \
	X(UPDATE, "update")           /* into a slot that was just written */                                          \
	X(ROLLBACK, "rollback")       /* back to the other slot, by hand */                                            \
	X(HEALTH_GATE, "health-gate") /* the new slot did not get well in time */                                      \
	X(NO_START, "no-start")       /* started by the boot loader, and never got as far as a disk */                 \
	X(DAMAGE, "damage")           /* the root of the running slot cannot be read whole */                          \
	X(WATCHDOG, "watchdog")       /* PID 1 or the kernel stood still */                                            \
	X(PANIC, "panic")             /* the kernel gave up */                                                         \
	X(PID1_FAULT, "pid1-fault")   /* PID 1 was broken */                                                           \
	X(POWER_LOSS, "power-loss")   /* nobody could say: the power, or a crash that left no trace */

enum end_kind {
#define X(id, name) END_##id,
	END_KINDS(X)
#undef X
		END_KIND_COUNT
};

#define ENDS_KEPT    16  /* weeks of a box that is well; a crash loop is seen whole */
#define END_LINE     256 /* one line at its longest, and the end */
#define END_SLOT     8
#define END_VERSION  24 /* "0.1.0" and what a build may add */
#define ENDS_TEXT    (ENDS_KEPT * (END_LINE - 1) + 1)
#define END_TIME_MAX INT64_C(253402300799) /* the end of the year 9999 */

struct end {
	enum end_kind kind;
	int64_t time;
	uint64_t uptime;
	char slot[END_SLOT];
	char version[END_VERSION];
	bool well;
	char why[LIMIT_DETAIL]; /* one sentence of printable ASCII */
};

struct ends {
	struct end end[ENDS_KEPT]; /* oldest first */
	unsigned count;
};

const char *end_kind_name(enum end_kind k);
/* One line, terminated, with or without its line break; 0 or -1. */
MUST_CHECK int end_parse(struct end *n, const char *line);
/* Adds the line with its line break; -1 when a field is not what the list above says, or when b is too small. */
MUST_CHECK int end_format(const struct end *n, struct buf *b, struct err *e);
/* Lines that are none are left out; of too many the last ones stay. Returns how many were none. */
unsigned ends_parse(struct ends *all, const char *text, size_t len);
MUST_CHECK int ends_format(const struct ends *all, struct buf *b, struct err *e);
/* The oldest one makes room. */
void ends_add(struct ends *all, const struct end *n);
/* What PID 1 or the kernel did not survive. */
bool end_is_crash(enum end_kind k);
/* How many of the last ends in a row were crashes of runs of this slot that had not got well. */
unsigned ends_crashes(const struct ends *all, const char *slot);

#endif
