/* A bundle as an archive: where everything is, and a strict reader of exactly that.
 *
 * A bundle is a ustar archive of six members in one order, each a plain file of mode 0644, user and group 0, all of
 * one time, padded with zeros to 512 bytes, then 1024 zeros and the end of the file. Since nothing else is allowed, a
 * member's header has one right form for its size and time: the reader makes that form and compares, and the place of
 * every member follows from the sizes alone. That is why this is not libarchive, which exists to read what others
 * write: pax and GNU headers, links, sparse files, compression, any order. Here each of them is a refusal, and the
 * whole reader holds one block.
 *
 * Pure: bytes are fed in pieces of any size, members come out. Every refusal is a sentence that says what is wrong
 * and at which byte of the bundle. After a refusal the reader stays refused. */
#ifndef HEARTH_UPDATE_TAR_H
#define HEARTH_UPDATE_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define TAR_BLOCK    512
#define TAR_TRAILER  1024                               /* zeros at the end */
#define TAR_TEXT_MAX 16384                              /* bytes of manifest.yaml */
#define TAR_SIG_MAX  256                                /* bytes of manifest.sig */
#define TAR_SIZE_MAX ((UINT64_C(1) << 33) - 1)          /* bytes of a member: 11 octal digits */
#define TAR_FILE_MAX (TAR_MEMBERS * (TAR_SIZE_MAX + 1)) /* no sum of ours overflows */

enum tar_member {
	TAR_MANIFEST,  /* manifest.yaml */
	TAR_SIGNATURE, /* manifest.sig */
	TAR_VERITY,    /* root.verity */
	TAR_HASHES,    /* uki.hashes */
	TAR_UKI,       /* uki.efi */
	TAR_ROOT,      /* root.erofs */
	TAR_MEMBERS,
};

/* "manifest.yaml", ... */
const char *tar_name(enum tar_member which);
/* Where each member's bytes begin, from the sizes of all; the result is the length of the whole bundle. Sizes are at
 * most TAR_SIZE_MAX. */
uint64_t tar_offsets(const uint64_t size[TAR_MEMBERS], uint64_t at[TAR_MEMBERS]);
/* The one right header of a member. */
void tar_header(enum tar_member which, uint64_t size, uint64_t mtime, uint8_t block[TAR_BLOCK]);

/* What the reader calls; -1 with e set ends the reading. Members come in order: begin, data (in pieces, none when it is
 * empty), end. */
struct tar_sink {
	int (*begin)(void *arg, enum tar_member which, uint64_t size, struct err *e);
	int (*data)(void *arg, enum tar_member which, const uint8_t *p, size_t n, struct err *e);
	int (*end)(void *arg, enum tar_member which, struct err *e);
};

enum tar_state {
	TAR_IN_HEADER,
	TAR_IN_DATA,
	TAR_IN_PADDING,
	TAR_IN_TRAILER,
	TAR_DONE,    /* all was there; one more byte is a refusal */
	TAR_REFUSED, /* tar_feed said why */
};

struct tar {
	const struct tar_sink *sink;
	void *arg;
	enum tar_state state;
	enum tar_member member;     /* in work, or the next one */
	uint64_t at;                /* bytes of the bundle taken so far */
	uint64_t left;              /* of the data, padding or trailer */
	uint64_t size;              /* of the member */
	uint64_t mtime;             /* of the first member; all others have the same */
	uint64_t want[TAR_MEMBERS]; /* sizes that the manifest names */
	bool wanted;                /* want is known */
	size_t have;                /* bytes of header */
	uint8_t header[TAR_BLOCK];
};

/* sink must stay as long as t. */
void tar_init(struct tar *t, const struct tar_sink *sink, void *arg);
/* From now on a member of another size than want[member] is refused at its header. Called by the sink when it has
 * verified the manifest; rows of members that are through are not looked at. */
void tar_expect(struct tar *t, const uint64_t want[TAR_MEMBERS]);
/* What comes next stands behind the data of this member, at this byte: zeros, and the next header or the end. For
 * whoever reads a bundle in ranges; the sizes are known. */
void tar_behind(struct tar *t, enum tar_member which, uint64_t at);
/* The next n bytes of the bundle. */
MUST_CHECK int tar_feed(struct tar *t, const void *p, size_t n, struct err *e);
/* The input has ended: -1 when the bundle has not. */
MUST_CHECK int tar_finish(const struct tar *t, struct err *e);

#endif
