/* The unmount role: the last program that runs before the box goes down. When everybody else has ended it unmounts all
 * that is not the kernel's or in memory, last mounted first; what stays busy is made read-only and detached. Bounded:
 * PID 1 kills it at its deadline and goes on, and what it did until then was right. */
#ifndef HEARTH_NODE_UNMOUNT_H
#define HEARTH_NODE_UNMOUNT_H

#include <stdbool.h>

#define UNMOUNT_WAIT_MS 8000 /* for programs that die slowly; the disks' own time comes on top */

/* 0: every disk is unmounted; 1: something had to be forced. */
int unmount_main(int argc, char **argv);
/* Pure. Is this mount one that must go before a reboot? */
bool unmount_is_ours(const char *target);

#endif
