/* Looking for updates; see seek.h. Runs in the update role; whatever it decides goes through the conductor's orders. */
#include "update/seek.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/sys.h"
#include "update/memory.h"
#include "update/place.h"

#define ROOM      "update"
#define EVERY_DAY 0x7f

static void tick(struct loop *l, void *arg);

/* --- what to do by itself --------------------------------------------------------------------- */

/* 0: the window is open; else milliseconds. A clock that may be wrong opens only one that always is. */
static uint64_t until_open(const struct seek_view *v)
{
	const struct window_span span = window_next(v->wall, &v->window, 0);
	if (v->window.any)
		return 0;
	if (!v->world.synced)
		return SEEK_LATER_MS;
	return span.from > v->wall ? (uint64_t)(span.from - v->wall) * 1000 : 0;
}

static bool is_under_way(enum update_state s)
{
	struct err ignored;
	return update_next(s, UPDATE_ON_INSTALL, &ignored) < 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The settings may change at any time, so nothing waits for longer than a retry. */
enum seek_act seek_plan(const struct seek_view *v, uint64_t *wait_ms)
{
	uint64_t open = until_open(v);
	*wait_ms = SEEK_RETRY_MS;
	if (!v->automatic)
		return SEEK_NOTHING;
	if (v->world.trial || is_under_way(v->state)) {
		*wait_ms = v->world.trial ? SEEK_LATER_MS : SEEK_SOON_MS;
		return SEEK_NOTHING;
	}
	if (v->state == UPDATE_READY || (v->offered && open == 0)) {
		*wait_ms = least(open, SEEK_RETRY_MS);
		return open > 0 ? SEEK_NOTHING : v->state == UPDATE_READY ? SEEK_RESTART : SEEK_INSTALL;
	}
	if (v->due_ms == 0) {
		*wait_ms = SEEK_SOON_MS;
		return v->world.network ? SEEK_CHECK : SEEK_NOTHING;
	}
	*wait_ms = least(least(v->due_ms, v->offered ? open : SEEK_RETRY_MS), SEEK_RETRY_MS);
	return SEEK_NOTHING;
}

static uint64_t chance_ms(void)
{
	uint32_t bits = 0;
	(void)!sys_getrandom(&bits, sizeof(bits), 0);
	return bits % SEEK_CHANCE_MS;
}

static void again_in(struct seek *s, uint64_t ms)
{
	loop_after(s->loop, &s->timer, ms, tick, s);
}

static void due_in(struct seek *s, uint64_t ms)
{
	s->due = clock_ms() + ms;
}

static struct window window_of(const struct settings_update *u)
{
	return (struct window){.any = u->from == u->until, .days = EVERY_DAY, .from = u->from, .to = u->until};
}

static bool by_hand(const struct seek *s)
{
	return s->order.verb != ORDER_STATUS;
}

/* --- one look --------------------------------------------------------------------------------- */

static void on_silent(struct loop *l, void *arg)
{
	struct seek *s = arg;
	(void)l;
	if (s->step == SEEK_INDEX)
		conduct_stop_look(s->conduct);
}

static int look(struct seek *s, struct err *e)
{
	struct order o = {.verb = ORDER_CHECK, .kind = ORDER_URL};
	if (str_copy(o.source, sizeof(o.source), s->settings.update.url) < 0)
		return err_set(e, ENAMETOOLONG, "update.url is too long");
	s->step = SEEK_INDEX;
	if (conduct_order(s->conduct, &o, -1, e) == 0) {
		if (!by_hand(s))
			loop_after(s->loop, &s->wait, SEEK_WAIT_MS, on_silent, s);
		return 0;
	}
	s->step = SEEK_QUIET;
	return -1;
}

static int install(struct seek *s, struct err *e)
{
	const struct offer *f = &s->conduct->offer;
	struct order o = s->order;
	o.verb = ORDER_INSTALL;
	o.kind = ORDER_URL;
	s->offered = false;
	if (!f->there)
		return err_set(e, ENOENT, "%s", f->text);
	if (str_copy(o.source, sizeof(o.source), f->url) < 0)
		return err_set(e, ENAMETOOLONG, "the address of %s is too long", f->version);
	return conduct_order(s->conduct, &o, -1, e);
}

/* --- by itself -------------------------------------------------------------------------------- */

static void act(struct seek *s, const struct seek_world *w)
{
	const struct settings_update *u = &s->settings.update;
	uint64_t now = clock_ms(), wait;
	const struct seek_view v = {
		.automatic = u->automatic && u->url[0] != '\0',
		.world = *w,
		.state = s->conduct->looking ? UPDATE_ASKING : s->conduct->state,
		.offered = s->offered,
		.due_ms = s->due > now ? s->due - now : 0,
		.wall = clock_wall(),
		.window = window_of(u),
	};
	struct err e = {0};
	int rc = 0;
	enum seek_act what = seek_plan(&v, &wait);
	if (what == SEEK_CHECK) {
		due_in(s, SEEK_RETRY_MS);
		rc = look(s, &e);
	} else if (what == SEEK_INSTALL) {
		log_info(ROOM, "installing %s by itself", s->conduct->offer.version);
		rc = install(s, &e);
	} else if (what == SEEK_RESTART) {
		s->hooks.restart(s->conduct->m.version, s->hooks.arg);
	}
	if (rc < 0)
		log_warnx(ROOM, "looking for updates: %s", e.text);
	again_in(s, what == SEEK_NOTHING ? wait : what == SEEK_RESTART ? SEEK_LATER_MS : SEEK_SOON_MS);
}

/* Another channel has other offers. */
static int load(struct seek *s, struct err *e)
{
	char before[sizeof(s->settings.update.url)];
	memcpy(before, s->settings.update.url, sizeof(before));
	if (settings_load(&s->settings, &s->room, e) < 0)
		return -1;
	if (!str_eq(before, s->settings.update.url)) {
		s->offered = false;
		s->due = 0;
	}
	return 0;
}

/* Where a channel is, and whether anything is to be done by itself. */
static void tick(struct loop *l, void *arg)
{
	struct seek *s = arg;
	struct err e = {0};
	(void)l;
	again_in(s, SEEK_RETRY_MS);
	if (s->step != SEEK_QUIET) {
		again_in(s, SEEK_SOON_MS);
		return;
	}
	if (load(s, &e) < 0) {
		log_warnx(ROOM, "looking for updates: %s", e.text);
		return;
	}
	if (!s->settings.update.automatic || s->settings.update.url[0] == '\0')
		return;
	s->order.verb = ORDER_STATUS;
	s->step = SEEK_WORLD;
	s->hooks.ask(s->hooks.arg);
}

/* --- asked ------------------------------------------------------------------------------------ */

int seek_order(struct seek *s, const struct order *o, struct err *e)
{
	if (s->step != SEEK_QUIET)
		return err_set(e, EBUSY, "a look at the channel is under way; ask again when it is done");
	if (load(s, e) < 0)
		return -1;
	if (s->settings.update.url[0] == '\0')
		return err_set(e, ENOENT, "there is no channel to ask: set update.url in the settings");
	s->order = *o;
	s->step = SEEK_WORLD;
	s->hooks.ask(s->hooks.arg);
	return 0;
}

void seek_world(struct seek *s, const struct seek_world *w)
{
	static const struct seek_world nothing = {false, false, false};
	struct err e = {0};
	if (s->step != SEEK_WORLD)
		return;
	s->step = SEEK_QUIET;
	s->conduct->synced = w && w->synced;
	if (!by_hand(s))
		act(s, w ? w : &nothing);
	else if (look(s, &e) < 0)
		s->hooks.decided(&e, s->hooks.arg);
}

/* Of what an index offers, only that goes in by itself. */
static bool is_wanted(const struct offer *f)
{
	if (!f->there || !memory_has_failed(f->version))
		return f->there;
	log_info(ROOM, "%s is there, but was tried here and given up", f->version);
	return false;
}

bool seek_decided(struct seek *s, const struct err *e)
{
	struct err why = {0};
	if (s->step != SEEK_INDEX)
		return false;
	s->step = SEEK_QUIET;
	loop_cancel(s->loop, &s->wait);
	s->offered = !e && is_wanted(&s->conduct->offer);
	if (!e)
		due_in(s, SEEK_EVERY_MS + chance_ms());
	if (!by_hand(s)) {
		if (e)
			log_warnx(ROOM, "looking for updates: %s", e->text);
		again_in(s, 0);
		return true;
	}
	if (e || s->order.verb == ORDER_CHECK)
		return false;
	if (install(s, &why) < 0)
		s->hooks.decided(&why, s->hooks.arg);
	return true;
}

/* --- from the start on ------------------------------------------------------------------------ */

static void remember_failed(const struct conduct *c)
{
	char version[VERSION_TEXT];
	struct place p;
	struct err e = {0};
	place_init(&p);
	if (place_find(&p, &c->options.stand_in, &e) < 0 || !place_given_up(&p, version))
		return;
	if (memory_add_failed(version, &e) < 0)
		log_warnx(ROOM, "%s", e.text);
}

void seek_init(struct seek *s, struct loop *l, struct conduct *c, const struct seek_hooks *h)
{
	memset(s, 0, sizeof(*s));
	s->loop = l;
	s->conduct = c;
	s->hooks = *h;
}

void seek_begin(struct seek *s)
{
	remember_failed(s->conduct);
	again_in(s, s->conduct->options.soon ? 0 : SEEK_FIRST_MS + chance_ms());
}

void seek_fini(struct seek *s)
{
	if (!s->loop)
		return;
	loop_cancel(s->loop, &s->timer);
	loop_cancel(s->loop, &s->wait);
}
