/* From a kubeconfig that is not there yet to an API server whose kinds are known, and back. Runs in the kube role.
 * It must never give up: the server comes when it comes. */
#include "kube/link.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/sys.h"

#define ROOM "kube"

static void look(struct loop *loop, void *arg);
static void read_kinds(struct loop *loop, void *arg);

void link_init(struct link *l, struct loop *loop, const char *kubeconfig, const struct link_hooks *hooks, void *arg)
{
	memset(l, 0, sizeof(*l));
	l->loop = loop;
	l->kubeconfig = kubeconfig;
	l->hooks = hooks;
	l->arg = arg;
	l->random = (uint32_t)clock_ms() | 1;
}

uint32_t link_random(struct link *l) /* xorshift32 (Marsaglia 2003); only spreads retries */
{
	l->random ^= l->random << 13;
	l->random ^= l->random >> 17;
	l->random ^= l->random << 5;
	return l->random;
}

static void tell(struct link *l, bool up, const char *text)
{
	char cut[LIMIT_DETAIL];
	size_t n = strnlen(text, sizeof(cut) - 1);
	memcpy(cut, text, n);
	cut[n] = '\0';
	if (l->up == up && str_eq(l->text, cut))
		return;
	if (l->up != up || l->text[0] == '\0')
		log_info(ROOM, "API server: %s", cut);
	l->up = up;
	memcpy(l->text, cut, n + 1);
	l->hooks->changed(up, l->text, l->arg);
}

static void later(struct link *l, loop_timer_fn *fn)
{
	loop_after(l->loop, &l->timer, retry_next_ms(&l->retry, 0, link_random(l)), fn, l);
}

static void drop(struct link *l)
{
	bool was_open = l->phase == LINK_OPEN;
	l->phase = LINK_CREDENTIALS;
	l->refreshing = l->wanted = false;
	loop_cancel(l->loop, &l->timer);
	loop_cancel(l->loop, &l->login);
	loop_cancel(l->loop, &l->again);
	if (was_open)
		l->hooks->closed(l->arg);
	discovery_cancel(&l->discovery);
	kclient_close(&l->client);
}

void link_stop(struct link *l)
{
	drop(l);
	credentials_wipe(&l->credentials);
}

static void log_in(struct loop *loop, void *arg)
{
	struct link *l = arg;
	(void)loop;
	drop(l);
	later(l, look);
}

/* Statuses by which the server says that it is of no use to us. */
static bool is_off(const struct kclient_reply *r)
{
	return r->status == 401 || r->status == 503;
}

void link_note(struct link *l, const struct kclient_reply *r)
{
	const struct retry_rule *rule = retry_rule(r->fault, r->status);
	/* Too much for us, or cut: the server is there. */
	bool answered = r->fault == KCLIENT_OK || r->fault == KCLIENT_CUT || r->fault == KCLIENT_TOO_LARGE ||
	                r->fault == KCLIENT_MEMORY;
	if (rule->what == RETRY_LOGIN && l->phase != LINK_CREDENTIALS && !l->login.armed)
		loop_after(l->loop, &l->login, 0, log_in, l); /* not from inside the client */
	if (!answered)
		tell(l, false, r->why[0] ? r->why : rule->text);
	else if (is_off(r))
		tell(l, false, rule->text);
	else if (l->phase == LINK_OPEN)
		tell(l, true, l->credentials.server);
}

static void on_kinds(bool changed, const struct kclient_reply *r, const struct err *e, void *arg)
{
	struct link *l = arg;
	l->refreshing = false;
	l->refreshed = clock_ms();
	l->pause_ms = changed || l->pause_ms == 0 ? LINK_SOON_MS : l->pause_ms * 2;
	if (l->pause_ms > LINK_KINDS_MS)
		l->pause_ms = LINK_KINDS_MS;
	if (r)
		link_note(l, r);
	if (e && l->phase == LINK_KINDS) {
		if (!r || (r->fault == KCLIENT_OK && !is_off(r))) /* else link_note has told */
			tell(l, false, e->text);
		later(l, read_kinds);
		return;
	}
	if (e)
		log_warnx(ROOM, "kinds of objects: %s", e->text);
	else
		retry_reset(&l->retry);
	if (l->wanted) {
		l->wanted = false;
		link_refresh(l, true);
	}
	if (l->phase == LINK_OPEN) {
		l->hooks->kinds(l->arg);
		return;
	}
	l->phase = LINK_OPEN;
	tell(l, true, l->credentials.server);
	l->hooks->opened(l->arg);
}

static void read_kinds(struct loop *loop, void *arg)
{
	struct link *l = arg;
	struct err e = {0};
	(void)loop;
	if (l->refreshing) {
		l->wanted = true;
		return;
	}
	if (discovery_refresh(&l->discovery, &l->client, on_kinds, l, &e) == 0) {
		l->refreshing = true;
		return;
	}
	log_warnx(ROOM, "kinds of objects: %s", e.text);
	if (l->phase == LINK_KINDS)
		later(l, read_kinds);
	else
		loop_after(l->loop, &l->again, LINK_KINDS_MS, read_kinds, l);
}

void link_refresh(struct link *l, bool now)
{
	uint64_t since = clock_ms() - l->refreshed;
	if (l->phase != LINK_OPEN || (l->again.armed && !now))
		return;
	loop_after(l->loop, &l->again, now || since >= l->pause_ms ? 0 : l->pause_ms - since, read_kinds, l);
}

/* Is the kubeconfig there, and good? */
static void look(struct loop *loop, void *arg)
{
	struct link *l = arg;
	struct stat st;
	struct err e = {0};
	(void)loop;
	if (sys_stat(l->kubeconfig, &st) < 0 && errno == ENOENT) {
		tell(l, false, "waiting for k3s");
		loop_after(l->loop, &l->timer, LINK_LOOK_MS, look, l);
		return;
	}
	if (credentials_read(&l->credentials, l->kubeconfig, &e) < 0 ||
	    kclient_open(&l->client, l->loop, &l->credentials, &e) < 0) {
		tell(l, false, e.text);
		later(l, look);
		return;
	}
	l->phase = LINK_KINDS;
	read_kinds(l->loop, l);
}

void link_start(struct link *l)
{
	loop_after(l->loop, &l->timer, 0, look, l);
}

int link_path(const struct link *l, const struct object_id *id, const char *version, struct buf *b, struct err *e)
{
	struct discovery_kind k;
	if (discovery_find(&l->discovery, id->group, version, id->kind, &k, e) < 0)
		return -1;
	if (id->name[0] && k.namespaced && id->ns[0] == '\0')
		return err_set(e, EINVAL, "has no namespace; write metadata.namespace");
	if (!k.namespaced && id->ns[0] != '\0')
		return err_set(e, EINVAL, "a %s is in no namespace; leave out metadata.namespace", id->kind);
	discovery_prefix(&k, b);
	if (id->ns[0] != '\0') {
		buf_add(b, "/namespaces/");
		object_escape(b, id->ns);
	}
	buf_addf(b, "/%s", k.plural);
	if (id->name[0]) {
		buf_add_char(b, '/');
		object_escape(b, id->name);
	}
	return 0;
}
