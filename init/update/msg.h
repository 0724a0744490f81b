/* What the conductor (role update, root) and its worker (role update-worker, no rights) say to each other over a
 * SOCK_SEQPACKET pair: a number for the kind, then a fixed struct. Both ends are the same program; the worker is the
 * one that reads bytes from outside, so the conductor checks length, kind and the end of every text.
 *
 *   worker                               conductor
 *   MANIFEST: verified, this is it  -->
 *                                   <--  GO: verified here too, and allowed; the target is marked
 *   PROGRESS, WAITING               -->
 *                                   <--  PAUSE, RESUME
 *   WANT: bytes of an upload in parts -->
 *                                   <--  PART: with a pipe that they come in
 *   KERNEL: where to?               -->
 *                                   <--  KERNEL: with the temporary file on the ESP, which is writable from now on
 *   DONE or FAILED                  -->
 *
 * A worker that reads a channel says INDEX, and the end.
 *
 * To stop it, the conductor kills it: what is on the target is found again by the next one. */
#ifndef HEARTH_UPDATE_MSG_H
#define HEARTH_UPDATE_MSG_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/limits.h"
#include "update/channel.h"
#include "update/tar.h"

/* What the worker is at. */
#define MSG_PHASES(X)                                                                                                  \
	X(MANIFEST, "asking")                                                                                          \
	X(TREE, "fetching the hash tree")                                                                              \
	X(LOOK, "looking at what is there already")                                                                    \
	X(COPY, "copying from the running slot")                                                                       \
	X(FETCH, "downloading")                                                                                        \
	X(UKI, "downloading the kernel")                                                                               \
	X(CHECK, "reading back")

enum msg_phase {
#define X(name, text) MSG_##name##_PHASE,
	MSG_PHASES(X)
#undef X
		MSG_PHASE_COUNT
};

/* Not what the worker has read, but what was signed: the conductor believes no process that has met the network. */
struct msg_manifest {
	uint64_t bundle; /* bytes of the whole */
	uint64_t fetch;  /* bytes to fetch, as far as is known: for `show`; 0: not known */
	uint32_t text_len, sig_len;
	char text[TAR_TEXT_MAX];
	uint8_t sig[TAR_SIG_MAX];
};
/* Bytes of this phase, as far as known; fetched: over the line so far, in all. */
struct msg_progress {
	uint32_t phase;
	uint64_t done, total, fetched;
};
struct msg_waiting {
	char why[LIMIT_DETAIL];
};
/* A part of the bundle. */
struct msg_want {
	uint64_t from, length;
};
/* What it took, in bytes: taken from the running slot, right already, from outside. */
struct msg_done {
	uint64_t copied, kept, fetched;
};
struct msg_failed {
	uint32_t again; /* not 0: another try may do it (the file changed on the server, or has no ranges any more) */
	char why[ERR_TEXT];
};
/* A channel's index, signed as well. The lengths do not count the end that each text has. */
struct msg_index {
	uint32_t text_len, sig_len;
	char text[CHANNEL_MAX + 1];
	char sig[CHANNEL_SIG_MAX + 1];
};
struct msg_go {
	uint32_t nothing;
};

#define MSG_LIST(X)                                                                                                    \
	X(MANIFEST, manifest)                                                                                          \
	X(INDEX, index)                                                                                                \
	X(PROGRESS, progress)                                                                                          \
	X(WAITING, waiting)                                                                                            \
	X(WANT, want)                                                                                                  \
	X(PART, go)                                                                                                    \
	X(DONE, done)                                                                                                  \
	X(FAILED, failed)                                                                                              \
	X(GO, go)                                                                                                      \
	X(KERNEL, go)                                                                                                  \
	X(PAUSE, go)                                                                                                   \
	X(RESUME, go)

enum msg_kind {
	MSG_NONE,
#define X(name, type) MSG_##name,
	MSG_LIST(X)
#undef X
};

struct msg {
	uint32_t kind; /* enum msg_kind */
	union {
		struct msg_manifest manifest;
		struct msg_index index;
		struct msg_progress progress;
		struct msg_waiting waiting;
		struct msg_want want;
		struct msg_done done;
		struct msg_failed failed;
		struct msg_go go;
	};
};

/* fd -1: none. As chan_send. */
MUST_CHECK int msg_send(int chan, const struct msg *m, int fd, struct err *e);
/* 1: a whole message is in *m, its sentences printable ASCII; 0: the other end is gone; -1: EAGAIN: nothing there; else
 * the message is none of these. fd as in chan_recv. */
MUST_CHECK int msg_recv(int chan, struct msg *m, int *fd, struct err *e);
const char *msg_phase_name(uint32_t phase);
unsigned msg_per_cent(const struct msg_progress *p);

/* Pure: is what was received (n bytes in *m) one whole message with ended texts? */
MUST_CHECK int msg_check(const struct msg *m, size_t n, struct err *e);

#endif
