/* Objects counted and judged for people. Pure; runs in the kube role. */
#include "kube/sum.h"

#include "base/str.h"

#define NAMED 2 /* apps that are waited for; a line of a console has room for no more */

/* An object can be judged when its turn has come; before, it is simply not there yet. */
static enum sum_verdict judge(const struct apply *a, const struct item *it)
{
	/* Of a paused app it is good enough that an object is there. */
	bool there = it->revision != 0 || (a->t.app[it->app].paused && it->seen != 0);
	if (it->state == ITEM_OVER)
		return SUM_HEALTHY;
	if (it->problem)
		return SUM_FAILED;
	if (it->health == HEALTH_FAILED)
		return SUM_DEGRADED;
	return there && items_health(&a->t, it) == HEALTH_CURRENT ? SUM_HEALTHY : SUM_PROGRESSING;
}

struct sum sum_of(const struct apply *a, int app)
{
	struct sum s = {SUM_HEALTHY, 0, 0, 0, -1};
	for (unsigned i = 0; i < a->t.m->count; i++) {
		const struct item *it = &a->t.item[i];
		if (app < 0 ? a->t.app[it->app].paused : it->app != app)
			continue;
		enum sum_verdict v = judge(a, it);
		s.objects++;
		s.applied += items_is_applied(it);
		s.ready += v == SUM_HEALTHY;
		if (v < s.verdict) {
			s.verdict = v;
			s.worst = (int)i;
		}
	}
	return s;
}

const char *sum_name(enum sum_verdict v)
{
	static const char *const names[] = {"failed", "degraded", "progressing", "healthy"};
	return names[v];
}

const char *sum_item_text(const struct apply *a, const struct item *it)
{
	return it->problem ? it->problem : items_why(&a->t, it);
}

void sum_text(const struct apply *a, int app, const struct sum *s, struct buf *b)
{
	if (app >= 0 && a->t.app[app].paused)
		buf_add(b, "paused; ");
	if (s->worst < 0) {
		buf_addf(b, "%u objects", s->objects);
		return;
	}
	const struct manifest_object *o = &a->t.m->object[s->worst];
	const struct object_id id = {o->group, o->kind, o->namespace, o->name};
	const char *why = sum_item_text(a, &a->t.item[s->worst]);
	buf_addf(b, "%u/%u; ", s->ready, s->objects);
	object_text(b, &id);
	if (why[0])
		buf_addf(b, ": %s", why);
	else
		buf_add(b,
		        a->t.item[s->worst].state == ITEM_WAITING ? ": its wave has not come yet" : ": not there yet");
}

bool sum_apps(const struct apply *a, struct buf *b)
{
	uint8_t late[ITEMS_APPS];
	unsigned n = 0, paused = 0;
	for (unsigned i = 0; i < a->t.apps; i++) {
		if (a->t.app[i].paused)
			paused++;
		else if (sum_of(a, (int)i).verdict != SUM_HEALTHY)
			late[n++] = (uint8_t)i;
	}
	buf_addf(b, "%u of %u apps healthy", a->t.apps - paused - n, a->t.apps - paused);
	if (paused > 0)
		buf_addf(b, ", %u paused", paused);
	for (unsigned i = 0; i < n && i < NAMED; i++)
		buf_addf(b, "%s%s", i > 0 ? ", " : "; waiting for ", a->t.app[late[i]].name);
	if (n > NAMED)
		buf_addf(b, " and %u more", n - NAMED);
	return n == 0;
}

const char *sum_item_name(const struct apply *a, const struct item *it)
{
	if (it->problem || it->health == HEALTH_FAILED)
		return "failed";
	if (it->seen == 0)
		return it->state == ITEM_OVER ? "current" : "missing";
	if (it->drift != ITEM_TRUE)
		return "drifted";
	if (it->revision == 0 && !a->t.app[it->app].paused)
		return "progressing";
	return items_health(&a->t, it) == HEALTH_CURRENT ? "current" : "progressing";
}
