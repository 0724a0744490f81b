/* What a person asks the update role for, as words, and the record of an install under way. Pure.
 *
 *   update                                                  how it stands
 *   update show SOURCE                                      what a bundle is; nothing is written
 *   update check                                            what the channel of the settings (update.url) offers
 *   update install [SOURCE] [--again] [--older] [--restart] [--snapshot]
 *                                                           --again: the running version, too; --older: a lower one,
 *                                                           too; --restart: into it as soon as it is ready;
 *                                                           --snapshot: volumes are copied at its first start
 *   update upload SIZE                                      install what comes with the words: a pipe, SIZE bytes in it
 *   update upload SIZE FROM                                 SIZE bytes, from byte FROM on, of an upload in parts: those
 *                                                           that are asked for, or their beginning
 *   update pause | resume | cancel
 *
 * SOURCE: http:// or https:// and the address of a bundle; the path of a file below /data; "usb", the bundle on a stick
 * (update/usb); "upload:SIZE", a file of SIZE bytes of which somebody sends the parts that are asked for (`update` says
 * which). Without one it is what the channel offers. */
#ifndef HEARTH_UPDATE_ORDER_H
#define HEARTH_UPDATE_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "format/sha256.h"

#define ORDER_SOURCE 512          /* a request of 1 KiB holds no much longer one */
#define ORDER_RECORD 1024         /* bytes of a record */
#define ORDER_MOST   (1ULL << 40) /* bytes of an upload; the slot takes far less */

enum order_verb {
	ORDER_STATUS,
	ORDER_SHOW,
	ORDER_INSTALL,
	ORDER_UPLOAD,
	ORDER_PART,
	ORDER_PAUSE,
	ORDER_RESUME,
	ORDER_CANCEL,
	ORDER_CHECK,
};
/* ORDER_CHANNEL: what it offers; update/seek makes a URL of it. An index to check is a URL from the beginning.
 * ORDER_PIPE: of an upload; ORDER_PARTS: of one in parts. */
enum order_kind { ORDER_URL, ORDER_FILE, ORDER_USB, ORDER_CHANNEL, ORDER_PIPE, ORDER_PARTS };

struct order {
	enum order_verb verb;
	enum order_kind kind; /* of the source */
	char source[ORDER_SOURCE];
	uint64_t size; /* of an upload, or a part of it */
	uint64_t from; /* where that part begins */
	bool again, older, restart, snapshot;
	bool paused; /* of a record: it waits for `resume` */
	/* The channel has named the bundle: the sum of its manifest.yaml. */
	bool named;
	uint8_t manifest[SHA256_BYTES];
};

/* argv[0] is "update". Errors say what would be right. */
MUST_CHECK int order_parse(struct order *o, unsigned argc, const char *const *argv, struct err *e);
/* What an install of it waits for, when it has to wait. */
const char *order_missed(const struct order *o);
/* The record: one word a line, the source behind the first, the sum behind `manifest`. order_read refuses whatever
 * order_record does not write. There is none of an upload: what a pipe has given does not come again. */
void order_record(const struct order *o, struct buf *b);
MUST_CHECK int order_read(struct order *o, const char *file, const char *text, size_t len, struct err *e);

#endif
