/* Asks of the consoles, and what the update role asks PID 1 itself. It must answer every ask once. */
#include "update/answers.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <yyjson.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "format/json.h"
#include "update/memory.h"

#define ROOM       "update"
#define ID_FACTS   0x80000001u /* the teller counts from 1 */
#define ID_RESTART 0x80000002u
#define ID_WORLD   0x80000003u

/* --- answers ---------------------------------------------------------------------------------- */

static void begin(struct answers *s, struct buf *b, struct json *j)
{
	buf_init(b, s->out, sizeof(s->out) - PROTO_REPLY_HEAD);
	json_init(j, b);
	json_open_object(j, NULL);
}

static void answer(struct answers *s, uint32_t id, struct json *j)
{
	json_close_object(j);
	if (json_ok(j))
		inbox_answer(&s->inbox, id, PROTO_OK, j->out->data, j->out->len);
	else
		inbox_refuse(&s->inbox, id, "the answer does not fit");
}

static void add_bundle(struct json *j, const struct conduct *c)
{
	char created[32];
	clock_format((int64_t)c->m.created, created, sizeof(created));
	json_string(j, "version", c->m.version);
	json_string(j, "build", c->m.build);
	json_string(j, "created", created);
	json_string(j, "kubernetes", c->m.kubernetes);
	json_string(j, "changes", c->m.changes);
	if (c->place.found[0])
		json_string(j, "file", c->place.found);
	json_int(j, "size", (int64_t)c->bundle);
	if (c->fetch > 0)
		json_int(j, "fetch", (int64_t)c->fetch);
}

static void answer_status(struct answers *s, uint32_t id)
{
	const struct conduct *c = s->conduct;
	char text[ERR_TEXT + LIMIT_DETAIL + ORDER_SOURCE];
	struct buf t, b;
	struct json j;
	buf_init(&t, text, sizeof(text));
	conduct_text(c, &t);
	begin(s, &b, &j);
	json_string(&j, "message", text);
	json_string(&j, "state", update_state_name(c->state));
	if (c->order.source[0]) {
		json_string(&j, "source", c->order.source);
		json_int(&j, "for_s", (int64_t)((clock_ms() - c->since) / 1000));
	}
	if (c->place.found[0] && c->order.kind == ORDER_USB)
		json_string(&j, "file", c->place.found);
	if (c->known && c->state != UPDATE_IDLE)
		json_string(&j, "version", c->m.version);
	if (c->state == UPDATE_LOADING || c->state == UPDATE_PAUSED || c->state == UPDATE_WAITING) {
		json_string(&j, "phase", msg_phase_name(c->progress.phase));
		json_int(&j, "done", (int64_t)c->progress.done);
		json_int(&j, "total", (int64_t)c->progress.total);
		json_int(&j, "fetched", (int64_t)c->progress.fetched);
	}
	if (c->want.length > 0 && c->state != UPDATE_PAUSED) {
		json_open_object(&j, "want");
		json_int(&j, "from", (int64_t)c->want.from);
		json_int(&j, "length", (int64_t)c->want.length);
		json_close_object(&j);
	}
	if (c->offer.known && (c->state == UPDATE_IDLE || c->state == UPDATE_FAILED))
		json_string(&j, "channel", c->offer.text);
	if (c->state == UPDATE_READY) {
		json_int(&j, "copied", (int64_t)c->done.copied);
		json_int(&j, "kept", (int64_t)c->done.kept);
		json_int(&j, "fetched", (int64_t)c->done.fetched);
	}
	answer(s, id, &j);
}

/* What the channel offers. */
static void answer_offer(struct answers *s, uint32_t id)
{
	const struct offer *o = &s->conduct->offer;
	bool failed = o->there && memory_has_failed(o->version);
	char text[LIMIT_DETAIL + 64], released[32];
	struct buf b;
	struct json j;
	(void)!str_format(text, sizeof(text), "%s%s", o->text, failed ? "; it was tried here and given up" : "");
	begin(s, &b, &j);
	json_string(&j, "message", text);
	if (o->there) {
		clock_format(o->released, released, sizeof(released));
		json_string(&j, "version", o->version);
		if (!str_eq(o->newest, o->version))
			json_string(&j, "newest", o->newest);
		json_int(&j, "size", (int64_t)o->size);
		json_string(&j, "released", released);
		json_string(&j, "source", o->url);
	}
	json_string(&j, "channel", o->channel);
	json_int(&j, "edition", (int64_t)o->serial);
	answer(s, id, &j);
}

static void answer_message(struct answers *s, uint32_t id, const char *text)
{
	struct buf b;
	struct json j;
	begin(s, &b, &j);
	json_string(&j, "message", text);
	answer(s, id, &j);
}

/* --- orders that take a while ----------------------------------------------------------------- */

static void on_wait(struct loop *l, void *arg)
{
	struct answers *s = arg;
	uint32_t id = s->pending;
	(void)l;
	if (s->conduct->looking) {
		conduct_stop_look(s->conduct);
		return;
	}
	s->pending = 0;
	answer_message(s, id, "started; `update` tells how it goes on");
}

void answers_decided(const struct err *e, void *arg)
{
	struct answers *s = arg;
	const struct conduct *c = s->conduct;
	uint32_t id = s->pending;
	char text[LIMIT_DETAIL * 2];
	struct buf b;
	struct json j;
	if (seek_decided(s->seek, e))
		return;
	loop_cancel(s->loop, &s->wait);
	s->pending = 0;
	if (id == 0)
		return;
	if (e && e->code == EAGAIN) {
		(void)!str_format(text, sizeof(text), "started, and waiting: %.120s", e->text);
		answer_message(s, id, text);
		return;
	}
	if (e) {
		inbox_refuse(&s->inbox, id, e->text);
		return;
	}
	if (s->verb == ORDER_CHECK) {
		answer_offer(s, id);
		return;
	}
	if (s->verb == ORDER_INSTALL) {
		(void)!str_format(text, sizeof(text), "started: version %s, a bundle of %" PRIu64 " MiB%s%.120s",
		                  c->m.version, (c->bundle >> 20) + 1, c->place.found[0] ? ", " : "", c->place.found);
		answer_message(s, id, text);
		return;
	}
	begin(s, &b, &j);
	add_bundle(&j, c);
	answer(s, id, &j);
}

static void order(struct answers *s, uint32_t id, unsigned argc, const char *const *argv, int fd)
{
	struct order o;
	struct err e = {0};
	if (order_parse(&o, argc, argv, &e) < 0) {
		inbox_refuse(&s->inbox, id, e.text);
		return;
	}
	bool seeks = o.verb == ORDER_CHECK || (o.verb == ORDER_INSTALL && o.kind == ORDER_CHANNEL);
	bool waits = seeks || o.verb == ORDER_SHOW || (o.verb == ORDER_INSTALL && o.kind != ORDER_PARTS);
	if (waits && s->pending != 0) {
		inbox_refuse(&s->inbox, id, "another order waits for its answer; ask again in a moment");
		return;
	}
	if ((seeks ? seek_order(s->seek, &o, &e) : conduct_order(s->conduct, &o, fd, &e)) < 0) {
		inbox_refuse(&s->inbox, id, e.text);
	} else if (waits) {
		s->pending = id;
		s->verb = o.verb;
		loop_after(s->loop, &s->wait, ANSWERS_WAIT_MS, on_wait, s);
	} else if (o.verb == ORDER_UPLOAD || o.verb == ORDER_PART) {
		answer_message(s, id, "taken; `update` tells how it goes on");
	} else {
		answer_status(s, id);
	}
}

static void order_snapshots(struct answers *s, uint32_t id, unsigned argc, const char *const *argv)
{
	struct err e = {0};
	struct buf b;
	struct json j;
	begin(s, &b, &j);
	if (snapshots_order(&s->snapshots, argc, argv, &j, &e) < 0)
		inbox_refuse(&s->inbox, id, e.text);
	else
		answer(s, id, &j);
}

/* --- what the role asks ----------------------------------------------------------------------- */

/* Without the list the gate has less to go by, but an update that is complete is not thrown away for that. */
static void arm(struct answers *s, const char *json, size_t len, const char *why)
{
	static struct names healthy;
	struct err e = {0};
	s->facts = false;
	loop_cancel(s->loop, &s->facts_wait);
	healthy.count = 0;
	if (json && answers_healthy(&healthy, json, len, &e) < 0)
		why = e.text;
	if (why)
		log_warnx(ROOM, "which apps are healthy is not known: %s", why);
	conduct_arm(s->conduct, &healthy);
}

static void on_no_facts(struct loop *l, void *arg)
{
	(void)l;
	arm(arg, NULL, 0, "no answer from PID 1");
}

void answers_arming(void *arg)
{
	static const char *const argv[] = {"facts"};
	struct answers *s = arg;
	struct err e = {0};
	if (inbox_request(&s->inbox, ID_FACTS, 1, argv, -1, &e) < 0) {
		arm(s, NULL, 0, e.text);
		return;
	}
	s->facts = true;
	loop_after(s->loop, &s->facts_wait, ANSWERS_FACTS_MS, on_no_facts, s);
}

static void tell_world(struct answers *s, const char *json, size_t len, const char *why)
{
	struct seek_world w;
	struct err e = {0};
	s->world = false;
	loop_cancel(s->loop, &s->world_wait);
	if (json && answers_read_world(&w, json, len, &e) < 0)
		why = e.text;
	if (why)
		log_warnx(ROOM, "whether the clock is right and the network is there is not known: %s", why);
	seek_world(s->seek, why ? NULL : &w);
}

static void on_no_world(struct loop *l, void *arg)
{
	(void)l;
	tell_world(arg, NULL, 0, "no answer from PID 1");
}

/* The answer never comes at once, also when it is that there is none. */
void answers_ask_world(void *arg)
{
	static const char *const argv[] = {"facts"};
	struct answers *s = arg;
	struct err e = {0};
	s->world = inbox_request(&s->inbox, ID_WORLD, 1, argv, -1, &e) == 0;
	if (!s->world)
		log_warnx(ROOM, "%s", e.text);
	loop_after(s->loop, &s->world_wait, s->world ? ANSWERS_FACTS_MS : 0, on_no_world, s);
}

void answers_restart(const char *version, void *arg)
{
	struct answers *s = arg;
	char why[LIMIT_DETAIL];
	const char *const argv[] = {"reboot", why};
	struct err e = {0};
	if (str_format(why, sizeof(why), "the update to %s", version) < 0 ||
	    inbox_request(&s->inbox, ID_RESTART, 2, argv, -1, &e) < 0)
		log_warnx(ROOM, "restart: %s", e.text);
}

int answers_read_world(struct seek_world *w, const char *json, size_t len, struct err *e)
{
	const struct {
		const char *name;
		bool *on;
	} wanted[] = {{"network-up", &w->network}, {"time-synced", &w->synced}, {"trial-boot", &w->trial}};
	yyjson_doc *doc = yyjson_read(json, len, 0);
	yyjson_val *facts = yyjson_obj_get(yyjson_doc_get_root(doc), "facts"), *fact;
	size_t i, n;
	memset(w, 0, sizeof(*w));
	yyjson_arr_foreach(facts, i, n, fact)
	{
		const char *name = yyjson_get_str(yyjson_obj_get(fact, "name"));
		const char *value = yyjson_get_str(yyjson_obj_get(fact, "value"));
		for (size_t k = 0; name && value && k < COUNT_OF(wanted); k++) {
			if (str_eq(name, wanted[k].name))
				*wanted[k].on = str_eq(value, "on");
		}
	}
	int rc = facts ? 0 : err_set(e, EPROTO, "no list of facts");
	yyjson_doc_free(doc);
	return rc;
}

int answers_healthy(struct names *healthy, const char *json, size_t len, struct err *e)
{
	yyjson_doc *doc = yyjson_read(json, len, 0);
	yyjson_val *facts = yyjson_obj_get(yyjson_doc_get_root(doc), "facts"), *fact;
	size_t i, n;
	int rc = facts ? 0 : err_set(e, EPROTO, "no list of facts");
	yyjson_arr_foreach(facts, i, n, fact)
	{
		const char *name = yyjson_get_str(yyjson_obj_get(fact, "name"));
		const char *value = yyjson_get_str(yyjson_obj_get(fact, "value"));
		if (rc == 0 && name && value && (str_starts(name, "app-") || str_eq(name, NAMES_NETWORK)) &&
		    str_eq(value, "on"))
			rc = names_add(healthy, name, e);
	}
	yyjson_doc_free(doc);
	return rc;
}

/* --- the channel ------------------------------------------------------------------------------ */

static void on_ask(const struct inbox_ask *a, void *arg)
{
	if (str_eq(a->argv[0], "snapshots"))
		order_snapshots(arg, a->id, a->argc, a->argv);
	else
		order(arg, a->id, a->argc, a->argv, a->fd);
}

static bool on_reply(const struct proto_reply *r, void *arg)
{
	struct answers *s = arg;
	const char *json = r->kind == PROTO_OK ? r->text : NULL, *why = json ? NULL : r->text;
	if (r->id == ID_FACTS && s->facts)
		arm(s, json, r->len, why);
	else if (r->id == ID_WORLD && s->world)
		tell_world(s, json, r->len, why);
	else
		return false;
	return true;
}

int answers_init(struct answers *s, struct loop *l, int chan, struct conduct *c, struct seek *k, struct err *e)
{
	const struct inbox_hooks hooks = {on_ask, on_reply, s};
	memset(s, 0, sizeof(*s));
	s->loop = l;
	s->conduct = c;
	s->seek = k;
	return inbox_init(&s->inbox, l, chan, ROOM, &hooks, e);
}

void answers_fini(struct answers *s)
{
	if (!s->loop)
		return;
	loop_cancel(s->loop, &s->wait);
	loop_cancel(s->loop, &s->facts_wait);
	loop_cancel(s->loop, &s->world_wait);
	inbox_fini(&s->inbox);
}
