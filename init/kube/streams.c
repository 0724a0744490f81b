/* Watches over the client: start, go on, start again. Runs in the kube role. What a stream says goes to the engine. */
#include "kube/streams.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"

#define ROOM "kube"

static void start(struct loop *loop, void *arg);

static void later(struct stream *s, unsigned retry_after_s)
{
	struct link *l = s->all->link;
	loop_after(l->loop, &s->timer, retry_next_ms(&s->retry, retry_after_s, link_random(l)), start, s);
}

static void on_line(char *line, size_t len, void *arg)
{
	struct stream *s = arg;
	struct err e = {0};
	if (s->broken)
		return;
	retry_reset(&s->retry);
	if (watch_line(&s->watch, line, len, &e) < 0) {
		s->broken = true;
		if (e.code != ESTALE)
			log_warnx(ROOM, "watching %s: %s", s->watch.kind, e.text);
		kclient_cancel(&s->all->link->client, s->call);
		s->call = 0;
		later(s, 0);
	}
	s->all->seen(s->all->arg);
}

static void take_page(struct stream *s, const struct kclient_reply *r)
{
	struct err e = {0};
	yyjson_doc *doc = yyjson_read_opts(r->body, r->len, YYJSON_READ_INSITU, NULL, NULL);
	int rc = watch_page(&s->watch, yyjson_doc_get_root(doc), &e);
	yyjson_doc_free(doc);
	if (rc < 0) {
		log_warnx(ROOM, "listing %s: %s", s->watch.kind, e.text);
		later(s, 0);
		return;
	}
	retry_reset(&s->retry);
	start(s->all->link->loop, s);
	s->all->seen(s->all->arg);
}

/* The server's state is older than what it told us before: it has been put back from a copy. */
static bool is_put_back(const struct kclient_reply *r)
{
	return r->status >= 500 && strstr(r->body, "oo large resource version") != NULL;
}

static void on_done(const struct kclient_reply *r, void *arg)
{
	struct stream *s = arg;
	enum retry_what what = is_put_back(r) ? RETRY_RELIST : retry_rule(r->fault, r->status)->what;
	s->call = 0;
	/* A stream that fell silent says nothing about the server: its next call does. */
	if (r->fault != KCLIENT_TIMEOUT || s->watch.state == WATCH_LIST)
		link_note(s->all->link, r);
	if (what == RETRY_RELIST) {
		watch_restart(&s->watch);
		later(s, 0);
	} else if (what == RETRY_DONE && s->watch.state == WATCH_LIST) {
		take_page(s, r);
	} else if (what == RETRY_DONE) {
		/* The server ends a stream now and then. One that ends at once, again and again, must not be a busy
		 * loop. */
		later(s, 0);
	} else {
		if (r->fault == KCLIENT_TOO_LARGE)
			watch_shrink(&s->watch);
		if (what == RETRY_MISSING)
			link_refresh(s->all->link, false);
		later(s, r->retry_after_s);
	}
}

static int ask(struct stream *s, struct err *e)
{
	const struct watch *w = &s->watch;
	const struct object_id id = {w->group, w->kind, "", ""};
	char path[KCLIENT_PATH];
	struct buf b;
	bool stream = w->state == WATCH_OPEN;
	if (kclient_free(&s->all->link->client) <= STREAMS_KEEP)
		return err_set(e, ENOSPC, "too many kinds are watched");
	buf_init(&b, path, sizeof(path));
	if (link_path(s->all->link, &id, w->version, &b, e) < 0)
		return -1;
	buf_add_char(&b, '?');
	watch_query(w, &b);
	if (!buf_ok(&b))
		return err_set(e, ENAMETOOLONG, "the path is too long");
	struct kclient_request r = {
		.method = "GET",
		.path = path,
		.accept = watch_accept(w),
		.timeout_ms = stream ? STREAM_SILENCE_MS : 0,
		.max = KCLIENT_MAX_LINE,
		.on_line = stream ? on_line : NULL,
		.done = on_done,
		.arg = s,
	};
	s->broken = false;
	s->call = kclient_call(&s->all->link->client, &r, e);
	return s->call ? 0 : -1;
}

static void start(struct loop *loop, void *arg)
{
	struct stream *s = arg;
	struct err e = {0};
	(void)loop;
	if (!s->all->open || s->call)
		return;
	if (ask(s, &e) == 0)
		return;
	if (e.code == ENOENT) /* its CRD comes later, perhaps */
		link_refresh(s->all->link, false);
	else
		log_warnx(ROOM, "watching %s: %s", s->watch.kind, e.text);
	later(s, 0);
}

/* --- objects ---------------------------------------------------------------------------------- */

static void see_object(struct watch *w, enum watch_event ev, yyjson_val *object)
{
	struct stream *s = w->arg;
	struct object_id id = object_id_of(object, w->group, w->kind);
	if (items_find(&s->all->apply->t, &id) < 0)
		s->strange = true;
	else
		apply_seen(s->all->apply, &id, ev, object);
}

static void see_list(struct watch *w, bool complete)
{
	struct stream *s = w->arg;
	if (!complete) {
		s->strange = false;
		if (s->listed)
			apply_relist(s->all->apply, w->group, w->kind);
	}
	s->listed |= complete;
	apply_listed(s->all->apply, w->group, w->kind, complete);
}

/* --- nodes ------------------------------------------------------------------------------------ */

void streams_tell_nodes(const struct streams *all)
{
	int ready = 0, stale = 0;
	if (all->stream[0].watch.state != WATCH_OPEN)
		return;
	for (unsigned i = 0; i < all->node_count; i++) {
		bool doubtful = all->nodes[i].stale && !all->believe;
		ready += all->nodes[i].ready && !doubtful;
		stale += all->nodes[i].ready && doubtful;
	}
	all->node(ready, stale, (int)all->node_count, all->arg);
}

static void see_node(struct watch *w, enum watch_event ev, yyjson_val *object)
{
	struct stream *s = w->arg;
	struct streams *all = s->all;
	struct object_id id = object_id_of(object, w->group, w->kind);
	uint32_t name = object_hash(&id);
	unsigned i = 0;
	while (i < all->node_count && all->nodes[i].name != name)
		i++;
	if (ev == WATCH_DELETED) {
		if (i < all->node_count)
			all->nodes[i] = all->nodes[--all->node_count];
	} else if (i < STREAMS_NODES) {
		all->nodes[i].name = name;
		all->nodes[i].ready = object_is(object, "Ready", "True");
		all->nodes[i].stale = all->doubts && all->doubts(object, all->arg);
		all->node_count += i == all->node_count;
	}
	if (ev != WATCH_LISTED)
		streams_tell_nodes(all);
}

static void see_nodes(struct watch *w, bool complete)
{
	struct stream *s = w->arg;
	if (complete)
		streams_tell_nodes(s->all);
	else
		s->all->node_count = 0;
}

/* --- all -------------------------------------------------------------------------------------- */

static const char *version_of(const struct manifest *m, const char *group, const char *kind)
{
	for (unsigned i = 0; i < m->count; i++) {
		if (str_eq(m->object[i].kind, kind) && str_eq(m->object[i].group, group))
			return m->object[i].version;
	}
	return NULL;
}

static struct watch *add(struct streams *s, const struct watch_ops *ops, const char *group, const char *kind)
{
	struct stream *st = &s->stream[s->count++];
	st->all = s;
	watch_init(&st->watch, ops, st);
	st->watch.group = group;
	st->watch.kind = kind;
	st->watch.version = NULL;
	return &st->watch;
}

void streams_init(struct streams *s, struct link *link, struct apply *apply, const struct inventory *inv)
{
	static const struct watch_ops objects = {see_object, see_list}, nodes = {see_node, see_nodes};
	memset(s, 0, sizeof(*s));
	s->link = link;
	s->apply = apply;
	add(s, &nodes, "", "Node")->full = true;
	for (unsigned i = 0; i < inv->kinds; i++) {
		const struct inventory_kind *k = &inv->kind[i];
		if (!k->now)
			continue;
		struct watch *w = add(s, &objects, k->group, k->kind);
		w->version = version_of(inv->m, k->group, k->kind);
		w->selector = INVENTORY_SELECTOR;
		w->full = health_needs_status(k->group, k->kind);
		if (str_eq(k->kind, "CustomResourceDefinition"))
			w->page = WATCH_PAGE_CRD;
	}
}

void streams_open(struct streams *s)
{
	s->open = true;
	for (unsigned i = 0; i < s->count; i++) {
		s->stream[i].listed = false;
		watch_restart(&s->stream[i].watch); /* it may be another server, or an older state of it */
		start(s->link->loop, &s->stream[i]);
	}
}

void streams_close(struct streams *s)
{
	s->open = false;
	for (unsigned i = 0; i < s->count; i++) {
		loop_cancel(s->link->loop, &s->stream[i].timer);
		kclient_cancel(&s->link->client, s->stream[i].call);
		s->stream[i].call = 0;
	}
}

void streams_kick(struct streams *s)
{
	for (unsigned i = 0; i < s->count; i++) {
		if (s->open && !s->stream[i].call)
			loop_after(s->link->loop, &s->stream[i].timer, 0, start, &s->stream[i]);
	}
}

bool streams_clean(const struct streams *s, const char *group, const char *kind)
{
	for (unsigned i = 1; i < s->count; i++) { /* 0: nodes */
		const struct watch *w = &s->stream[i].watch;
		if (str_eq(w->kind, kind) && str_eq(w->group, group))
			return s->open && w->state == WATCH_OPEN && !s->stream[i].strange;
	}
	return false;
}

void streams_fini(struct streams *s)
{
	if (!s->link)
		return;
	streams_close(s);
	for (unsigned i = 0; i < s->count; i++)
		watch_free(&s->stream[i].watch);
}
