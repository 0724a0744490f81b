/* The worker of an update: reads a bundle and writes a slot, and has no right to anything else.
 *
 *   hearth update-worker install|show|index URL|-      [--keys FOLDER] [--ca FILE] [--pipe SIZE | --parts SIZE]
 *
 * Started by the role update as a user of its own, with these descriptors; it opens none for writing itself:
 *   3  messages (update/msg)
 *   4  the target, for reading and writing (install)
 *   5  the running slot, for reading
 *   6  the source, with '-' for the URL: a file, or with --pipe a pipe with that many bytes; with --parts there is
 *     none, parts of it are asked for and come with messages
 *   7  the running slot's kernel, for reading; may be missing
 * index: reads the index of a channel and its signature, and says them.
 * Before the first byte from outside it gives up what is left: new privileges, processes, most system calls. Its peak
 * memory does not depend on the size of the bundle. It ends when the channel does. */
#ifndef HEARTH_UPDATE_WORKER_H
#define HEARTH_UPDATE_WORKER_H

#define WORKER_CHANNEL 3
#define WORKER_TARGET  4
#define WORKER_RUNNING 5
#define WORKER_SOURCE  6
#define WORKER_KERNEL  7
#define WORKER_FDS     8
#define WORKER_USER    "update"

int worker_main(int argc, char **argv);

#endif
