/* Facts of the kube role on their way to PID 1. A PID 1 that is slow is no reason to wait, nor to lose the last value.
 */
#include "kube/facts.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "core/proto.h"
#include "loop/chan.h"

void kfacts_init(struct kfacts *f, struct loop *l, int chan)
{
	memset(f, 0, sizeof(*f));
	f->loop = l;
	f->chan = chan;
}

void kfacts_fini(struct kfacts *f)
{
	if (f->loop)
		loop_cancel(f->loop, &f->timer);
}

static int send_one(struct kfacts *f, const struct kfact *fact, struct err *e)
{
	char msg[LIMIT_REQUEST];
	const char *argv[] = {"fact", fact->name, fact_value_name(fact->value), fact->detail};
	if (f->chan < 0) {
		log_info("kube", "%s %s: %s", fact->name, fact_value_name(fact->value), fact->detail);
		return 0;
	}
	int len = proto_request(msg, sizeof(msg), ++f->id, fact->detail[0] != '\0' ? 4 : 3, argv, e);
	return len < 0 ? -1 : chan_send(f->chan, msg, (size_t)len, -1, e);
}

static void flush(struct loop *l, void *arg)
{
	struct kfacts *f = arg;
	for (unsigned i = 0; i < f->count; i++) {
		struct err e = {0};
		if (!f->fact[i].due)
			continue;
		if (send_one(f, &f->fact[i], &e) < 0 && e.code == EAGAIN) {
			loop_after(l, &f->timer, FACTS_EVERY_MS, flush, f);
			break;
		}
		if (e.code != 0)
			log_warnx("kube", "fact %s: %s", f->fact[i].name, e.text);
		f->fact[i].due = false;
	}
	f->sent = clock_ms();
}

static struct kfact *find(struct kfacts *f, const char *name)
{
	for (unsigned i = 0; i < f->count; i++) {
		if (str_eq(f->fact[i].name, name))
			return &f->fact[i];
	}
	if (f->count == FACTS || str_copy(f->fact[f->count].name, LIMIT_NAME, name) < 0)
		return NULL;
	return &f->fact[f->count++];
}

void kfacts_set(struct kfacts *f, const char *name, enum fact_value v, const char *detail)
{
	char cut[LIMIT_DETAIL];
	size_t n = strnlen(detail, sizeof(cut) - 1);
	struct kfact *fact = find(f, name);
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
	loop_after(f->loop, &f->timer, since < FACTS_EVERY_MS ? FACTS_EVERY_MS - since : FACTS_SOON_MS, flush, f);
}

void kfacts_app_name(const char *app, char name[LIMIT_NAME])
{
	static const char fits[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	struct buf b;
	buf_init(&b, name, LIMIT_NAME);
	buf_add(&b, "app-");
	for (; *app; app++)
		buf_add_char(&b, strchr(fits, *app) ? *app : '-');
}
