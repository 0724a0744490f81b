/* The list of what a trial still lacks; see criteria.h. Pure but for the structs it reads. */
#include "boot/criteria.h"

#include <string.h>

#include "base/str.h"
#include "core/settings_update.h"

#define MORE 16 /* room for " and 999 more" */

struct list {
	struct buf *out;
	unsigned items, left_out;
};

static void add(struct list *l, const char *prefix, const char *name)
{
	size_t n = strlen(prefix) + strlen(name) + 2;
	if (l->left_out > 0 || l->out->len + n + MORE >= CRITERIA_TEXT)
		l->left_out++;
	else
		buf_addf(l->out, "%s%s%s", l->items++ > 0 ? ", " : "", prefix, name);
}

static bool is_on(const struct criteria *c, const char *fact)
{
	return fact_get(c->facts, fact) == FACT_ON;
}

/* See criteria.h: what counts is what the slot itself has to bring about. */
static bool is_late(const struct service *s)
{
	if (!s->def.enabled)
		return false;
	if (s->state == SERVICE_STARTING)
		return s->def.type == SERVICE_DAEMON && s->def.ready != READY_FACT;
	return s->state == SERVICE_FAILED || s->state == SERVICE_BACKOFF;
}

static void add_services(const struct criteria *c, struct list *l)
{
	for (unsigned i = 0; i < c->services->count; i++) {
		if (is_late(&c->services->service[i]))
			add(l, "service ", c->services->service[i].def.name);
	}
}

static bool has_service(const struct services *ss, const char *name)
{
	for (unsigned i = 0; i < ss->count; i++) {
		if (str_eq(ss->service[i].def.name, name))
			return true;
	}
	return false;
}

/* The new version has left it out: all its manifests are applied, and nobody has ever told of that app. */
static bool is_gone(const struct criteria *c, const char *app)
{
	return is_on(c, "kube-applied") && fact_find(c->facts, app) == NULL;
}

static void add_before(const struct criteria *c, bool kube, struct list *l)
{
	for (unsigned i = 0; i < c->before->count; i++) {
		const char *fact = c->before->name[i];
		bool network = str_eq(fact, NAMES_NETWORK);
		if (!(c->health & (network ? HEALTH_SERVICES : HEALTH_APPS)) || (!network && !kube))
			continue;
		if (!is_on(c, fact) && (network || !is_gone(c, fact)))
			add(l, "", fact);
	}
}

void criteria_missing(const struct criteria *c, struct buf *out)
{
	struct list l = {.out = out};
	bool kube = is_on(c, "kubernetes") && has_service(c->services, "kube");
	if (!c->healthy)
		add(&l, "", "a running system");
	if (c->health & HEALTH_SERVICES)
		add_services(c, &l);
	if ((c->health & HEALTH_NODE) && kube && !is_on(c, "node-ready"))
		add(&l, "", "node-ready");
	add_before(c, kube, &l);
	if (l.left_out > 0)
		buf_addf(out, " and %u more", l.left_out);
}
