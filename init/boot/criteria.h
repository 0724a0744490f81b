/* What a slot must show before it is kept: the criteria of the health gate (settings, `update.health`), as one list of
 * what is still missing. Reads memory only.
 *
 *   always    nothing speaks against the slot (the fact healthy's own rule, see boot/wire).
 *   services  no enabled service is failed or in back-off, no daemon still starting. One that is ready by a fact, or
 *             waits for something, is judged by what it waits for; a oneshot may be at its work for hours. And the
 *             network is up, when it was before the update.
 *   node      node-ready.
 *   apps      the apps that were healthy before the update are healthy: the facts (app-NAME) of PATH_RUN_APPS. One that
 *             this version has no more is not asked for.
 *
 * node and apps only while the fact kubernetes is on and its services are in the image. */
#ifndef HEARTH_BOOT_CRITERIA_H
#define HEARTH_BOOT_CRITERIA_H

#include "base/buf.h"
#include "core/fact.h"
#include "core/names.h"
#include "service/model.h"

#define CRITERIA_TEXT 100 /* the list, cut to fit into a sentence of LIMIT_DETAIL */

struct criteria {
	unsigned health; /* mask of enum settings_health */
	bool healthy;
	const struct facts *facts;
	const struct services *services;
	const struct names *before;
};

/* "node-ready, app-coredns and 3 more", or nothing when all is there. out: empty, room for CRITERIA_TEXT. */
void criteria_missing(const struct criteria *c, struct buf *out);

#endif
