/* The parent of the set, pruning and the history, in their order. Runs in the kube role.
 * It must never write a narrower list of kinds while objects of the others may be left. */
#include "kube/keeper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "kube/applied.h"

#define ROOM   "kube"
#define PARENT "/api/v1/namespaces/" INVENTORY_NS "/configmaps/" INVENTORY_NAME
#define BODY   ((size_t)4 * INVENTORY_TEXT)

static void go_on(struct loop *loop, void *arg);

int keeper_init(struct keeper *k, struct link *link, struct apply *apply, struct err *e)
{
	k->link = link;
	k->apply = apply;
	return inventory_init(&k->inventory, apply->t.m, e);
}

static void later(struct keeper *k, unsigned retry_after_s)
{
	loop_after(k->link->loop, &k->timer, retry_next_ms(&k->retry, retry_after_s, link_random(k->link)), go_on, k);
}

static void set_problem(struct keeper *k, const char *text)
{
	char cut[LIMIT_DETAIL];
	size_t n = strnlen(text, sizeof(cut) - 1);
	memcpy(cut, text, n);
	cut[n] = '\0';
	if (str_eq(k->problem, cut))
		return;
	memcpy(k->problem, cut, n + 1);
	if (cut[0])
		log_warnx(ROOM, "%s", cut);
	k->changed(k->arg);
}

static void answer_problem(struct keeper *k, const char *what, const struct outcome_answer *a)
{
	char text[LIMIT_DETAIL];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	buf_addf(&b, "%s: ", what);
	outcome_text(a, &b);
	set_problem(k, text);
}

static void call(struct keeper *k, struct kclient_request *r, kclient_done_fn *done)
{
	struct err e = {0};
	r->done = done;
	r->arg = k;
	k->call = kclient_call(&k->link->client, r, &e);
	if (k->call)
		return;
	set_problem(k, e.text);
	later(k, 0);
}

/* --- the parent ------------------------------------------------------------------------------- */

static void on_parent(const struct kclient_reply *r, void *arg)
{
	struct keeper *k = arg;
	struct err e = {0};
	k->call = 0;
	link_note(k->link, r);
	yyjson_doc *doc = yyjson_read_opts(r->body, r->len, YYJSON_READ_INSITU, NULL, NULL);
	const struct outcome_answer a = {r->fault, r->status, r->retry_after_s, r->why, yyjson_doc_get_root(doc)};
	enum outcome outcome = outcome_of(&a);
	if (outcome == OUTCOME_OK && inventory_read(&k->inventory, a.body, &e) < 0)
		set_problem(k, e.text); /* another tool's: a person has to look */
	else if (outcome == OUTCOME_OK || outcome == OUTCOME_MISSING)
		k->phase = KEEPER_CLAIM;
	else
		answer_problem(k, "reading the inventory", &a);
	yyjson_doc_free(doc);
	if (k->phase != KEEPER_CLAIM) {
		later(k, r->retry_after_s);
		return;
	}
	for (unsigned i = 0; i < k->apply->t.apps; i++)
		k->apply->t.app[i].paused = inventory_paused(&k->inventory, k->apply->t.app[i].name);
	retry_reset(&k->retry);
	go_on(k->link->loop, k);
}

/* The request that writes the parent; NULL with e: it cannot be written. */
static int write_parent(struct keeper *k, struct kclient_request *r, struct err *e)
{
	struct buf b;
	char *text = malloc(BODY);
	if (!text)
		return err_set(e, ENOMEM, "no memory for the inventory");
	buf_init(&b, text, BODY);
	if (inventory_body(&k->inventory, k->exact, &b, e) < 0) {
		free(text);
		return -1;
	}
	*r = (struct kclient_request){.method = "PATCH",
	                              .path = PARENT "?fieldManager=" INVENTORY_MANAGER "&force=true",
	                              .type = "application/apply-patch+yaml",
	                              .body = text,
	                              .body_len = b.len,
	                              .give_body = true};
	return 0;
}

static void synced(struct keeper *k)
{
	struct err e = {0};
	k->phase = KEEPER_SYNCED;
	k->synced = true;
	k->pruned = !k->prune.incomplete && !k->prune.refused;
	if (history_add(&k->history, k->apply->t.m->revision, k->apply->t.m->count, &e) < 0)
		log_warnx(ROOM, "history: %s", e.text);
	if (k->applied[0] && applied_write(k->applied, &k->apply->t, &e) < 0)
		log_warnx(ROOM, "%s", e.text);
	log_info(ROOM, "%u objects applied, revision %s; %u left the set, %u of them deleted", k->apply->t.m->count,
	         k->apply->t.m->revision, k->prune.leaving + k->prune.kept, k->prune.deleted);
	if (!k->pruned)
		loop_after(k->link->loop, &k->timer, KEEPER_PRUNE_MS, go_on, k);
	k->changed(k->arg);
}

static void on_written(const struct kclient_reply *r, void *arg)
{
	struct keeper *k = arg;
	k->call = 0;
	link_note(k->link, r);
	yyjson_doc *doc = yyjson_read_opts(r->body, r->len, YYJSON_READ_INSITU, NULL, NULL);
	const struct outcome_answer a = {r->fault, r->status, r->retry_after_s, r->why, yyjson_doc_get_root(doc)};
	bool ok = outcome_of(&a) == OUTCOME_OK;
	if (!ok)
		answer_problem(k, "writing the inventory", &a);
	yyjson_doc_free(doc);
	if (!ok) {
		later(k, r->retry_after_s);
		return;
	}
	retry_reset(&k->retry);
	if (k->phase == KEEPER_RELEASE) {
		synced(k);
		return;
	}
	k->phase = KEEPER_APPLY;
	set_problem(k, "");
	k->claimed(k->arg);
	keeper_look(k);
}

/* --- pruning ---------------------------------------------------------------------------------- */

static bool is_wanted(const struct object_id *id, void *arg)
{
	const struct keeper *k = arg;
	return items_find(&k->apply->t, id) >= 0;
}

static void tell(const struct object_id *id, const char *what, void *arg)
{
	char text[LIMIT_DETAIL];
	struct buf b;
	(void)arg;
	buf_init(&b, text, sizeof(text));
	object_text(&b, id);
	log_info(ROOM, "%s: %s", text, what);
}

static bool is_clean(const char *group, const char *kind, void *arg)
{
	const struct keeper *k = arg;
	return k->clean && k->clean(group, kind, k->arg);
}

static const struct prune_ops prune_ops = {is_wanted, is_clean, tell};

static void pruned(struct keeper *k)
{
	char text[LIMIT_DETAIL];
	const struct prune *p = &k->prune;
	k->exact = !p->incomplete && !p->refused && p->kept == 0;
	text[0] = '\0';
	if (p->refused && str_format(text, sizeof(text),
	                             "%u of %u objects left the set, too many to delete unasked: set " INVENTORY_SHRINK
	                             "=%.*s on ConfigMap " INVENTORY_NS "/" INVENTORY_NAME,
	                             p->leaving, p->members, INVENTORY_SHORT, k->apply->t.m->revision) < 0)
		(void)!str_copy(text, sizeof(text), "too many objects left the set to delete them unasked");
	set_problem(k, text);
	k->phase = KEEPER_RELEASE;
	go_on(k->link->loop, k);
}

static void on_pruned(const struct kclient_reply *r, void *arg)
{
	struct keeper *k = arg;
	enum retry_what what = retry_rule(r->fault, r->status)->what;
	bool again = what == RETRY_LATER || what == RETRY_LOGIN;
	k->call = 0;
	link_note(k->link, r);
	if (again && k->retry.tries < KEEPER_TRIES) {
		later(k, r->retry_after_s);
		return;
	}
	retry_reset(&k->retry);
	if (what == RETRY_RELIST) { /* a page too late: from the beginning */
		prune_begin(&k->prune, &k->inventory, &prune_ops, k);
	} else if (what != RETRY_DONE) {
		prune_skip(&k->prune, what != RETRY_MISSING);
	} else if (prune_next(&k->prune).what == PRUNE_REMOVE) {
		prune_removed(&k->prune);
	} else {
		yyjson_doc *doc = yyjson_read_opts(r->body, r->len, YYJSON_READ_INSITU, NULL, NULL);
		prune_listed(&k->prune, yyjson_doc_get_root(doc));
		yyjson_doc_free(doc);
	}
	loop_after(k->link->loop, &k->timer, 0, go_on, k);
}

/* False: what it asks for cannot be asked; it has been skipped. */
static bool ask(struct keeper *k, const struct prune_request *p)
{
	const struct object_id id = {p->group, p->kind, p->ns, p->name};
	char path[KCLIENT_PATH];
	struct err e = {0};
	struct buf b;
	buf_init(&b, path, sizeof(path));
	if (link_path(k->link, &id, NULL, &b, &e) < 0) {
		prune_skip(&k->prune, e.code != ENOENT); /* a kind that is gone took its objects along */
		return false;
	}
	struct kclient_request r = {.method = "GET", .path = path, .max = KCLIENT_MAX_LINE};
	if (p->what == PRUNE_LIST) {
		buf_addf(&b, "?%s", p->text);
		r.accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
	} else {
		r.method = "DELETE";
		r.type = "application/json";
		r.body = k->prune.text; /* stays until the answer */
		r.body_len = strlen(k->prune.text);
	}
	if (!buf_ok(&b)) {
		prune_skip(&k->prune, true);
		return false;
	}
	call(k, &r, on_pruned);
	return true;
}

static void prune_step(struct keeper *k)
{
	for (;;) {
		struct prune_request p = prune_next(&k->prune);
		if (p.what == PRUNE_END) {
			pruned(k);
			return;
		}
		if (ask(k, &p))
			return;
	}
}

/* --- the order of things ---------------------------------------------------------------------- */

static void start_pruning(struct keeper *k)
{
	k->phase = KEEPER_PRUNE;
	prune_begin(&k->prune, &k->inventory, &prune_ops, k);
	prune_step(k);
}

static void go_on(struct loop *loop, void *arg)
{
	struct keeper *k = arg;
	struct err e = {0};
	struct kclient_request r = {.method = "GET", .path = PARENT};
	(void)loop;
	if (k->call || k->phase == KEEPER_CLOSED || k->phase == KEEPER_APPLY)
		return;
	if (k->phase == KEEPER_READ) {
		call(k, &r, on_parent);
	} else if (k->phase == KEEPER_PRUNE) {
		prune_step(k);
	} else if (k->phase == KEEPER_SYNCED) { /* a person may have allowed it since */
		k->phase = KEEPER_READ;
		call(k, &r, on_parent);
	} else if (write_parent(k, &r, &e) == 0) {
		call(k, &r, on_written);
	} else {
		set_problem(k, e.text);
		later(k, 0);
	}
}

void keeper_open(struct keeper *k)
{
	k->phase = KEEPER_READ;
	retry_reset(&k->retry);
	go_on(k->link->loop, k);
}

void keeper_close(struct keeper *k)
{
	struct err e = {0};
	k->phase = KEEPER_CLOSED;
	loop_cancel(k->link->loop, &k->timer);
	kclient_cancel(&k->link->client, k->call);
	k->call = 0;
	prune_stop(&k->prune);
	if (!k->pause_done)
		return;
	kclient_cancel(&k->link->client, k->pause_call);
	keeper_done_fn *done = k->pause_done;
	k->pause_done = NULL;
	err_put(&e, ENOTCONN, "the connection to the API server is gone");
	done(&e, k->pause_arg);
}

void keeper_look(struct keeper *k)
{
	if (k->phase != KEEPER_APPLY || !apply_complete(k->apply))
		return;
	if (k->pruned)
		k->phase = KEEPER_SYNCED;
	else
		start_pruning(k);
}

static void on_paused(const struct kclient_reply *r, void *arg)
{
	struct keeper *k = arg;
	keeper_done_fn *done = k->pause_done;
	struct err e = {0};
	k->pause_done = NULL;
	link_note(k->link, r);
	if (retry_rule(r->fault, r->status)->what != RETRY_DONE)
		err_put(&e, EIO, "done, but not written down (%s): it ends with the next start of the kube service",
		        r->why[0] ? r->why : retry_rule(r->fault, r->status)->text);
	done(e.code ? &e : NULL, k->pause_arg);
}

int keeper_pause(struct keeper *k, const char *app, bool paused, keeper_done_fn *done, void *arg, struct err *e)
{
	struct kclient_request r;
	if (items_find_app(&k->apply->t, app) < 0)
		return err_set(e, ENOENT, "no app '%s'; apps lists them", app);
	if (k->pause_done)
		return err_set(e, EBUSY, "another change is under way; try again in a moment");
	if (k->phase <= KEEPER_CLAIM)
		return err_set(e, ENOTCONN, "no connection to the API server: %s", k->link->text);
	if (inventory_pause(&k->inventory, app, paused, e) < 0 || write_parent(k, &r, e) < 0)
		return -1;
	r.done = on_paused;
	r.arg = k;
	k->pause_call = kclient_call(&k->link->client, &r, e);
	if (!k->pause_call)
		return -1;
	k->pause_done = done;
	k->pause_arg = arg;
	(void)apply_pause(k->apply, app, paused);
	if (!paused && k->phase == KEEPER_SYNCED) { /* what left the set meanwhile */
		k->pruned = false;
		k->phase = KEEPER_APPLY;
	}
	k->changed(k->arg);
	return 0;
}

void keeper_fini(struct keeper *k)
{
	if (k->link)
		keeper_close(k);
}
