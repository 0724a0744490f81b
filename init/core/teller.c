/* Facts of a role on their way to PID 1. A PID 1 that is slow is no reason to wait, nor to lose the last value.
 */
#include "core/teller.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "core/proto.h"
#include "loop/chan.h"

void teller_init(struct teller *f, struct teller_fact *room_for, unsigned max)
{
	memset(f, 0, sizeof(*f));
	f->fact = room_for;
	f->max = max;
	f->chan = -1;
}

void teller_open(struct teller *f, struct loop *l, int chan, const char *room)
{
	f->loop = l;
	f->chan = chan;
	f->room = room;
}

void teller_fini(struct teller *f)
{
	if (f->loop)
		loop_cancel(f->loop, &f->timer);
}

static int send_one(struct teller *f, const struct teller_fact *fact, struct err *e)
{
	char msg[LIMIT_REQUEST];
	const char *argv[] = {"fact", fact->name, fact_value_name(fact->value), fact->detail};
	if (f->chan < 0) {
		log_info(f->room, "%s %s: %s", fact->name, fact_value_name(fact->value), fact->detail);
		return 0;
	}
	int len = proto_request(msg, sizeof(msg), ++f->id, fact->detail[0] != '\0' ? 4 : 3, argv, e);
	return len < 0 ? -1 : chan_send(f->chan, msg, (size_t)len, -1, e);
}

static void flush(struct loop *l, void *arg)
{
	struct teller *f = arg;
	for (unsigned i = 0; i < f->count; i++) {
		struct err e = {0};
		if (!f->fact[i].due)
			continue;
		if (send_one(f, &f->fact[i], &e) < 0 && e.code == EAGAIN) {
			loop_after(l, &f->timer, TELLER_EVERY_MS, flush, f);
			break;
		}
		if (e.code != 0)
			log_warnx(f->room, "fact %s: %s", f->fact[i].name, e.text);
		f->fact[i].due = false;
	}
	f->sent = clock_ms();
}

static struct teller_fact *find(struct teller *f, const char *name)
{
	for (unsigned i = 0; i < f->count; i++) {
		if (str_eq(f->fact[i].name, name))
			return &f->fact[i];
	}
	if (f->count == f->max || str_copy(f->fact[f->count].name, LIMIT_NAME, name) < 0)
		return NULL;
	return &f->fact[f->count++];
}

void teller_set(struct teller *f, const char *name, enum fact_value v, const char *detail)
{
	char cut[LIMIT_DETAIL];
	size_t n = strnlen(detail, sizeof(cut) - 1);
	struct teller_fact *fact = find(f, name);
	memcpy(cut, detail, n);
	cut[n] = '\0';
	for (char *p = cut; *p; p++) { /* words of a request hold no control characters */
		if ((unsigned char)*p < ' ')
			*p = ' ';
	}
	if (!fact || (fact->value == v && v != FACT_UNKNOWN && str_eq(fact->detail, cut)))
		return;
	fact->value = v;
	memcpy(fact->detail, cut, n + 1);
	fact->due = true;
	if (f->timer.armed)
		return;
	uint64_t since = clock_ms() - f->sent;
	loop_after(f->loop, &f->timer, since < TELLER_EVERY_MS ? TELLER_EVERY_MS - since : TELLER_SOON_MS, flush, f);
}
