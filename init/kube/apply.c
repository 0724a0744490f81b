/* The engine: whose turn it is, what to send next for each object, and what an answer or an event means for it.
 * Pure; runs in the kube role. It must never forget an object: whatever happens, each is DONE, OVER, or has a next try.
 */
#include "kube/apply.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "kube/inventory.h"
#include "kube/stale.h"

int apply_init(struct apply *a, const struct manifest *m, const struct apply_ops *ops, void *arg, struct err *e)
{
	memset(a, 0, sizeof(*a));
	a->ops = ops;
	a->arg = arg;
	a->random = (uint32_t)clock_ms() * 2654435761u | 1;
	return items_init(&a->t, m, e);
}

void apply_free(struct apply *a)
{
	items_free(&a->t);
}

static uint32_t next_random(struct apply *a) /* xorshift32 (Marsaglia 2003); only spreads retries */
{
	a->random ^= a->random << 13;
	a->random ^= a->random >> 17;
	a->random ^= a->random << 5;
	return a->random;
}

static bool is_paused(const struct apply *a, const struct item *it)
{
	return a->t.app[it->app].paused;
}

/* --- the next try ----------------------------------------------------------------------------- */

static void due_in(struct item *it, enum apply_step step, uint64_t ms)
{
	it->state = ITEM_DUE;
	it->step = (uint8_t)step;
	it->due = clock_ms() + ms;
}

static void later(struct apply *a, struct item *it, unsigned retry_after_s)
{
	/* A replacement that was interrupted looks again from the beginning; the object may be another one by now. */
	enum apply_step step = it->step == APPLY_GONE ? APPLY_GONE : APPLY_PATCH;
	due_in(it, step, retry_next_ms(&it->retry, retry_after_s, next_random(a)));
}

static void refused(struct apply *a, struct item *it)
{
	due_in(it, APPLY_PATCH, APPLY_REFUSED_MS + next_random(a) % (APPLY_REFUSED_MS / 4));
}

/* Others change it again and again: two that fight over an object must not busy the whole server. */
static uint64_t settle_ms(struct item *it)
{
	uint64_t ms = APPLY_SETTLE_MS;
	if (it->repaired && clock_ms() - it->repaired > APPLY_CALM_MS)
		it->repairs = 0;
	for (unsigned i = APPLY_REPAIRS; i < it->repairs && ms < APPLY_REPAIR_MAX; i++)
		ms *= 2;
	return ms < APPLY_REPAIR_MAX ? ms : APPLY_REPAIR_MAX;
}

static void repair(struct item *it, enum item_drift drift)
{
	it->drift = (uint8_t)drift;
	due_in(it, APPLY_PATCH, settle_ms(it));
}

static void hold(struct apply *a, const struct outcome_answer *r)
{
	struct retry uncounted = {0};
	struct buf b;
	buf_init(&b, a->trouble, sizeof(a->trouble));
	outcome_text(r, &b);
	for (unsigned i = 0; a->patience.tries == 0 && i < APPLY_FLIGHTS; i++)
		a->flight[i].before = true;
	bool counted = clock_ms() < a->hold; /* several requests were under way: one failure, not several */
	if (counted && r->retry_after_s == 0)
		return;
	uint64_t wait = retry_next_ms(counted ? &uncounted : &a->patience, r->retry_after_s, next_random(a));
	if (clock_ms() + wait > a->hold)
		a->hold = clock_ms() + wait;
}

static void release(struct apply *a)
{
	if (clock_ms() < a->hold) /* of a request from before: the server's wish is newer */
		return;
	if (a->patience.tries > 1)
		a->since = clock_ms(); /* the time without a server does not count against the wave */
	retry_reset(&a->patience);
	a->hold = 0;
	a->trouble[0] = '\0';
}

/* --- steps of one object ---------------------------------------------------------------------- */

static void tell(struct apply *a, unsigned item, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void tell(struct apply *a, unsigned item, const char *fmt, ...)
{
	char text[LIMIT_DETAIL];
	va_list ap;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) >= 0)
		a->ops->tell(item, text, a->arg);
	va_end(ap);
}

static void problem(struct apply *a, unsigned item, const char *text)
{
	struct item *it = &a->t.item[item];
	bool news = !it->problem || strncmp(it->problem, text, HEALTH_TEXT - 1) != 0;
	items_say(&it->problem, text);
	if (news)
		tell(a, item, "%s", text);
}

static void see_health(struct apply *a, unsigned item, yyjson_val *object)
{
	const struct manifest_object *o = &a->t.m->object[item];
	char why[HEALTH_TEXT];
	/* Metadata alone is all that is watched of such kinds, and all that is needed. */
	a->t.item[item].health = (uint8_t)health_of(o->group, o->kind, object, why);
	items_say(&a->t.item[item].why, why);
	if (health_follows_pods(o->group, o->kind))
		a->t.item[item].claims = (uint16_t)stale_claims(object);
}

static void applied(struct apply *a, unsigned flight, yyjson_val *object)
{
	unsigned item = a->flight[flight].item;
	struct item *it = &a->t.item[item];
	uint64_t revision = object_revision(object);
	bool changed = revision != it->before && revision != it->revision;
	if (it->step == APPLY_TAKE)
		tell(a, item, "taken back from %s", a->flight[flight].rival);
	else if (it->drift != ITEM_TRUE && changed)
		tell(a, item, "%s", it->drift == ITEM_DELETED ? "was deleted; made again" : "put right");
	if (it->drift != ITEM_TRUE && changed) {
		it->repairs += it->repairs < UINT8_MAX;
		it->repaired = clock_ms();
	}
	it->drift = ITEM_TRUE;
	it->known = false;
	it->state = ITEM_DONE;
	it->step = APPLY_PATCH;
	it->revision = revision;
	it->owned = object_owned(object, INVENTORY_MANAGER);
	retry_reset(&it->retry);
	items_say(&it->problem, "");
	/* Events that came while the request was under way may be older or newer than what the request did. */
	if (it->seen > revision && it->seen_owned != it->owned) {
		repair(it, it->seen_owned == 0 ? ITEM_DELETED : ITEM_CHANGED);
		return;
	}
	if (it->seen > revision) /* newer, and it may be the last for long: what it said of the health stands */
		return;
	see_health(a, item, object);
	it->seen = revision;
	it->seen_owned = it->owned;
}

enum verdict {
	V_APPLIED, /* it is as we want it */
	V_OWNER,   /* next: whose is it? */
	V_TAKE,    /* next: take the field back, if the object is ours */
	V_LOOK,    /* next: which one is it? if it may be replaced */
	V_DELETE,  /* next: delete it, if it is ours */
	V_POLL,    /* look again in a moment */
	V_PATCH,   /* from the beginning */
	V_REFUSED, /* report it, try again seldom */
	V_LATER,   /* report it, try again soon, then more seldom */
	V_HOLD,    /* nobody is asked for a while */
};

static const uint8_t verdicts[APPLY_STEPS][OUTCOMES] = {
	/*                OK         TAKEN      FIXED      MISSING  REFUSED    LATER    HOLD   */
	[APPLY_PATCH] = {V_APPLIED, V_OWNER, V_LOOK, V_LATER, V_REFUSED, V_LATER, V_HOLD},
	[APPLY_OWNER] = {V_TAKE, V_LATER, V_LATER, V_PATCH, V_REFUSED, V_LATER, V_HOLD},
	[APPLY_TAKE] = {V_APPLIED, V_LATER, V_LOOK, V_LATER, V_REFUSED, V_LATER, V_HOLD},
	[APPLY_LOOK] = {V_DELETE, V_LATER, V_LATER, V_PATCH, V_REFUSED, V_LATER, V_HOLD},
	[APPLY_DELETE] = {V_POLL, V_LATER, V_LATER, V_PATCH, V_REFUSED, V_LATER, V_HOLD},
	[APPLY_GONE] = {V_POLL, V_LATER, V_LATER, V_PATCH, V_REFUSED, V_LATER, V_HOLD},
};

/* Sends the next request of a flight, which ends when there is none. */
static void go_on(struct apply *a, unsigned flight, enum apply_step step)
{
	struct apply_flight *f = &a->flight[flight];
	struct item *it = &a->t.item[f->item];
	struct apply_call call = {flight, f->item, step, f->uid};
	struct err e = {0};
	f->used = true;
	f->before = false;
	it->before = it->seen;
	it->state = ITEM_SENT;
	it->step = (uint8_t)step;
	enum apply_sent sent = a->ops->send(&call, a->arg, &e);
	it->unsent = sent == APPLY_CANNOT;
	if (sent == APPLY_ON_ITS_WAY)
		return;
	f->used = false;
	if (sent == APPLY_NO_ROOM) {
		due_in(it, step == APPLY_GONE ? APPLY_GONE : APPLY_PATCH, RETRY_FLOOR_MS);
		return;
	}
	problem(a, f->item, e.text);
	later(a, it, 0);
}

static bool is_ours(const struct apply *a, unsigned item, yyjson_val *object)
{
	return str_eq(object_key(object, "/metadata/labels", INVENTORY_LABEL), INVENTORY_ID) ||
	       a->ops->allows(item, APPLY_FORCE, a->arg);
}

static void refuse(struct apply *a, unsigned flight, const char *text)
{
	a->flight[flight].used = false;
	problem(a, a->flight[flight].item, text);
	refused(a, &a->t.item[a->flight[flight].item]);
}

static void take(struct apply *a, unsigned flight, yyjson_val *object)
{
	char text[HEALTH_TEXT];
	struct buf b;
	if (is_ours(a, a->flight[flight].item, object)) {
		go_on(a, flight, APPLY_TAKE);
		return;
	}
	buf_init(&b, text, sizeof(text));
	buf_addf(&b, "not ours, left alone: conflict with %s", a->flight[flight].rival);
	refuse(a, flight, text);
}

static void ask_owner(struct apply *a, unsigned flight, yyjson_val *status)
{
	struct buf b;
	buf_init(&b, a->flight[flight].rival, sizeof(a->flight[flight].rival));
	outcome_rival(status, &b);
	go_on(a, flight, APPLY_OWNER);
}

static void look(struct apply *a, unsigned flight, const char *text)
{
	unsigned item = a->flight[flight].item;
	const struct manifest_object *o = &a->t.m->object[item];
	bool job = str_eq(o->kind, "Job") && str_eq(o->group, "batch");
	if (job || a->ops->allows(item, APPLY_REPLACE, a->arg))
		go_on(a, flight, APPLY_LOOK);
	else
		refuse(a, flight, text);
}

static void remove_object(struct apply *a, unsigned flight, yyjson_val *object)
{
	struct apply_flight *f = &a->flight[flight];
	if (!is_ours(a, f->item, object)) {
		refuse(a, flight, "not ours, left alone: it cannot be changed, and somebody else made it");
		return;
	}
	if (str_copy(f->uid, sizeof(f->uid), object_str(object, "/metadata/uid")) < 0 || f->uid[0] == '\0') {
		refuse(a, flight, "the server says no usable uid of it");
		return;
	}
	tell(a, f->item, "cannot be changed; replaced");
	go_on(a, flight, APPLY_DELETE);
}

static void end_flight(struct apply *a, unsigned flight, enum verdict v, const struct outcome_answer *r,
                       const char *text)
{
	struct item *it = &a->t.item[a->flight[flight].item];
	a->flight[flight].used = false;
	if (v == V_POLL) {
		due_in(it, APPLY_GONE, APPLY_POLL_MS);
	} else if (v == V_HOLD) {
		due_in(it, it->step == APPLY_GONE ? APPLY_GONE : APPLY_PATCH, 0);
		hold(a, r);
	} else if (v == V_LATER) {
		problem(a, a->flight[flight].item, text);
		later(a, it, r->retry_after_s);
	}
}

void apply_answered(struct apply *a, unsigned flight, const struct outcome_answer *r)
{
	char text[HEALTH_TEXT];
	struct buf b;
	if (flight >= APPLY_FLIGHTS || !a->flight[flight].used)
		return;
	enum outcome outcome = outcome_of(r);
	enum verdict v = (enum verdict)verdicts[a->t.item[a->flight[flight].item].step][outcome];
	buf_init(&b, text, sizeof(text));
	if (outcome != OUTCOME_OK)
		outcome_text(r, &b);
	if (outcome != OUTCOME_HOLD)
		release(a);
	switch (v) {
	case V_APPLIED:
		a->flight[flight].used = false;
		applied(a, flight, r->body);
		return;
	case V_OWNER:
		ask_owner(a, flight, r->body);
		return;
	case V_TAKE:
		take(a, flight, r->body);
		return;
	case V_LOOK:
		look(a, flight, text);
		return;
	case V_DELETE:
		remove_object(a, flight, r->body);
		return;
	case V_PATCH:
		go_on(a, flight, APPLY_PATCH);
		return;
	case V_REFUSED:
		refuse(a, flight, text);
		return;
	case V_POLL:
	case V_LATER:
	case V_HOLD:
		break;
	}
	end_flight(a, flight, v, r, text);
}

/* --- turns ------------------------------------------------------------------------------------ */

enum turn { TURN_NAMESPACES, TURN_CRDS, TURN_REST };

static enum turn turn_of(const struct manifest_object *o)
{
	if (o->group[0] == '\0' && str_eq(o->kind, "Namespace"))
		return TURN_NAMESPACES;
	return str_eq(o->kind, "CustomResourceDefinition") ? TURN_CRDS : TURN_REST;
}

/* Behind the last object of the step that begins at i. */
static unsigned step_end(const struct apply *a, unsigned i)
{
	const struct manifest_object *o = a->t.m->object;
	unsigned end = i;
	while (end < a->t.m->count && o[end].wave == o[i].wave && turn_of(&o[end]) == turn_of(&o[i]))
		end++;
	return end;
}

/* The next step need not wait for this object. */
static bool is_settled(const struct apply *a, unsigned i)
{
	const struct item *it = &a->t.item[i];
	const struct manifest_object *o = &a->t.m->object[i];
	if (is_paused(a, it) || it->state == ITEM_OVER)
		return true;
	if (!items_is_applied(it))
		return false;
	/* A claim is bound when its first pod is scheduled, which may well be in a later wave. */
	if (turn_of(o) == TURN_NAMESPACES || str_eq(o->kind, "PersistentVolumeClaim"))
		return true;
	return items_health(&a->t, it) == HEALTH_CURRENT;
}

/* The first object that the step waits for, or -1. */
static int unsettled(const struct apply *a)
{
	for (unsigned i = a->first; i < a->end; i++) {
		if (!is_settled(a, i))
			return (int)i;
	}
	return -1;
}

static void pass_over(struct apply *a, unsigned i)
{
	struct object_id id = items_id(&a->t, i);
	const struct item *it = &a->t.item[i];
	const char *why = it->problem ? it->problem : items_why(&a->t, it);
	struct buf b;
	buf_init(&b, a->passed, sizeof(a->passed));
	buf_addf(&b, "wave %d passed over: ", a->t.m->object[i].wave);
	object_text(&b, &id);
	buf_addf(&b, ": %s", why[0] ? why : "not there");
	a->ops->tell(i, "its wave has waited long enough for it, and is passed over", a->arg);
}

/* The server has it as our last run left it, and nobody has changed a field of ours: it need not be sent again. */
static bool adopt(struct apply *a, unsigned i)
{
	struct item *it = &a->t.item[i];
	if (!it->known || it->seen == 0 || it->seen_owned != it->owned)
		return false;
	it->state = ITEM_DONE;
	it->revision = it->seen;
	it->known = false;
	return true;
}

/* The turn of an object has come. */
static void begin(struct apply *a, unsigned i)
{
	struct item *it = &a->t.item[i];
	if (it->state != ITEM_WAITING || adopt(a, i))
		return;
	/* The list that tells how it is may be under way. */
	due_in(it, APPLY_PATCH, it->known && it->seen == 0 ? APPLY_LIST_MS : 0);
}

/* What was remembered of the last run does not hold for this object. */
static void distrust(struct item *it)
{
	if (!it->known)
		return;
	it->known = false;
	if (it->state == ITEM_DUE)
		it->due = clock_ms();
}

/* The turn of the next step has come. */
static void next_step(struct apply *a)
{
	a->first = a->end;
	a->end = step_end(a, a->first);
	a->since = clock_ms();
	for (unsigned i = a->first; i < a->end; i++)
		begin(a, i);
}

/* Nothing of the step behind `end` is to be sent. */
static bool is_there(const struct apply *a)
{
	for (unsigned i = a->end; i < step_end(a, a->end); i++) {
		if (a->t.item[i].state < ITEM_DONE)
			return false;
	}
	return true;
}

static void advance(struct apply *a)
{
	while (a->end < a->t.m->count && !a->discovering) {
		if (is_there(a)) { /* after a boot all is where it was; waiting would only put off to say so */
			a->end = step_end(a, a->end);
			continue;
		}
		int waits = unsettled(a);
		if (waits >= 0 && clock_ms() - a->since < APPLY_WAVE_MS)
			return;
		if (waits >= 0)
			pass_over(a, (unsigned)waits);
		if (a->end > a->first && turn_of(&a->t.m->object[a->first]) == TURN_CRDS) {
			a->discovering = true;
			a->ops->discover(a->arg);
			return;
		}
		next_step(a);
	}
}

void apply_discovered(struct apply *a)
{
	for (unsigned i = 0; i < a->end; i++) {
		if (a->t.item[i].state == ITEM_DUE && a->t.item[i].unsent)
			a->t.item[i].due = clock_ms();
	}
	if (!a->discovering)
		return;
	a->discovering = false;
	next_step(a);
}

bool apply_wave(const struct apply *a, int *wave)
{
	if (a->t.m->count == 0 || apply_complete(a))
		return false;
	*wave = a->t.m->object[a->end > a->first ? a->first : 0].wave;
	return a->end < a->t.m->count || unsettled(a) >= 0;
}

bool apply_complete(const struct apply *a)
{
	if (a->end < a->t.m->count)
		return false;
	for (unsigned i = 0; i < a->t.m->count; i++) {
		if (!is_paused(a, &a->t.item[i]) && !items_is_applied(&a->t.item[i]))
			return false;
	}
	return true;
}

/* --- sending ---------------------------------------------------------------------------------- */

static int free_flight(const struct apply *a)
{
	for (unsigned i = 0; i < APPLY_FLIGHTS; i++) {
		if (!a->flight[i].used)
			return (int)i;
	}
	return -1;
}

/* After trouble one request tries whether it is over. */
static bool may_fly(const struct apply *a)
{
	for (unsigned i = 0; a->patience.tries > 0 && i < APPLY_FLIGHTS; i++) {
		if (a->flight[i].used && !a->flight[i].before)
			return false;
	}
	return true;
}

static uint64_t until(uint64_t when)
{
	uint64_t now = clock_ms();
	return when > now ? when - now : 0;
}

/* Sends what is due; the moment when the next one is. */
static uint64_t send_due(struct apply *a)
{
	uint64_t next = UINT64_MAX;
	for (unsigned i = 0; i < a->end; i++) {
		struct item *it = &a->t.item[i];
		if (it->state != ITEM_DUE || is_paused(a, it))
			continue;
		if (it->due <= clock_ms() && may_fly(a) && free_flight(a) >= 0) {
			unsigned flight = (unsigned)free_flight(a);
			a->flight[flight].item = i;
			a->flight[flight].rival[0] = a->flight[flight].uid[0] = '\0';
			go_on(a, flight, (enum apply_step)it->step);
		}
		/* One that is due and finds no flight is sent when an answer frees one. */
		if (it->state == ITEM_DUE && it->due > clock_ms() && it->due < next)
			next = it->due;
	}
	return next;
}

uint64_t apply_run(struct apply *a)
{
	if (!a->open)
		return UINT64_MAX;
	advance(a);
	if (clock_ms() < a->hold)
		return until(a->hold);
	uint64_t next = send_due(a);
	if (a->end < a->t.m->count && !a->discovering && a->since + APPLY_WAVE_MS < next)
		next = a->since + APPLY_WAVE_MS;
	return next == UINT64_MAX ? next : until(next);
}

void apply_open(struct apply *a)
{
	a->open = true;
	a->hold = 0;
	a->trouble[0] = '\0';
	retry_reset(&a->patience);
	a->since = clock_ms();
	if (a->discovering) /* the answer went with the old connection */
		a->ops->discover(a->arg);
}

void apply_close(struct apply *a)
{
	a->open = false;
	for (unsigned i = 0; i < APPLY_FLIGHTS; i++) {
		if (!a->flight[i].used)
			continue;
		struct item *it = &a->t.item[a->flight[i].item];
		due_in(it, it->step == APPLY_GONE ? APPLY_GONE : APPLY_PATCH, 0);
		a->flight[i].used = false;
	}
}

/* --- what is seen ----------------------------------------------------------------------------- */

static bool is_finished_job(const struct apply *a, unsigned item)
{
	return a->t.item[item].health == HEALTH_CURRENT && str_eq(a->t.m->object[item].kind, "Job");
}

/* revision: of the deletion; 0: not known, it is just not there. */
static void see_gone(struct apply *a, unsigned item, uint64_t revision)
{
	struct item *it = &a->t.item[item];
	bool finished = is_finished_job(a, item);
	it->seen_owned = 0;
	it->health = HEALTH_UNKNOWN;
	it->claims = 0;
	items_say(&it->why, "");
	distrust(it);
	if (it->state == ITEM_SENT) { /* the answer tells */
		it->seen = revision;
		return;
	}
	it->seen = 0;
	if (it->state != ITEM_DONE)
		return;
	if (finished)
		it->state = ITEM_OVER;
	else
		repair(it, ITEM_DELETED);
}

static void see_there(struct apply *a, unsigned item, yyjson_val *object)
{
	struct item *it = &a->t.item[item];
	uint64_t revision = object_revision(object);
	if (revision < it->revision) /* from before our last apply */
		return;
	it->seen = revision;
	it->seen_owned = object_owned(object, INVENTORY_MANAGER);
	see_health(a, item, object);
	if (it->known && it->state <= ITEM_DUE && it->seen_owned != it->owned)
		distrust(it);
	if (it->state <= ITEM_DUE && adopt(a, item))
		return;
	if (it->state != ITEM_DONE || it->seen_owned == it->owned)
		return;
	if (it->drift == ITEM_TRUE && !is_paused(a, it)) {
		const char *who = object_last_manager(object, INVENTORY_MANAGER);
		tell(a, item, "changed by %s", who[0] ? who : "somebody");
	}
	repair(it, ITEM_CHANGED);
}

void apply_seen(struct apply *a, const struct object_id *id, enum watch_event ev, yyjson_val *object)
{
	int item = items_find(&a->t, id);
	if (item < 0)
		return;
	a->t.item[item].marked = true;
	if (ev == WATCH_DELETED)
		see_gone(a, (unsigned)item, object_revision(object));
	else
		see_there(a, (unsigned)item, object);
}

void apply_listed(struct apply *a, const char *group, const char *kind, bool complete)
{
	for (unsigned i = 0; i < a->t.m->count; i++) {
		struct item *it = &a->t.item[i];
		if (!str_eq(a->t.m->object[i].kind, kind) || !str_eq(a->t.m->object[i].group, group))
			continue;
		if (complete && !it->marked && it->seen != 0)
			see_gone(a, i, 0);
		if (complete && !it->marked)
			distrust(it);
		it->marked = false;
	}
}

void apply_relist(struct apply *a, const char *group, const char *kind)
{
	for (unsigned i = 0; i < a->t.m->count; i++) {
		struct item *it = &a->t.item[i];
		if (it->revision != 0 && str_eq(a->t.m->object[i].kind, kind) && str_eq(a->t.m->object[i].group, group))
			it->revision = 1;
	}
}

bool apply_pause(struct apply *a, const char *app, bool paused)
{
	int index = items_find_app(&a->t, app);
	if (index < 0)
		return false;
	bool before = a->t.app[index].paused;
	a->t.app[index].paused = paused;
	if (!before || paused)
		return true;
	for (unsigned i = 0; i < a->end; i++) { /* whatever happened in the meantime is put right */
		struct item *it = &a->t.item[i];
		if (it->app == index && it->state != ITEM_SENT && it->state != ITEM_OVER)
			due_in(it, APPLY_PATCH, 0);
	}
	return true;
}
