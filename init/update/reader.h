/* A bundle's bytes, in order, to what can be believed of them.
 *
 * The archive (update/tar.h), the signature and the manifest come together here: manifest.yaml and manifest.sig are
 * kept, then the signature is checked, and only then is the manifest read. If the caller takes it, the other members
 * come out as they pass, each with its SHA-256 checked at its end. So what data() gives is of a bundle of a known
 * signer, but not yet proven: that is the end of the member, or the verity tree, block by block.
 *
 * A bundle that is read in ranges is fed to the reader up to the manifest; where the rest lies says reader_offsets.
 * Pure, but for what the hooks do. Every refusal is a sentence. */
#ifndef HEARTH_UPDATE_READER_H
#define HEARTH_UPDATE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "format/sha256.h"
#include "format/yaml.h"
#include "update/manifest.h"
#include "update/tar.h"

struct reader_hooks {
	/* Who signed text? signature_check, or a test's. */
	int (*signer)(void *arg, const void *text, size_t len, const uint8_t *sig, size_t sig_len, const char **name,
	              struct err *e);
	/* The verified manifest. -1: this box does not want it. */
	int (*manifest)(void *arg, const struct update_manifest *m, const char *signer, struct err *e);
	/* Bytes of root.verity, uki.efi, root.erofs; at: where in the member. */
	int (*data)(void *arg, enum tar_member which, uint64_t at, const uint8_t *p, size_t n, struct err *e);
};

/* About 180 KiB: static, or on the heap. */
struct reader {
	struct tar tar;
	const struct reader_hooks *hooks;
	void *arg;
	bool verified; /* m and signer are good */
	struct update_manifest m;
	const char *signer;
	size_t text_len, sig_len;
	struct sha256 sum; /* of the member in work */
	uint64_t pos;      /* in the member in work */
	char text[TAR_TEXT_MAX];
	uint8_t sig[TAR_SIG_MAX];
	struct yaml yaml;
};

/* hooks must stay as long as r. */
void reader_init(struct reader *r, const struct reader_hooks *hooks, void *arg);
/* The next n bytes. */
MUST_CHECK int reader_feed(struct reader *r, const void *p, size_t n, struct err *e);
/* The input has ended: 0 when the bundle is whole and every member is what the manifest says. */
MUST_CHECK int reader_finish(const struct reader *r, struct err *e);
/* Once verified: where each member begins; the result is the length of the bundle. */
uint64_t reader_offsets(const struct reader *r, uint64_t at[TAR_MEMBERS]);

#endif
