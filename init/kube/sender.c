/* Requests of the engine as HTTP. Runs in the kube role. */
#include "kube/sender.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "kube/body.h"
#include "kube/inventory.h"

#define METADATA "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"

/* A row per enum apply_step. */
static const struct {
	const char *method, *query;
	bool body;
	bool whole; /* the answer tells of the health */
} steps[APPLY_STEPS] = {
	[APPLY_PATCH] = {"PATCH", "?fieldManager=" INVENTORY_MANAGER, true, true},
	[APPLY_OWNER] = {"GET", "", false, false},
	[APPLY_TAKE] = {"PATCH", "?fieldManager=" INVENTORY_MANAGER "&force=true", true, true},
	[APPLY_LOOK] = {"GET", "", false, false},
	[APPLY_DELETE] = {"DELETE", "", false, false},
	[APPLY_GONE] = {"GET", "", false, false},
};

void sender_init(struct sender *s, struct link *link, struct apply *apply)
{
	memset(s, 0, sizeof(*s));
	s->link = link;
	s->apply = apply;
	for (unsigned i = 0; i < APPLY_FLIGHTS; i++) {
		s->flight[i].sender = s;
		s->flight[i].flight = i;
	}
}

void sender_close(struct sender *s)
{
	for (unsigned i = 0; i < APPLY_FLIGHTS; i++) {
		if (s->flight[i].call)
			kclient_cancel(&s->link->client, s->flight[i].call);
		s->flight[i].call = 0;
	}
}

static void on_done(const struct kclient_reply *r, void *arg)
{
	struct sender_flight *f = arg;
	struct sender *s = f->sender;
	f->call = 0;
	link_note(s->link, r);
	yyjson_doc *doc = yyjson_read_opts(r->body, r->len, YYJSON_READ_INSITU, NULL, NULL);
	const struct outcome_answer answer = {r->fault, r->status, r->retry_after_s, r->why, yyjson_doc_get_root(doc)};
	apply_answered(s->apply, f->flight, &answer);
	yyjson_doc_free(doc);
	s->seen(s->arg);
}

/* Gives the request its body; the client's or the caller's to free. */
static int add_body(const struct sender *s, const struct apply_call *c, struct kclient_request *r, struct err *e)
{
	if (!steps[c->step].body)
		return 0;
	r->body = body_render(s->apply->t.m, c->item, &r->body_len, e);
	if (!r->body)
		return -1;
	r->give_body = true;
	r->type = "application/apply-patch+yaml"; /* JSON is YAML */
	return 0;
}

static int add_delete(const struct apply_call *c, struct kclient_request *r, struct err *e)
{
	static const char format[] = "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"propagationPolicy\":"
				     "\"Background\",\"preconditions\":{\"uid\":\"%s\"}}";
	char text[256];
	if (c->step != APPLY_DELETE)
		return 0;
	if (str_format(text, sizeof(text), format, c->uid) < 0)
		return err_set(e, EINVAL, "a uid that is too long");
	r->body = strdup(text);
	if (!r->body)
		return err_set(e, ENOMEM, "no memory");
	r->body_len = strlen(text);
	r->give_body = true;
	r->type = "application/json";
	return 0;
}

enum apply_sent sender_send(struct sender *s, const struct apply_call *c, struct err *e)
{
	const struct manifest_object *o = &s->apply->t.m->object[c->item];
	const struct object_id id = {o->group, o->kind, o->namespace, o->name};
	char path[KCLIENT_PATH];
	struct buf b;
	struct kclient_request r = {.method = steps[c->step].method, .path = path, .max = KCLIENT_MAX_LINE};
	if (kclient_free(&s->link->client) <= SENDER_KEEP)
		return APPLY_NO_ROOM;
	buf_init(&b, path, sizeof(path));
	if (link_path(s->link, &id, o->version, &b, e) < 0) {
		if (e->code == ENOENT)
			link_refresh(s->link, false);
		return APPLY_CANNOT;
	}
	buf_add(&b, steps[c->step].query);
	if (!buf_ok(&b)) {
		err_put(e, ENAMETOOLONG, "its path is too long");
		return APPLY_CANNOT;
	}
	r.accept = steps[c->step].whole && health_needs_status(o->group, o->kind) ? "application/json" : METADATA;
	if (c->step == APPLY_DELETE)
		r.accept = "application/json"; /* a Status, or the object */
	if (add_body(s, c, &r, e) < 0 || add_delete(c, &r, e) < 0)
		return APPLY_CANNOT;
	r.done = on_done;
	r.arg = &s->flight[c->flight];
	s->flight[c->flight].call = kclient_call(&s->link->client, &r, e);
	if (s->flight[c->flight].call)
		return APPLY_ON_ITS_WAY;
	return e->code == ENOSPC ? APPLY_NO_ROOM : APPLY_CANNOT;
}
