/* From a channel's index to one offer; see offer.h. Runs in the update role; nothing here is believed before the check
 * has found the signature good. */
#include "update/offer.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "board.h"
#include "format/sha256.h"
#include "host/release.h"
#include "update/memory.h"

#define ROOM "update"

/* A disk that is full must not keep the update away that may help. */
static void keep_serial(const struct channel *c)
{
	struct err e = {0};
	if (c->serial > memory_serial(c->name) && memory_keep_serial(c->name, c->serial, &e) < 0)
		log_warnx(ROOM, "%s", e.text);
}

static int take(struct offer *o, const char *index, const struct channel_choice *choice, struct err *e)
{
	const struct channel_version *v = choice->take;
	if (url_join(o->url, index, v->url, e) < 0 || str_copy(o->version, sizeof(o->version), v->version) < 0 ||
	    str_copy(o->newest, sizeof(o->newest), choice->newest->version) < 0)
		return -1;
	o->size = v->size;
	o->released = v->released;
	memcpy(o->manifest, v->manifest_sha256, sizeof(o->manifest));
	o->there = true;
	return 0;
}

int offer_read(struct offer *o, const struct channel_text *t, bool synced, channel_check_fn *check, void *arg,
               struct err *e)
{
	static struct channel c;
	static struct yaml y;
	struct channel_choice choice;
	char running[VERSION_TEXT];
	memset(o, 0, sizeof(*o));
	if (channel_read(&c, &y, t, check, arg, e) < 0)
		return -1;
	const struct channel_now now = {clock_wall(), synced, memory_serial(c.name)};
	if (channel_fresh(&c, &now, e) < 0)
		return -1;
	keep_serial(&c);
	release_version(running);
	if (channel_choose(&c, running, BOARD_NAME, &choice, e) < 0 ||
	    str_copy(o->channel, sizeof(o->channel), c.name) < 0 || str_copy(o->text, sizeof(o->text), choice.text) < 0)
		return -1;
	if (choice.take && take(o, t->file, &choice, e) < 0)
		return -1;
	o->serial = c.serial;
	o->expires = c.expires;
	o->withdrawn = choice.withdrawn;
	o->known = true;
	return 0;
}

void offer_name(const struct offer *o, struct order *order)
{
	if (!o->there || order->kind != ORDER_URL || !str_eq(o->url, order->source))
		return;
	order->named = true;
	memcpy(order->manifest, o->manifest, sizeof(order->manifest));
}

int offer_check(const struct order *o, const void *manifest, size_t len, struct err *e)
{
	uint8_t sum[SHA256_BYTES];
	if (!o->named)
		return 0;
	sha256(manifest, len, sum);
	if (memcmp(sum, o->manifest, sizeof(sum)) == 0)
		return 0;
	return err_set(e, EBADMSG, "the bundle at that address is not the one that the channel names; check again");
}
