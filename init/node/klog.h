/* The klog role (`hearth klog`): the kernel's log, and PID 1's lines in it, as plain lines on stdout.
 *
 * Records of /dev/kmsg (Documentation/ABI/testing/dev-kmsg) are "PRIO,SEQ,USEC,FLAG[,...];TEXT\n" and, behind it, lines
 * " KEY=VALUE\n". In the text, control bytes, backslashes and bytes beyond ASCII stand as \xNN. Printed is
 * "warn kernel: TEXT", as our own roles print; what programs wrote into the kernel's log names itself.
 * A line by which dm-verity refuses a block of the root, and goes on to refuse it, sets the fact root-intact off at
 * once, long before the next round of scrub. The number of the last record is kept in KLOG_SEQ, so that a new start
 * goes on where the old one ended. */
#ifndef HEARTH_NODE_KLOG_H
#define HEARTH_NODE_KLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/paths.h"

#define KLOG_SEQ    PATH_RUN "/klog-seq"
#define KLOG_RECORD 8192 /* the kernel gives a record whole or refuses: CONSOLE_EXT_LOG_MAX */
#define KLOG_ROUND  64   /* records per round of the loop */

struct kmsg {
	unsigned level;    /* 0 emergency ... 7 debug */
	unsigned facility; /* 0: the kernel; 1 and more: a program */
	uint64_t seq;
	const char *text; /* into the record, still with its escapes; not terminated */
	size_t len;
};

/* Pure. Splits one record; 0 or -1. */
MUST_CHECK int kmsg_parse(const char *data, size_t len, struct kmsg *m);
/* Pure. Appends "LEVEL kernel: TEXT\n" with the escapes undone where that gives printable text; a text of several
 * lines gives several. What does not fit into b is left out (buf_ok is false), the last newline included. */
void kmsg_format(const struct kmsg *m, struct buf *b);

/* What dm-verity says of a block: "device-mapper: verity: 254:2: data block 70 is corrupted", "metadata block" for one
 * of the hash tree. */
struct kmsg_damage {
	dev_t dev; /* that the verity device stands on */
	bool tree;
	uint64_t block; /* of the root, or of the hash tree's partition */
};

/* Pure. True when the record is such a line, by the kernel itself. */
bool kmsg_damage(const struct kmsg *m, struct kmsg_damage *d);

int klog_main(int argc, char **argv);

#endif
