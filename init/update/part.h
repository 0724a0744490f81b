/* The part of an upload that is asked for: only what the file has, and only what is asked for is given. Pure. */
#ifndef HEARTH_UPDATE_PART_H
#define HEARTH_UPDATE_PART_H

#include "base/err.h"
#include "update/msg.h"
#include "update/order.h"

/* The worker, which has met the network, wants w of the upload o. -1: it cannot. */
MUST_CHECK int part_ask(struct msg_want *asked, const struct msg_want *w, const struct order *o, struct err *e);
/* Is o the part that is asked for, or its beginning? asked->length 0: none is. */
MUST_CHECK int part_fits(const struct msg_want *asked, const struct order *o, struct err *e);

#endif
