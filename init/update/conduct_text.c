/* The sentence for people; see conduct.h. Reads memory only. */
#include "update/conduct.h"

#include <inttypes.h>

static void add_progress(const struct conduct *c, struct buf *b)
{
	const struct msg_progress *p = &c->progress;
	buf_add(b, msg_phase_name(p->phase));
	if (p->total > 0)
		buf_addf(b, " %u %%, %" PRIu64 ".%" PRIu64 " of %" PRIu64 ".%" PRIu64 " MiB", msg_per_cent(p),
		         p->done >> 20, (p->done & 0xFFFFF) * 10 >> 20, p->total >> 20,
		         (p->total & 0xFFFFF) * 10 >> 20);
}

void conduct_text(const struct conduct *c, struct buf *b)
{
	const char *version = c->known ? c->m.version : "";
	switch (c->state) {
	case UPDATE_IDLE:
		buf_add(b, c->why[0] ? c->why : "no update is under way");
		break;
	case UPDATE_ASKING:
		if (c->order.kind == ORDER_PIPE || c->order.kind == ORDER_PARTS)
			buf_add(b, "an upload begins");
		else
			buf_addf(b, "asking %s", c->place.found[0] ? c->place.found : c->order.source);
		break;
	case UPDATE_LOADING:
		buf_addf(b, "version %s: ", version);
		add_progress(c, b);
		break;
	case UPDATE_WAITING:
		buf_addf(b, "waiting for the %s: %s", order_missed(&c->order), c->why);
		break;
	case UPDATE_PAUSED:
		buf_addf(b, "version %s: paused", version);
		break;
	case UPDATE_ARMING:
		buf_addf(b, "version %s: nearly done", version);
		break;
	case UPDATE_READY:
		buf_addf(b, "version %s in slot %c; restart to try it", version, c->place.half.other);
		break;
	default:
		buf_addf(b, "failed: %s", c->why);
		if (c->armed[0])
			buf_addf(b, "; version %s is still in slot %c, restart to try it", c->armed,
			         c->place.half.other);
		break;
	}
}
