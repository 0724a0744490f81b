/* Parts of an upload, asked for and given; see part.h. Runs in the update role. */
#include "update/part.h"

#include <errno.h>
#include <inttypes.h>

int part_ask(struct msg_want *asked, const struct msg_want *w, const struct order *o, struct err *e)
{
	if (o->kind != ORDER_PARTS || w->length == 0 || w->from > o->size || w->length > o->size - w->from)
		return err_set(e, EPROTO, "the worker asks for what is not in the file");
	*asked = *w;
	return 0;
}

int part_fits(const struct msg_want *asked, const struct order *o, struct err *e)
{
	if (asked->length == 0)
		return err_set(e, EAGAIN, "no part of a file is asked for now");
	if (o->from != asked->from || o->size > asked->length)
		return err_set(e, EINVAL, "%" PRIu64 " bytes from byte %" PRIu64 " on are asked for", asked->length,
		               asked->from);
	return 0;
}
