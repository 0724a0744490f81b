/* The answers that describe the box: status, services, facts, events. Each writes one JSON object; nothing here changes
 * anything or waits for anything. */
#ifndef HEARTH_BOOT_STATUS_H
#define HEARTH_BOOT_STATUS_H

#include "boot/box.h"
#include "format/json.h"

/* The box's address in the LAN, without a prefix length; "" while none is known. */
void status_address(const struct box *box, char *dst, size_t cap);
/* Of the HTTPS console at that address, or "". */
void status_url(const struct box *box, char *dst, size_t cap);
/* What of the owner's login peer may know is in it. */
void status_box(struct box *box, enum peer peer, struct json *out);
void status_services(const struct box *box, struct json *out);
void status_facts(const struct box *box, struct json *out);
/* Events from number `from` on (0: the last STATUS_EVENTS), as many as fit. */
void status_events(const struct box *box, uint64_t from, struct json *out);

#define STATUS_EVENTS 20
#define STATUS_URL    (LIMIT_DETAIL + 16)

#endif
