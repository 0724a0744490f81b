/* The graph of services: links, the settle queue, and the decision what is to happen to one service. Run by PID 1,
 * and by `hearth check` for its messages. Never changes a state itself and never recurses. */
#include "service/graph.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"

#define TYPO_CHANGES    2 /* a name so near to a known one is taken for a typing mistake */
#define LEAVING_ENDS(s) ((s)->leaving || (s)->state == SERVICE_STOPPING || (s)->state == SERVICE_KILLING)

struct reporter {
	graph_problem_fn *fn;
	void *arg;
};

struct service *graph_find(struct services *ss, const char *name)
{
	for (unsigned i = 0; i < ss->count; i++) {
		if (str_eq(ss->service[i].def.name, name))
			return &ss->service[i];
	}
	return NULL;
}

const char *graph_nearest(struct services *ss, const char *name)
{
	const char *nearest = NULL;
	unsigned best = TYPO_CHANGES + 1;

	for (unsigned i = 0; i < ss->count; i++) {
		const char *known = ss->service[i].def.name;
		unsigned d = str_distance(name, known, best);
		if (d < best && d < strlen(known)) {
			best = d;
			nearest = known;
		}
	}
	return nearest;
}

static void refuse(struct service *s, const struct reporter *r, const char *message)
{
	s->refused = true;
	service_say(s, "refused: %s", message);
	if (r)
		r->fn(s, message, r->arg);
}

static void add_link(struct service *s, struct service *on, bool order_only)
{
	struct service_link *l = &s->link[s->links++];

	*l = (struct service_link){.who = s, .on = on, .next = on->dependents, .order_only = order_only};
	on->dependents = l;
}

static void link_names(struct service *s, bool order_only, const struct reporter *r)
{
	const struct service_def *d = &s->def;
	const char *const *names = order_only ? d->after : d->requires;
	unsigned count = order_only ? d->after_count : d->requires_count;
	int line = order_only ? d->after_line : d->requires_line;
	char text[ERR_TEXT];
	struct buf b;

	for (unsigned i = 0; i < count; i++) {
		struct service *on = graph_find(s->all, names[i]);
		if (on) {
			add_link(s, on, order_only);
			continue;
		}
		const char *nearest = graph_nearest(s->all, names[i]);
		buf_init(&b, text, sizeof(text));
		buf_addf(&b, "%s:%d: %s: there is no service '%s'; ", d->file, line, order_only ? "after" : "requires",
		         names[i]);
		buf_addf(&b, nearest ? "did you mean '%s'?" : "remove it or add the file of that service", nearest);
		refuse(s, r, text);
	}
}

/* Depth-first over the links, by hand: white = not seen, grey = on the path, black = finished. */
enum colour { WHITE, GREY, BLACK };

struct walk {
	unsigned char colour[LIMIT_SERVICES];
	unsigned char at[LIMIT_SERVICES]; /* next link to follow */
	struct service *path[LIMIT_SERVICES];
	unsigned depth;
};

static unsigned index_of(const struct service *s)
{
	return (unsigned)(s - s->all->service);
}

static void enter(struct walk *w, struct service *s)
{
	w->colour[index_of(s)] = GREY;
	w->at[index_of(s)] = 0;
	w->path[w->depth++] = s;
}

/* l closes a cycle: everybody on the path from l->on can never start. */
static void report_cycle(struct walk *w, const struct service_link *l, const struct reporter *r)
{
	const struct service_def *d = &l->who->def;
	unsigned first = w->depth - 1;
	char text[ERR_TEXT];
	struct buf b;

	while (w->path[first] != l->on)
		first--;
	buf_init(&b, text, sizeof(text));
	buf_addf(&b, "%s:%d: these need each other: ", d->file, l->order_only ? d->after_line : d->requires_line);
	for (unsigned i = first; i < w->depth; i++)
		buf_addf(&b, "%s -> ", w->path[i]->def.name);
	buf_addf(&b, "%s; remove one of them from a list", l->on->def.name);
	if (!buf_ok(&b))
		memcpy(text + sizeof(text) - 4, "...", 4);
	for (unsigned i = first; i < w->depth; i++)
		refuse(w->path[i], NULL, text);
	r->fn(l->who, text, r->arg);
}

static void walk_from(struct walk *w, struct service *s, const struct reporter *r)
{
	enter(w, s);
	while (w->depth > 0) {
		struct service *top = w->path[w->depth - 1];
		unsigned i = index_of(top);
		if (w->at[i] == top->links) {
			w->colour[i] = BLACK;
			w->depth--;
			continue;
		}
		const struct service_link *l = &top->link[w->at[i]++];
		if (w->colour[index_of(l->on)] == GREY)
			report_cycle(w, l, r);
		else if (w->colour[index_of(l->on)] == WHITE)
			enter(w, l->on);
	}
}

static void find_cycles(struct services *ss, const struct reporter *r)
{
	struct walk w;

	memset(w.colour, WHITE, sizeof(w.colour));
	w.depth = 0;
	for (unsigned i = 0; i < ss->count; i++) {
		if (w.colour[i] == WHITE)
			walk_from(&w, &ss->service[i], r);
	}
}

/* What a kept service requires is kept too: it could not be stopped before it anyway. */
static void spread_keep(struct services *ss)
{
	bool changed = true;

	while (changed) { /* each round keeps at least one more */
		changed = false;
		for (unsigned i = 0; i < ss->count; i++) {
			struct service *s = &ss->service[i];
			for (unsigned k = 0; s->keep && k < s->links; k++) {
				if (s->link[k].order_only || s->link[k].on->keep)
					continue;
				s->link[k].on->keep = true;
				changed = true;
			}
		}
	}
}

static bool names_service_fact(const struct service_def *d)
{
	for (unsigned i = 0; i < d->when_count; i++) {
		if (str_starts(d->when[i], "service-"))
			return true;
	}
	return str_starts(d->ready_fact, "service-");
}

unsigned graph_link(struct services *ss, graph_problem_fn *problem, void *arg)
{
	const struct reporter r = {problem, arg};
	unsigned refused = 0;

	for (unsigned i = 0; i < ss->count; i++) {
		struct service *s = &ss->service[i];
		s->dependents = NULL;
		s->links = 0;
		s->keep = s->def.keep;
		if (s->refused)
			s->detail[0] = '\0';
		s->refused = false;
	}
	ss->watches_services = false;
	for (unsigned i = 0; i < ss->count; i++) {
		link_names(&ss->service[i], false, &r);
		link_names(&ss->service[i], true, &r);
		if (names_service_fact(&ss->service[i].def))
			ss->watches_services = true;
	}
	find_cycles(ss, &r);
	spread_keep(ss);
	ss->others = 0;
	for (unsigned i = 0; i < ss->count; i++) {
		refused += ss->service[i].refused;
		ss->others += service_runs(&ss->service[i]) && !ss->service[i].keep;
	}
	return refused;
}

void graph_queue(struct service *s)
{
	struct services *ss = s->all;

	if (s->queued)
		return;
	s->queued = true;
	ss->queue[(ss->head + ss->queued++) % LIMIT_SERVICES] = s;
}

struct service *graph_pop(struct services *ss)
{
	if (ss->queued == 0)
		return NULL;
	struct service *s = ss->queue[ss->head];
	ss->head = (ss->head + 1) % LIMIT_SERVICES;
	ss->queued--;
	s->queued = false;
	return s;
}

static void queue_dependents(struct service *s)
{
	for (struct service_link *l = s->dependents; l; l = l->next)
		graph_queue(l->who);
}

static void leave(struct service *s)
{
	if (s->leaving)
		return;
	s->leaving = true;
	graph_queue(s);
	queue_dependents(s);
}

void graph_lost(struct service *s)
{
	for (struct service_link *l = s->dependents; l; l = l->next) {
		bool up = l->who->state == SERVICE_STARTING || l->who->state == SERVICE_READY;
		if (up && !l->order_only)
			leave(l->who);
	}
}

void graph_touch(struct service *s)
{
	graph_queue(s);
	queue_dependents(s);
	for (unsigned i = 0; i < s->links; i++) {
		if (s->link[i].on->leaving)
			graph_queue(s->link[i].on);
	}
}

void graph_queue_kept(struct services *ss)
{
	for (unsigned i = 0; i < ss->count; i++) {
		if (ss->service[i].keep)
			graph_queue(&ss->service[i]);
	}
}

static const char *fact_detail(const struct facts *fs, const char *name)
{
	for (unsigned i = 0; i < fs->count; i++) {
		if (str_eq(fs->fact[i].name, name))
			return fs->fact[i].detail;
	}
	return "";
}

/* In one or two words, what a service that is needed does instead of being there. */
static const char *condition(const struct service *s)
{
	if (s->refused)
		return "refused";
	if (s->state == SERVICE_DOWN && !s->want_up)
		return s->def.enabled ? "not wanted" : "disabled";
	return s->leaving ? "stopping" : service_state_name(s->state);
}

static const struct service_link *lost_requirement(const struct service *s)
{
	for (unsigned i = 0; i < s->links; i++) {
		if (!s->link[i].order_only && !service_is_there(s->link[i].on))
			return &s->link[i];
	}
	return NULL;
}

/* The first of the after-list that has not had its turn. */
static const struct service *turn_of(const struct service *s)
{
	for (unsigned i = 0; i < s->links; i++) {
		const struct service *on = s->link[i].on;
		bool coming =
			on->state == SERVICE_DOWN || on->state == SERVICE_WAITING || on->state == SERVICE_STARTING;
		if (s->link[i].order_only && on->want_up && !on->refused && coming)
			return on;
	}
	return NULL;
}

static void say_needs(struct service *s, const struct service *on)
{
	bool more = on->detail[0] != '\0';

	service_say(s, "needs %s (%s%s%s)", on->def.name, condition(on), more ? ": " : "", on->detail);
}

/* Says what is missing and returns true, or returns false. */
static bool is_missing_something(struct service *s)
{
	const struct facts *fs = s->all->facts;
	const struct service_link *lost = lost_requirement(s);

	if (lost) {
		say_needs(s, lost->on);
		return true;
	}
	for (unsigned i = 0; i < s->def.when_count; i++) {
		const char *name = s->def.when[i];
		const char *detail = fact_detail(fs, name);
		enum fact_value v = fact_get(fs, name);
		if (v == FACT_ON)
			continue;
		service_say(s, "waits for %s (%s%s%s)", name, fact_value_name(v), *detail ? ": " : "", detail);
		return true;
	}
	const struct service *first = turn_of(s);
	if (first)
		service_say(s, "starts after %s (%s)", first->def.name, condition(first));
	return first != NULL;
}

/* Somebody that must end before it still runs. */
static bool is_held(const struct service *s)
{
	for (const struct service_link *l = s->dependents; l; l = l->next) {
		const struct service *d = l->who;
		if (!service_runs(d))
			continue;
		if (!l->order_only)
			return true;
		/* Order matters only when both end; and what is kept ends after all others whatever it says. */
		if ((LEAVING_ENDS(d) || !d->want_up) && !(d->keep && !s->keep))
			return true;
	}
	return s->all->stopping && s->keep && s->all->others > 0;
}

static enum service_event look_leaving(struct service *s, const char **why)
{
	if (is_held(s))
		return EV_COUNT;
	if (!s->want_up) {
		*why = s->all->stopping ? "shutdown" : "stop asked for";
		return EV_DOWN;
	}
	if (s->restart_asked) {
		*why = "restart asked for";
		return EV_RESTART;
	}
	const struct service_link *lost = lost_requirement(s);
	if (lost)
		say_needs(s, lost->on);
	else
		service_say(s, "something it needs was started anew");
	*why = s->detail;
	return EV_BLOCKED;
}

static enum service_event look_running(struct service *s, const char **why)
{
	if (!s->want_up || s->restart_asked || lost_requirement(s))
		leave(s);
	if (s->leaving)
		return look_leaving(s, why);
	bool on_fact = s->state == SERVICE_STARTING && s->def.ready == READY_FACT;
	if (on_fact && fact_get(s->all->facts, s->def.ready_fact) == FACT_ON)
		return EV_IS_READY;
	return EV_COUNT;
}

static const char *starting_why(const struct service *s)
{
	static const char *const texts[] = {[READY_START] = "",
	                                    [READY_NOTIFY] = "until it says that it is ready",
	                                    [READY_FACT] = "until its fact is on"};

	return s->def.type == SERVICE_ONESHOT ? "until it ends" : texts[s->def.ready];
}

enum service_event graph_look(struct service *s, const char **why)
{
	*why = "";
	switch (s->state) {
	case SERVICE_DOWN:
		return s->want_up && !s->refused ? EV_UP : EV_COUNT;
	case SERVICE_WAITING:
		if (!s->want_up)
			return EV_DOWN;
		if (is_missing_something(s))
			return EV_COUNT;
		*why = starting_why(s);
		return EV_CLEAR;
	case SERVICE_STARTING:
	case SERVICE_READY:
		return look_running(s, why);
	case SERVICE_DONE:
	case SERVICE_BACKOFF:
	case SERVICE_FAILED:
		return s->want_up ? EV_COUNT : EV_DOWN;
	default: /* stopping, killing: its end or its deadline comes */
		return EV_COUNT;
	}
}
