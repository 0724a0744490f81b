/* The manifest of a bundle: what is in it, for which boxes, and the sums of everything else. Pure: text in, struct out.
 *
 *   format: 2
 *   board: x86-64-efi
 *   version: 0.2.0                       # see format/version.h
 *   build: 6f2c1d0                       # BUILD_ID of os-release: up to 40 letters, digits, '.', '-'
 *   created: 1795564800                  # seconds since 1970
 *   minimum: 0.1.0                       # the oldest version that can take this bundle
 *   kubernetes: v1.36.1+k3s1 (modules)   # one line
 *   changes: "Lines for people"          # up to 2 KiB
 *   root: {hash: ..., uuid: ..., salt: ..., blocks: N}   # dm-verity of root.erofs: SHA-256, blocks of 4096 bytes
 *   members:
 *     root.verity: {size: N, sha256: ...}
 *     uki.hashes: {size: N, sha256: ...}                # see update/kernel.h
 *     uki.efi: {size: N, sha256: ...}
 *     root.erofs: {size: N, sha256: ...}
 *
 * All keys must be there and no others. What is read has been checked as far as text alone can be: sizes agree with
 * the numbers of blocks and fit the slot and the ESP. Whether this box may take it is update_manifest_allows. The text
 * must have been verified (update/signature.h) before anything of it is believed. */
#ifndef HEARTH_UPDATE_MANIFEST_H
#define HEARTH_UPDATE_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "format/sha256.h"
#include "format/version.h"
#include "format/yaml.h"
#include "host/verity.h"
#include "update/tar.h"

#define MANIFEST_FORMAT     2 /* 1 had no uki.hashes */
#define MANIFEST_BOARD      32
#define MANIFEST_BUILD      41 /* 40 characters and the end */
#define MANIFEST_UUID       37 /* 36 characters and the end */
#define MANIFEST_KUBERNETES 64
#define MANIFEST_CHANGES    2049 /* 2 KiB and the end */

struct update_member {
	uint64_t size;
	uint8_t sha256[SHA256_BYTES];
};

struct update_manifest {
	char board[MANIFEST_BOARD];
	char version[VERSION_TEXT];
	char build[MANIFEST_BUILD];
	uint64_t created;
	char minimum[VERSION_TEXT];
	char kubernetes[MANIFEST_KUBERNETES];
	char changes[MANIFEST_CHANGES]; /* lines that end in '\n', the last one too or not */
	struct {
		uint8_t hash[SHA256_BYTES];
		char uuid[MANIFEST_UUID]; /* small letters */
		uint8_t salt[SHA256_BYTES];
		uint64_t blocks; /* of the image */
	} root;
	struct update_member member[TAR_MEMBERS]; /* rows of TAR_MANIFEST and TAR_SIGNATURE are empty: a text cannot
	                                             name its own sum */
};

/* Errors read "FILE:LINE: what; what to do". y is storage for the parse, free again afterwards; too large for a stack.
 * On an error *m is not touched. */
MUST_CHECK int update_manifest_parse(struct update_manifest *m, struct yaml *y, const char *file, const char *text,
                                     size_t len, struct err *e);

/* What the person or the channel that asked for the update has asked for besides. */
struct update_asked {
	bool older; /* a version below the running one is wanted */
	bool same;  /* the running version is wanted again */
};

/* May a box of this board that runs this version take it? -1: a sentence that says why not. */
MUST_CHECK int update_manifest_allows(const struct update_manifest *m, const char *board, const char *running,
                                      const struct update_asked *asked, struct err *e);

/* Sizes of all members, for tar_offsets and tar_expect: text_len and sig_len are those of manifest.yaml and
 * manifest.sig. */
void update_manifest_sizes(const struct update_manifest *m, size_t text_len, size_t sig_len,
                           uint64_t size[TAR_MEMBERS]);
/* Where each member begins in the bundle; the result is the bundle's length. */
uint64_t update_manifest_offsets(const struct update_manifest *m, size_t text_len, size_t sig_len,
                                 uint64_t at[TAR_MEMBERS]);
/* What the superblock in root.verity must say, for tree_open. */
void update_manifest_verity(const struct update_manifest *m, struct verity *want);

#endif
