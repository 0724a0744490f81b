/* The kernel's command line: the few words of it that are ours. Pure: text in, struct out. */
#ifndef HEARTH_HOST_CMDLINE_H
#define HEARTH_HOST_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct cmdline {
	char slot[8];     /* hearth.slot=a|b, over what the boot loader says: for tests; "" when absent */
	uint8_t uuid[16]; /* hearth.root=8-4-4-4-12: UUID in the dm-verity superblock */
	char uuid_text[37];
	char roothash[65];  /* hearth.roothash=64 hexadecimal digits, lower case */
	bool has_root;      /* hearth.root and hearth.roothash are both there */
	bool safe;          /* hearth.safe: safe mode, see boot/safe.h */
	bool hang;          /* hearth.test=hang: PID 1 stands still after a while, for tests of the watchdog */
	bool hang_early;    /* hearth.test=hang-early: and so does stage 1, before it looks for a disk */
	bool no_kubernetes; /* hearth.kubernetes=off: this boot starts neither containerd nor k3s */
};

/* Words are separated by blanks; of a word that stands twice the last one counts, as in the kernel. Other people's
 * words are ignored; a word of ours with a bad value is an error. text need not be terminated. */
MUST_CHECK int cmdline_parse(struct cmdline *c, const char *text, size_t len, struct err *e);
/* Reads and parses /proc/cmdline. */
MUST_CHECK int cmdline_read(struct cmdline *c, struct err *e);

#endif
