/* Asks of the consoles: words in, one answer each. Runs in the kube role.
 * It must answer every ask once, and none after its slot has been given to another. */
#include "kube/serve.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "format/json.h"
#include "kube/body.h"
#include "kube/diff.h"
#include "kube/pods.h"
#include "kube/sum.h"

#define ROOM     "kube"
#define ROW_ROOM 3072 /* the longest row of an answer, each byte of its texts written as six, and the end */
#define TABLE    "application/json;as=Table;g=meta.k8s.io;v=v1"

/* --- answers ---------------------------------------------------------------------------------- */

static void finish(struct serve_ask *a)
{
	struct serve *s = a->serve;
	if (s->differ == a)
		s->differ = NULL;
	yyjson_doc_free(a->live);
	a->live = NULL;
	a->call = 0;
	a->used = false;
}

static void send_answer(struct serve_ask *a, enum proto_kind kind, const char *text, size_t len)
{
	inbox_answer(&a->serve->inbox, a->id, kind, text, len);
	finish(a);
}

static void fail(struct serve_ask *a, const char *text)
{
	send_answer(a, PROTO_ERROR, text, strlen(text));
}

/* A fresh answer in s->out, JSON behind it. */
static void begin(struct serve *s, struct buf *b, struct json *j)
{
	buf_init(b, s->out, sizeof(s->out) - PROTO_REPLY_HEAD);
	json_init(j, b);
}

static void answer(struct serve_ask *a, const struct json *j)
{
	if (json_ok(j))
		send_answer(a, PROTO_OK, j->out->data, j->out->len);
	else
		fail(a, "the answer does not fit; ask for less");
}

static bool is_full(const struct buf *b)
{
	return b->len + ROW_ROOM > b->cap;
}

static void message(struct serve_ask *a, const char *text)
{
	struct buf b;
	struct json j;
	begin(a->serve, &b, &j);
	json_open_object(&j, NULL);
	json_string(&j, "message", text);
	json_close_object(&j);
	answer(a, &j);
}

/* --- apps ------------------------------------------------------------------------------------- */

static const char *status_of(const struct apply *apply, unsigned app, const struct sum *sum)
{
	return apply->t.app[app].paused ? "paused" : sum_name(sum->verdict);
}

static void add_app(const struct serve *s, struct json *j, unsigned app)
{
	char text[LIMIT_DETAIL];
	struct buf b;
	struct sum sum = sum_of(s->apply, (int)app);
	buf_init(&b, text, sizeof(text));
	sum_text(s->apply, (int)app, &sum, &b);
	json_string(j, "name", s->apply->t.app[app].name);
	json_string(j, "status", status_of(s->apply, app, &sum));
	json_string(j, "message", text);
}

static void list_apps(struct serve_ask *a)
{
	struct serve *s = a->serve;
	struct buf b;
	struct json j;
	int64_t left = 0;
	int wave = 0;
	begin(s, &b, &j);
	json_open_object(&j, NULL);
	json_open_list(&j, "apps");
	for (unsigned i = 0; s->apply && i < s->apply->t.apps; i++) {
		struct sum sum = sum_of(s->apply, (int)i);
		if (is_full(&b)) {
			left++;
			continue;
		}
		json_open_object(&j, NULL);
		add_app(s, &j, i);
		json_int(&j, "objects", sum.objects);
		json_int(&j, "ready", sum.ready);
		json_close_object(&j);
	}
	json_close_list(&j);
	if (left > 0)
		json_int(&j, "more", left);
	json_string(&j, "revision", s->apply ? s->apply->t.m->revision : "");
	if (s->apply && apply_wave(s->apply, &wave))
		json_int(&j, "wave", wave);
	json_string(&j, "state", s->trouble);
	json_close_object(&j);
	answer(a, &j);
}

static void add_item(const struct serve *s, struct json *j, unsigned item)
{
	const struct manifest_object *o = &s->apply->t.m->object[item];
	json_open_object(j, NULL);
	json_string(j, "kind", o->kind);
	json_string(j, "namespace", o->namespace);
	json_string(j, "name", o->name);
	json_string(j, "status", sum_item_name(s->apply, &s->apply->t.item[item]));
	json_string(j, "message", sum_item_text(s->apply, &s->apply->t.item[item]));
	json_close_object(j);
}

static void add_history(const struct history *h, struct json *j)
{
	json_open_list(j, "history");
	for (unsigned i = h->count; i-- > 0 && !is_full(j->out);) { /* newest first */
		json_open_object(j, NULL);
		json_string(j, "revision", h->entry[i].revision);
		json_string(j, "time", h->entry[i].time);
		json_close_object(j);
	}
	json_close_list(j);
}

/* Index of the app; -1: the ask has been answered with an error. */
static int find_app(struct serve_ask *a, const char *name)
{
	struct serve *s = a->serve;
	char text[LIMIT_DETAIL];
	int app = s->apply ? items_find_app(&s->apply->t, name) : -1;
	if (app >= 0)
		return app;
	if (!s->apply)
		fail(a, s->trouble);
	else if (str_format(text, sizeof(text), "no app '%s'; apps lists them", name) < 0)
		fail(a, "no app of that name; apps lists them");
	else
		fail(a, text);
	return -1;
}

static void show_app(struct serve_ask *a)
{
	struct serve *s = a->serve;
	int app = find_app(a, a->argv[1]);
	struct buf b;
	struct json j;
	int64_t left = 0;
	if (app < 0)
		return;
	begin(s, &b, &j);
	json_open_object(&j, NULL);
	add_app(s, &j, (unsigned)app);
	add_history(&s->keeper->history, &j);
	json_open_list(&j, "objects");
	for (unsigned i = 0; i < s->apply->t.m->count; i++) {
		if (s->apply->t.item[i].app != app)
			continue;
		if (is_full(&b))
			left++;
		else
			add_item(s, &j, i);
	}
	json_close_list(&j);
	if (left > 0)
		json_int(&j, "more", left);
	json_close_object(&j);
	answer(a, &j);
}

/* --- pause and resume ------------------------------------------------------------------------- */

static void on_paused(const struct err *e, void *arg)
{
	struct serve_ask *a = arg;
	char text[LIMIT_DETAIL];
	if (e) {
		fail(a, e->text);
		return;
	}
	if (str_format(text, sizeof(text), "%s: %sd", a->argv[2], a->argv[1]) < 0)
		text[0] = '\0';
	message(a, text);
}

static void pause_app(struct serve_ask *a)
{
	struct serve *s = a->serve;
	struct err e = {0};
	if (find_app(a, a->argv[2]) < 0)
		return;
	if (keeper_pause(s->keeper, a->argv[2], str_eq(a->argv[1], "pause"), on_paused, a, &e) < 0)
		fail(a, e.text);
}

/* --- diff ------------------------------------------------------------------------------------- */

static void diff_next(struct serve_ask *a);

static void add_difference(const char *field, const char *want, const char *is, void *arg)
{
	struct serve_ask *a = arg;
	struct serve *s = a->serve;
	const struct manifest_object *o = &s->apply->t.m->object[a->item];
	bool secret = str_eq(o->kind, "Secret") && !str_starts(field, ".metadata");
	const struct object_id id = {o->group, o->kind, o->namespace, o->name};
	char text[LIMIT_DETAIL];
	struct buf b;
	struct json j;
	if (s->diff.len + ROW_ROOM > s->diff.cap) {
		a->left++;
		return;
	}
	buf_init(&b, text, sizeof(text));
	object_text(&b, &id);
	if (s->diff.len > 0)
		buf_add_char(&s->diff, ',');
	json_init(&j, &s->diff);
	json_open_object(&j, NULL);
	json_string(&j, "object", text);
	json_string(&j, "field", field);
	json_string(&j, "want", secret && want[0] ? "(secret)" : want);
	json_string(&j, "is", secret && is[0] ? "(secret)" : is);
	json_close_object(&j);
}

static void diff_failed(struct serve_ask *a, const struct outcome_answer *r)
{
	const struct manifest_object *o = &a->serve->apply->t.m->object[a->item];
	const struct object_id id = {o->group, o->kind, o->namespace, o->name};
	char text[ERR_TEXT];
	struct buf b;
	buf_init(&b, text, sizeof(text));
	object_text(&b, &id);
	buf_add(&b, ": ");
	outcome_text(r, &b);
	fail(a, text);
}

static void on_diff(const struct kclient_reply *r, void *arg)
{
	struct serve_ask *a = arg;
	a->call = 0;
	link_note(a->serve->link, r);
	/* Not in place: the first document is kept until the second has come. */
	yyjson_doc *doc = yyjson_read(r->body, r->len, 0);
	const struct outcome_answer got = {r->fault, r->status, r->retry_after_s, r->why, yyjson_doc_get_root(doc)};
	enum outcome outcome = outcome_of(&got);
	bool first = a->live == NULL;
	if (first && outcome == OUTCOME_OK) {
		a->live = doc;
		diff_next(a);
		return;
	}
	if (first && outcome == OUTCOME_MISSING) {
		add_difference("", "there", "not there", a);
	} else if (outcome == OUTCOME_OK) {
		diff_objects(got.body, yyjson_doc_get_root(a->live), add_difference, a);
	} else {
		diff_failed(a, &got);
		yyjson_doc_free(doc);
		return;
	}
	yyjson_doc_free(doc);
	yyjson_doc_free(a->live);
	a->live = NULL;
	a->item++;
	diff_next(a);
}

static void diff_end(struct serve_ask *a)
{
	struct serve *s = a->serve;
	struct buf b;
	struct json j;
	begin(s, &b, &j);
	buf_add(&b, "{\"name\":");
	json_string(&j, NULL, s->apply->t.app[a->app].name);
	buf_addf(&b, ",\"diff\":[%s]", s->diff_text);
	if (a->left > 0)
		buf_addf(&b, ",\"more\":%u", a->left);
	buf_add(&b, "}");
	answer(a, &j);
}

/* The next request of a diff: the living object, then what it would be. */
static int diff_ask(struct serve_ask *a, struct err *e)
{
	struct serve *s = a->serve;
	const struct manifest_object *o = &s->apply->t.m->object[a->item];
	const struct object_id id = {o->group, o->kind, o->namespace, o->name};
	char path[KCLIENT_PATH];
	struct buf b;
	struct kclient_request r = {.method = "GET",
	                            .path = path,
	                            .timeout_ms = SERVE_CALL_MS,
	                            .max = KCLIENT_MAX_LINE,
	                            .done = on_diff,
	                            .arg = a};
	buf_init(&b, path, sizeof(path));
	if (link_path(s->link, &id, o->version, &b, e) < 0)
		return -1;
	if (a->live) {
		buf_add(&b, "?dryRun=All&force=true&fieldManager=" INVENTORY_MANAGER);
		r.method = "PATCH";
		r.type = "application/apply-patch+yaml";
		r.body = body_render(s->apply->t.m, a->item, &r.body_len, e);
		r.give_body = true;
		if (!r.body)
			return -1;
	}
	a->call = kclient_call(&s->link->client, &r, e);
	return a->call ? 0 : -1;
}

static void diff_next(struct serve_ask *a)
{
	struct serve *s = a->serve;
	struct err e = {0};
	while (a->item < s->apply->t.m->count && s->apply->t.item[a->item].app != a->app)
		a->item++;
	if (a->item == s->apply->t.m->count)
		diff_end(a);
	else if (diff_ask(a, &e) < 0)
		fail(a, e.text);
}

static bool is_open(struct serve_ask *a)
{
	char text[LIMIT_DETAIL + 40];
	if (a->serve->link->phase == LINK_OPEN)
		return true;
	(void)!str_format(text, sizeof(text), "no connection to the API server: %s", a->serve->link->text);
	fail(a, text);
	return false;
}

static void diff_app(struct serve_ask *a)
{
	struct serve *s = a->serve;
	a->app = find_app(a, a->argv[2]);
	if (a->app < 0 || !is_open(a))
		return;
	if (s->differ) {
		fail(a, "another comparison is under way; try again in a moment");
		return;
	}
	s->differ = a;
	a->item = a->left = 0;
	buf_init(&s->diff, s->diff_text, sizeof(s->diff_text) - PROTO_REPLY_HEAD - (size_t)2 * OBJECT_NAME);
	diff_next(a);
}

/* --- pods ------------------------------------------------------------------------------------- */

/* The answer of the server as a document; NULL: the ask has been answered with an error. */
static yyjson_doc *read_reply(struct serve_ask *a, const struct kclient_reply *r)
{
	char text[ERR_TEXT];
	struct buf b;
	a->call = 0;
	link_note(a->serve->link, r);
	yyjson_doc *doc = yyjson_read_opts(r->body, r->len, YYJSON_READ_INSITU, NULL, NULL);
	const struct outcome_answer got = {r->fault, r->status, r->retry_after_s, r->why, yyjson_doc_get_root(doc)};
	if (outcome_of(&got) == OUTCOME_OK)
		return doc;
	buf_init(&b, text, sizeof(text));
	outcome_text(&got, &b);
	fail(a, text);
	yyjson_doc_free(doc);
	return NULL;
}

static void on_pods(const struct kclient_reply *r, void *arg)
{
	struct serve_ask *a = arg;
	struct buf b;
	struct json j;
	yyjson_doc *doc = read_reply(a, r);
	if (!doc)
		return;
	begin(a->serve, &b, &j);
	pods_answer(&j, yyjson_doc_get_root(doc), clock_wall(), b.cap);
	yyjson_doc_free(doc);
	answer(a, &j);
}

static void get(struct serve_ask *a, const char *path, const char *accept, kclient_done_fn *done)
{
	struct err e = {0};
	const struct kclient_request r = {
		.method = "GET", .path = path, .accept = accept, .timeout_ms = SERVE_CALL_MS, .done = done, .arg = a};
	if (!is_open(a))
		return;
	a->call = kclient_call(&a->serve->link->client, &r, &e);
	if (!a->call)
		fail(a, e.text);
}

static void list_pods(struct serve_ask *a)
{
	get(a, "/api/v1/pods?limit=250", TABLE, on_pods);
}

static void on_log(const struct kclient_reply *r, void *arg)
{
	struct serve_ask *a = arg;
	char path[512];
	struct buf b, out;
	struct json j;
	struct err e = {0};
	yyjson_doc *doc = read_reply(a, r);
	if (!doc)
		return;
	buf_init(&b, path, sizeof(path));
	int rc = pods_log(yyjson_doc_get_root(doc), a->argc > 2 ? a->argv[2] : "", &b, &e);
	yyjson_doc_free(doc);
	if (rc < 0) {
		fail(a, e.text);
		return;
	}
	begin(a->serve, &out, &j);
	json_open_object(&j, NULL);
	json_string(&j, "name", a->argv[1]);
	json_string(&j, "path", path);
	json_close_object(&j);
	answer(a, &j);
}

static void find_log(struct serve_ask *a)
{
	char query[KCLIENT_PATH / 2], path[KCLIENT_PATH], name[LIMIT_REQUEST];
	const char *ns = "";
	struct buf b;
	struct err e = {0};
	buf_init(&b, query, sizeof(query));
	if (!str_starts(a->argv[1], "pod/")) {
		fail(a, "write logs pod/NAME");
		return;
	}
	if (str_copy(name, sizeof(name), a->argv[1] + strlen("pod/")) < 0 || pods_query(name, &ns, &b, &e) < 0) {
		fail(a, e.text[0] ? e.text : "no pod has so long a name");
		return;
	}
	if (str_format(path, sizeof(path), "/api/v1/%s%s%spods?%s", ns[0] ? "namespaces/" : "", ns, ns[0] ? "/" : "",
	               query) < 0)
		fail(a, "no pod has so long a name");
	else
		get(a, path, NULL, on_log);
}

/* --- the channel ------------------------------------------------------------------------------ */

/* First match counts; verb NULL: none. */
static const struct {
	const char *word, *verb;
	unsigned argc, most;
	void (*fn)(struct serve_ask *a);
} asks[] = {
	{"apps", NULL, 1, 1, list_apps},    {"apps", NULL, 2, 2, show_app},      {"apps", "diff", 3, 3, diff_app},
	{"apps", "pause", 3, 3, pause_app}, {"apps", "resume", 3, 3, pause_app}, {"pods", NULL, 1, 1, list_pods},
	{"logs", NULL, 2, 3, find_log},
};

static void run(struct serve_ask *a)
{
	for (size_t i = 0; i < COUNT_OF(asks); i++) {
		if (!str_eq(a->argv[0], asks[i].word) || a->argc < asks[i].argc || a->argc > asks[i].most ||
		    (asks[i].verb && !str_eq(a->argv[1], asks[i].verb)))
			continue;
		asks[i].fn(a);
		return;
	}
	fail(a, "the kube service knows: apps [NAME | diff NAME | pause NAME | resume NAME], pods, logs pod/NAME "
	        "[CONTAINER]");
}

static void on_ask(const struct inbox_ask *q, void *arg)
{
	struct serve *s = arg;
	unsigned i = 0;
	while (i < SERVE_ASKS && s->ask[i].used)
		i++;
	if (i == SERVE_ASKS || q->len > sizeof(s->ask[i].text)) {
		inbox_refuse(&s->inbox, q->id, "too much is asked at a time; try again");
		return;
	}
	struct serve_ask *a = &s->ask[i];
	memcpy(a->text, q->words, q->len);
	a->argc = proto_words(a->text, q->len, a->argv, INBOX_WORDS);
	a->serve = s;
	a->id = q->id;
	a->used = true;
	run(a);
}

int serve_init(struct serve *s, struct loop *l, int chan, struct link *link, struct err *e)
{
	const struct inbox_hooks hooks = {on_ask, NULL, s};
	memset(s, 0, sizeof(*s));
	s->loop = l;
	s->link = link;
	s->trouble = "";
	return inbox_init(&s->inbox, l, chan, ROOM, &hooks, e);
}

void serve_close(struct serve *s)
{
	for (unsigned i = 0; i < SERVE_ASKS; i++) {
		struct serve_ask *a = &s->ask[i];
		if (!a->used || !a->call)
			continue;
		kclient_cancel(&s->link->client, a->call);
		fail(a, "the connection to the API server is gone");
	}
}

void serve_fini(struct serve *s)
{
	if (!s->link)
		return;
	serve_close(s);
	inbox_fini(&s->inbox);
}
