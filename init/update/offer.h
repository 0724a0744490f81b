/* What the channel offers this box: an index that was believed, boiled down to the one version to take next. For the
 * update role; reads the running version, and keeps the edition seen (update/memory). */
#ifndef HEARTH_UPDATE_OFFER_H
#define HEARTH_UPDATE_OFFER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "update/channel.h"
#include "update/order.h"

struct offer {
	bool known; /* an index was believed: channel, serial, expires, text, withdrawn are its */
	char channel[LIMIT_NAME];
	uint64_t serial;
	int64_t expires;
	bool withdrawn;          /* the running version was */
	char text[LIMIT_DETAIL]; /* one sentence that says all of it */

	bool there; /* something to take, and the rest is about it */
	char version[VERSION_TEXT];
	char newest[VERSION_TEXT]; /* another one than version: that is a stepping stone */
	char url[URL_MAX];
	uint64_t size;
	int64_t released;
	uint8_t manifest[CHANNEL_SHA256];
};

/* From an index and its signature; t->file is the URL it came from. An old edition, one that goes back, one of nobody
 * known: -1, and nothing is offered. synced: as channel_fresh has it. */
MUST_CHECK int offer_read(struct offer *o, const struct channel_text *t, bool synced, channel_check_fn *check,
                          void *arg, struct err *e);
/* An order for the address that is offered is one for the bundle that the channel names; others stay as they are. */
void offer_name(const struct offer *o, struct order *order);
/* Is this the manifest of the bundle that was named? 0 also when none was. */
MUST_CHECK int offer_check(const struct order *o, const void *manifest, size_t len, struct err *e);

#endif
