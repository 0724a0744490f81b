/* How an update is, as one sentence for people: what both consoles show, and the fact update-running. */
#ifndef HEARTH_UPDATE_CONDUCT_TEXT_H
#define HEARTH_UPDATE_CONDUCT_TEXT_H

#include "update/conduct.h"

void conduct_text(const struct conduct *c, struct buf *b);

#endif
