/* All services: loading, wants, the only writer of their state, and the loop that lets changes settle. PID 1 owns it.
 * Never recurses: what a change causes goes through the settle queue. */
#include "service/table.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "service/actions.h"
#include "service/def.h"
#include "service/folder.h"
#include "service/fsm.h"
#include "service/graph.h"

#define EARLY         "console" /* begins the name of a file that does not wait for the rest */
#define SETTLE_STARTS 2 /* programs started in one round of the loop, so that who has started is answered meanwhile */

/* File-static because it is large and short-lived; touched only while a folder is loaded. */
static struct {
	struct folder folder;
	struct service_def def;
	char text[LIMIT_FILE + 1];
} scratch;

/* Settling ---------------------------------------------------------------------------------------------------- */

static void settle(struct services *ss);

static void on_settle(struct loop *l, void *arg)
{
	(void)l;
	settle(arg);
}

/* In the next round of the loop. */
static void settle_soon(struct services *ss)
{
	if (ss->queued > 0 && !ss->settling && !ss->settle.armed)
		loop_after(ss->loop, &ss->settle, 0, on_settle, ss);
}

static bool is_up(enum service_state s)
{
	return s == SERVICE_READY || s == SERVICE_DONE;
}

static void tell_fact(struct service *s)
{
	char name[LIMIT_NAME];

	if (str_format(name, sizeof(name), "service-%s", s->def.name) == 0)
		fact_set(s->all->facts, name, is_up(s->state) ? FACT_ON : FACT_OFF, "");
}

/* Waiting is not news: its detail says what for, and that changes without a change of state. */
static void tell_people(const struct service *s, enum service_state old)
{
	const char *next = service_state_name(s->state), *colon = *s->detail ? ": " : "";

	if (s->state == SERVICE_WAITING)
		return;
	log_info("service", "%s: %s -> %s%s%s", s->def.name, service_state_name(old), next, colon, s->detail);
	event_add(s->all->events, EVENT_SERVICE, s->def.name, "%s%s%s", next, colon, s->detail);
}

static void count_running(struct service *s, bool ran)
{
	struct services *ss = s->all;
	bool runs = service_runs(s);

	if (s->keep || ran == runs)
		return;
	ss->others += runs ? 1u : -1u;
	if (ss->stopping && ss->others == 0)
		graph_queue_kept(ss);
}

void table_set_state(struct service *s, enum service_state next, const char *why)
{
	enum service_state old = s->state;
	bool ran = service_runs(s);

	s->state = next;
	s->since = clock_ms();
	service_say(s, "%s", why);
	if (next != SERVICE_STARTING && next != SERVICE_READY)
		s->leaving = s->restart_asked = false;
	if (next != SERVICE_STOPPING && next != SERVICE_KILLING)
		s->restarting = false;
	count_running(s, ran);
	tell_people(s, old);
	if (is_up(old) && !is_up(next))
		graph_lost(s);
	if (is_up(old) != is_up(next))
		tell_fact(s);
}

/* One event; returns the one that follows at once, with its reason in why. */
static enum service_event step(struct service *s, enum service_event ev, struct err *why)
{
	const struct fsm_input in = {s->def.type, s->def.restart, s->want_up && !s->all->stopping, s->restarting};
	enum service_state from = s->state;
	struct fsm_step st = fsm_next(from, ev, &in);

	if (!st.legal) {
		log_warnx("service", "%s: event %s in state %s: passed over", s->def.name, service_event_name(ev),
		          service_state_name(from));
		return EV_COUNT;
	}
	if (st.next != from) {
		loop_cancel(s->all->loop, &s->timer);
		table_set_state(s, st.next, why->text);
	}
	if (st.actions & ACT_SETTLE)
		graph_touch(s);
	return actions_run(s, from, st.actions, why);
}

static void run_event(struct service *s, enum service_event ev, const char *why)
{
	struct err e;

	err_set(&e, 0, "%s", why);
	/* At most: clear, no-spawn; or exit, timeout of an empty back-off. */
	while (ev != EV_COUNT)
		ev = step(s, ev, &e);
}

static void settle(struct services *ss)
{
	unsigned starts = 0;
	struct service *s;

	if (ss->settling)
		return;
	ss->settling = true;
	while (starts < SETTLE_STARTS && (s = graph_pop(ss))) {
		const char *why;
		enum service_event ev = graph_look(s, &why);
		starts += ev == EV_CLEAR;
		run_event(s, ev, why);
	}
	ss->settling = false;
	settle_soon(ss);
}

void table_event(struct service *s, enum service_event ev, const char *why)
{
	run_event(s, ev, why);
	settle_soon(s->all);
}

/* From timers, exits and readiness: at once, so that a program that was killed is started again in the same round of
 * the loop in which its end was seen. */
static void deliver(struct service *s, enum service_event ev, const char *why)
{
	run_event(s, ev, why);
	settle(s->all);
}

static bool concerns(const struct service *s, const char *fact)
{
	if (s->state == SERVICE_STARTING)
		return str_eq(s->def.ready_fact, fact);
	for (unsigned i = 0; s->state == SERVICE_WAITING && i < s->def.when_count; i++) {
		if (str_eq(s->def.when[i], fact))
			return true;
	}
	return false;
}

static void on_fact(const struct fact *f, enum fact_value before, void *arg)
{
	struct services *ss = arg;
	(void)before;

	/* Our own facts come with every change of a state, and hardly anybody waits for one. */
	if (str_starts(f->name, "service-") && !ss->watches_services)
		return;
	for (unsigned i = 0; i < ss->count; i++) {
		if (concerns(&ss->service[i], f->name))
			graph_queue(&ss->service[i]);
	}
	settle_soon(ss);
}

void services_init(struct services *ss, struct loop *l, struct facts *fs, struct events *evs)
{
	struct err e;

	ss->loop = l;
	ss->facts = fs;
	ss->events = evs;
	ss->deliver = deliver;
	ss->user = passwd_user;
	if (facts_subscribe(fs, on_fact, ss, &e) < 0)
		log_errx("service", "services do not see facts: %s", e.text);
}

/* Loading ----------------------------------------------------------------------------------------------------- */

struct reporter {
	struct services *ss;
	services_problem_fn *fn;
	void *arg;
	unsigned count;
};

static void report(struct reporter *r, const char *name, const char *message)
{
	r->count++;
	event_add(r->ss->events, EVENT_PROBLEM, name, "%s", message);
	if (r->fn)
		r->fn(message, r->arg);
}

/* Where a person finds the file: what lies under /run is a copy. */
static const char *shown_folder(const char *folder)
{
	return str_eq(folder, PATH_RUN "/services") ? PATH_STATE_SERVICES : folder;
}

static void fill_slot(struct service *s, const struct service_def *d)
{
	def_copy(&s->def, d);
	s->fresh = true;
	service_say(s, "%s", d->enabled ? "" : "its file says 'enabled: false'");
}

static void new_slot(struct services *ss, const struct service_def *d)
{
	struct service *s = &ss->service[ss->count++];

	memset(s, 0, sizeof(*s));
	s->all = ss;
	s->since = clock_ms();
	s->child.pidfd = s->notify_fd = s->log_fd = s->log_read_fd = s->cgroup_fd = -1;
	fill_slot(s, d);
}

/* Puts a definition where it belongs: a new slot, or over one of the same name that has not been started. */
static int add_one(struct services *ss, const struct service_def *d, struct err *e)
{
	struct service *old = graph_find(ss, d->name);

	if (!old && ss->count == LIMIT_SERVICES)
		return err_set(e, ENOSPC, "%s:1: more than %d services; remove a file", d->file, LIMIT_SERVICES);
	if (!old) {
		new_slot(ss, d);
		return 0;
	}
	if (old->started)
		return err_set(e, EBUSY, "%s:1: '%s' of %s was started before this folder is read; it stays as it is",
		               d->file, d->name, old->def.file);
	if (old->state == SERVICE_DOWN) {
		fill_slot(old, d);
		return 0;
	}
	def_copy(&old->def, d); /* waiting: it starts, or goes down, by the new rules */
	old->want_up = d->enabled;
	graph_queue(old);
	return 0;
}

static bool is_loaded(const struct services *ss, const char *file)
{
	unsigned i = 0;

	while (i < ss->count && !str_eq(ss->service[i].def.file, file))
		i++;
	return i < ss->count;
}

/* Into scratch.def; 1: nothing, for it is loaded already. */
static int read_file(struct services *ss, const char *folder, const char *name, struct err *e)
{
	char path[LIMIT_PATH], shown[LIMIT_PATH];
	struct buf b;
	size_t n = strlen(name);

	if (str_format(path, sizeof(path), "%s/%s", folder, name) < 0 ||
	    str_format(shown, sizeof(shown), "%s/%s", shown_folder(folder), name) < 0)
		return err_set(e, ENAMETOOLONG, "%s/%s:1: name too long", folder, name);
	if (n < 5 || !str_eq(name + n - 5, ".yaml"))
		return err_set(e, EINVAL, "%s:1: a service file is called NAME.yaml; rename it", shown);
	if (is_loaded(ss, shown))
		return 1;
	buf_init(&b, scratch.text, sizeof(scratch.text));
	if (file_read(path, &b, e) < 0)
		return err_prefix(e, "%s:1", shown);
	return def_parse(&scratch.def, shown, scratch.text, b.len, ss->user, e);
}

unsigned services_load(struct services *ss, const char *folder, services_problem_fn *on_problem, void *arg)
{
	struct reporter r = {ss, on_problem, arg, 0};
	struct err e;

	if (folder_read(&scratch.folder, folder, &e) < 0)
		report(&r, "services", e.text);
	for (unsigned i = 0; i < scratch.folder.count; i++) {
		int rc = read_file(ss, folder, scratch.folder.name[i], &e);
		if (rc == 0)
			rc = add_one(ss, &scratch.def, &e);
		if (rc < 0)
			report(&r, "services", e.text);
	}
	if (scratch.folder.lost > 0) {
		err_set(&e, ENOSPC, "%s: %u files more than the %d that can be loaded; remove some",
		        shown_folder(folder), scratch.folder.lost, LIMIT_SERVICES);
		report(&r, "services", e.text);
		r.count += scratch.folder.lost - 1;
	}
	return r.count;
}

static bool is_console(const struct service_def *d)
{
	return d->tty[0] != '\0' && d->requires_count + d->after_count == 0;
}

void services_start_early(struct services *ss, const char *folder)
{
	struct err untold;

	if (folder_read(&scratch.folder, folder, &untold) < 0)
		return;
	for (unsigned i = 0; i < scratch.folder.count; i++) {
		const char *name = scratch.folder.name[i];
		if (str_starts(name, EARLY) && read_file(ss, folder, name, &untold) == 0 && is_console(&scratch.def))
			(void)!add_one(ss, &scratch.def, &untold);
	}
	(void)services_link(ss, NULL, NULL); /* refuses none: they name no other service */
	services_start_all(ss);
}

static void on_graph_problem(struct service *s, const char *message, void *arg)
{
	report(arg, s->def.name, message);
}

unsigned services_link(struct services *ss, services_problem_fn *on_problem, void *arg)
{
	struct reporter r = {ss, on_problem, arg, 0};

	return graph_link(ss, on_graph_problem, &r);
}

struct service *services_find(struct services *ss, const char *name)
{
	return graph_find(ss, name);
}

/* Wants ------------------------------------------------------------------------------------------------------- */

void services_start_all(struct services *ss)
{
	for (unsigned i = 0; i < ss->count && !ss->stopping; i++) {
		struct service *s = &ss->service[i];
		if (s->fresh && s->def.enabled)
			s->want_up = true;
		s->fresh = false;
		graph_queue(s);
	}
	settle_soon(ss);
}

static struct service *find(struct services *ss, const char *name, struct err *e)
{
	struct service *s = graph_find(ss, name);
	const char *nearest = s ? NULL : graph_nearest(ss, name);

	if (nearest)
		err_set(e, ENOENT, "there is no service '%s'; did you mean '%s'?", name, nearest);
	else if (!s)
		err_set(e, ENOENT, "there is no service '%s'", name);
	return s;
}

static int check_start(const struct service *s, struct err *e)
{
	if (s->all->stopping)
		return err_set(e, ESHUTDOWN, "%s: the system is shutting down", s->def.name);
	if (s->refused)
		return err_set(e, EINVAL, "%s: %s", s->def.name, s->detail);
	return 0;
}

int services_want(struct services *ss, const char *name, bool up, struct err *e)
{
	struct service *s = find(ss, name, e);

	if (!s || (up && check_start(s, e) < 0))
		return -1;
	s->want_up = up;
	s->fresh = false;
	if (up)
		table_event(s, EV_UP, "start asked for");
	graph_queue(s);
	settle_soon(ss);
	return 0;
}

int services_restart(struct services *ss, const char *name, struct err *e)
{
	struct service *s = find(ss, name, e);

	if (!s || check_start(s, e) < 0)
		return -1;
	s->want_up = true;
	s->fresh = false;
	/* A running one goes through `leaving`, so that what requires it stops first. */
	if (s->state == SERVICE_STARTING || s->state == SERVICE_READY)
		s->restart_asked = true;
	else
		table_event(s, EV_RESTART, "restart asked for");
	graph_queue(s);
	settle_soon(ss);
	return 0;
}

void services_stop_all(struct services *ss)
{
	ss->stopping = true;
	for (unsigned i = 0; i < ss->count; i++) {
		ss->service[i].want_up = false;
		graph_queue(&ss->service[i]);
	}
	settle_soon(ss);
}

bool services_all_down(const struct services *ss)
{
	for (unsigned i = 0; i < ss->count; i++) {
		if (service_runs(&ss->service[i]))
			return false;
	}
	return true;
}

void services_kill_all(struct services *ss)
{
	for (unsigned i = 0; i < ss->count; i++)
		actions_kill(&ss->service[i]);
}
