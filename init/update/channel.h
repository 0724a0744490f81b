/* The index of an update channel: which versions there are, and which one this box takes. A signed text, index.yaml,
 * with index.yaml.sig beside it (the same keys and the same form as a bundle's manifest.sig):
 *
 *   format: 1
 *   channel: stable
 *   serial: 42              # goes up with every edition; one below the last seen is refused
 *   issued: 1795564800      # seconds since 1970, UTC
 *   expires: 1798156800     # at most CHANNEL_LIFE later; past it the index is refused: somebody may hold back news
 *   versions:               # 1 to CHANNEL_VERSIONS, in any order
 *     - {version: 0.2.0, minimum: 0.1.0, board: x86-64-efi, url: hearth-0.2.0.hearth, size: 412876800,
 *        manifest-sha256: <64 hex digits>, released: 1795564800, withdrawn: false}
 *
 * All keys are required but `withdrawn`; an unknown one is an error, as in every file of ours. `url` is relative to the
 * URL that the index was asked for at (not to where a redirect led) or absolute, http or https (update/url). Plain http
 * is allowed: what counts is the signature, here and in the bundle.
 * Pure: text in, struct out; knows no clock, file or network. The serial last seen is the caller's to keep. */
#ifndef HEARTH_UPDATE_CHANNEL_H
#define HEARTH_UPDATE_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "format/version.h"
#include "format/yaml.h"
#include "update/url.h"

#define CHANNEL_FILE     "index.yaml"
#define CHANNEL_MAX      32768           /* bytes of index.yaml: 32 entries of less than 1 KiB */
#define CHANNEL_SIG_MAX  256             /* bytes of index.yaml.sig, as a bundle's */
#define CHANNEL_VERSIONS 32              /* a channel keeps the last ones and the stepping stones */
#define CHANNEL_LIFE     (400LL * 86400) /* seconds from issued to expires at most */
#define CHANNEL_SLACK    86400           /* seconds that a clock may be behind the index without a word */
#define CHANNEL_BUNDLE   (16ULL << 30)   /* bytes of a bundle at most: no slot is larger */
#define CHANNEL_SHA256   32

struct channel_version {
	char version[VERSION_TEXT];
	char minimum[VERSION_TEXT]; /* the oldest version that can take it */
	char board[LIMIT_NAME];
	char url[URL_MAX];                       /* as written */
	uint64_t size;                           /* bytes of the bundle */
	uint8_t manifest_sha256[CHANNEL_SHA256]; /* of the bundle's manifest.yaml */
	int64_t released;                        /* seconds since 1970 */
	bool withdrawn;                          /* never offered; who runs it is told */
};

struct channel {
	char name[LIMIT_NAME];
	uint64_t serial;
	int64_t issued;
	int64_t expires;
	unsigned versions;
	struct channel_version version[CHANNEL_VERSIONS];
};

/* Is sig a good signature of text? update/signature, with the keys in arg. */
typedef int channel_check_fn(const void *text, size_t len, const void *sig, size_t sig_len, void *arg, struct err *e);

struct channel_text {
	const char *file; /* name for messages: the URL */
	const char *text;
	size_t len;
	const void *sig;
	size_t sig_len;
};

/* The signature first: not a byte of an unsigned text is parsed. y is scratch (it is large). On an error *c stays as it
 * was; e->code is EINVAL for a text that is not as above, and what `check` gave when the signature is not good. */
MUST_CHECK int channel_read(struct channel *c, struct yaml *y, const struct channel_text *t, channel_check_fn *prove,
                            void *arg, struct err *e);

struct channel_now {
	int64_t wall;         /* seconds since 1970 */
	bool synced;          /* the clock was set by a time server since power on */
	uint64_t last_serial; /* of the newest index taken so far; 0: none */
};

/* May this edition be used now? -1 with a sentence for a person:
 *   ESTALE   it has expired: somebody, or something, shows an old edition
 *   EEXIST   its serial is below the last one seen: the channel goes back
 *   EAGAIN   it is from the future and the clock is not synced: ask again when it is
 *   EINVAL   it is from the future, and the clock is right
 * With a clock that is not synced an expiry in the past is refused all the same. */
MUST_CHECK int channel_fresh(const struct channel *c, const struct channel_now *now, struct err *e);

struct channel_choice {
	const struct channel_version *take;   /* what to install next; NULL: nothing */
	const struct channel_version *newest; /* for this board, newer than ours; NULL: none. Another one than `take`:
	                                       * a stepping stone comes first, or (take is NULL) there is no way */
	bool withdrawn;                       /* the version that runs has been withdrawn */
	char text[LIMIT_DETAIL];              /* one sentence that says all that */
};

/* The newest version for the board whose minimum the running one meets. Never an older one, never a withdrawn one. -1:
 * `running` is no version. */
MUST_CHECK int channel_choose(const struct channel *c, const char *running, const char *board,
                              struct channel_choice *out, struct err *e);

#endif
