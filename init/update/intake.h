/* From a source to a slot: the order in which a bundle is read, and what each member becomes. Part of the worker;
 * blocks; believes nothing that is not covered by the signature.
 *
 *  1. manifest.yaml and manifest.sig, checked before anything else is read; then what stands between the members
 * (headers, zeros, the end), so that a bundle of another form is refused before anything is written; then `offer` says
 * whether to go on
 *  2. root.verity to the target behind the image's place, unless it is there already: its upper levels whole, of level
 * 0 what cannot be made from the running slot's (update/leaves); checked whole
 *  3. blocks that are on the target already (an install that was interrupted), and those that the running slot has
 *  4. the missing blocks, by ranges, each checked before it is written
 *  5. everything flushed, read back, and checked
 *  6. uki.efi into the temporary file: pieces that are there already, those that the running kernel has, and the
 * missing ones by ranges (update/kernel); with its sum
 *
 * Every range is of whole blocks or pieces of one member, and no byte of a bundle may be another one.
 *
 * A source without ranges (a server that has none, an upload) is read once from its beginning to its end by the strict
 * reader, into the same places; nothing is taken from the running slot then, and the kernel comes before the image.
 * What an interrupted install left is used all the same: it is not written again. */
#ifndef HEARTH_UPDATE_INTAKE_H
#define HEARTH_UPDATE_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/sha256.h"
#include "update/delta.h"
#include "update/kernel.h"
#include "update/leaves.h"
#include "update/manifest.h"
#include "update/msg.h"
#include "update/reader.h"
#include "update/source.h"
#include "update/target.h"

struct intake;

struct intake_hooks {
	/* Did somebody we know sign it? As signature_check. */
	int (*signer)(void *arg, const void *text, size_t len, const uint8_t *sig, size_t sig_len, const char **name,
	              struct err *e);
	/* The manifest is verified. 0: go on, with in->target_fd; -1 with e ends it (which for a look at a
	 * source without ranges is right). */
	int (*offer)(struct intake *in, void *arg, struct err *e);
	/* The temporary file of the kernel is wanted: in->uki. */
	int (*kernel)(struct intake *in, void *arg, struct err *e);
	/* How far it is; called often. */
	void (*progress)(struct intake *in, enum msg_phase phase, uint64_t done, uint64_t total, void *arg);
	void *arg;
};

/* Zeroed, with the fields up to `hooks` set by the caller. Large: static storage. */
struct intake {
	struct source *source;
	int running_fd; /* the running slot, -1: none */
	int kernel_fd;  /* the running slot's kernel, -1: none */
	int target_fd;  /* by the time that offer says go */
	int uki;        /* -1; the temporary kernel, when it was asked for */
	struct intake_hooks hooks;

	const struct update_manifest *m; /* verified, by the time of the offer */
	bool offered;                    /* it was verified, and offer called */
	bool stream;                     /* the source has no ranges */
	bool again;                      /* the target has this image's tree: an install was interrupted */
	uint64_t at[TAR_MEMBERS];        /* in the bundle */
	uint64_t bundle;                 /* bytes of it */
	uint64_t copied, kept;           /* bytes of the image that the running slot, an earlier install had */

	struct reader reader;
	struct tar frame; /* what stands behind one member */
	bool target_used;
	struct target target; /* for a look, only its tree is used, in memory */
	struct delta delta;   /* what the running slot has */
	struct leaves leaves;
	struct kernel kernel;
	enum msg_phase phase;
	uint64_t phase_done, phase_total;
	uint64_t from; /* the next block or piece to ask for */
	uint64_t gap;  /* delta_gap */
};

/* All of it. code ESTALE: the file changed under us, another try may do it. */
MUST_CHECK int intake_install(struct intake *in, struct err *e);
/* Step 1, and how many bytes an install would fetch; nothing is written. *fetch 0: that cannot be known (a source
 * without ranges is read whole). */
MUST_CHECK int intake_show(struct intake *in, uint64_t *fetch, struct err *e);
void intake_fini(struct intake *in);

#endif
