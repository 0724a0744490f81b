/* The storage role: a one-shot service that blocks, so that PID 1 need not. It brings the disk of the running system to
 * what a box must have, mounts and repairs it, and tells PID 1 (facts state-mounted, data-mounted, boot-partition, and
 * node/slot's). A table of steps in storage.c.
 *
 * It may be interrupted anywhere, by kill -9 or a power cut, and starts over: partitions are announced by GPT_FRESH
 * until their file system is complete, and what is mounted or counted already is left alone. */
#ifndef HEARTH_NODE_STORAGE_H
#define HEARTH_NODE_STORAGE_H

/* The role. 0: everything that can be done on this disk is done (facts say what is missing); 1: worth another try. */
int storage_main(int argc, char **argv);

#endif
