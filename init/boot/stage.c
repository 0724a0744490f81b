/* Runs the table of boot stages in PID 1; see stage.h. Never blocks, never gives up on a stage. */
#include "boot/stage.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

static const char *const state_names[] = {
	[STAGE_WAITING] = "waiting",
	[STAGE_RUNNING] = "running",
	[STAGE_DONE] = "done",
	[STAGE_FAILED] = "failed",
};

const char *stage_state_name(enum stage_state s)
{
	return (size_t)s < COUNT_OF(state_names) ? state_names[s] : "?";
}

static const struct stage *find(const struct stages *ss, const char *name)
{
	for (unsigned i = 0; i < ss->count; i++) {
		if (str_eq(ss->stage[i].row->name, name))
			return &ss->stage[i];
	}
	return NULL;
}

int stages_init(struct stages *ss, const struct stage_row *rows, stage_change_fn *changed, void *arg, struct err *e)
{
	ss->changed = changed;
	ss->arg = arg;
	ss->count = 0;
	ss->stopped = false;
	for (const struct stage_row *r = rows; r->name != NULL; r++) {
		if (ss->count == STAGE_MAX)
			return err_set(e, E2BIG, "stage %s: the table is full", r->name);
		if (r->needs != NULL && find(ss, r->needs) == NULL)
			return err_set(e, EINVAL, "stage %s: needs %s, which does not stand above it", r->name,
			               r->needs);
		struct stage *s = &ss->stage[ss->count++];
		memset(s, 0, sizeof(*s));
		s->row = r;
		s->all = ss;
		s->retry_ms = STAGE_RETRY_MIN_MS;
	}
	return 0;
}

/* The one writer of a stage's state. */
static void set_state(struct stage *s, enum stage_state next, const char *why)
{
	struct stages *ss = s->all;
	bool same = s->state == next && str_eq(s->detail, why);
	if (s->state != next)
		s->since = clock_ms();
	s->state = next;
	if (str_copy(s->detail, sizeof(s->detail), why) < 0) {
		memcpy(s->detail, why, sizeof(s->detail) - 1);
		s->detail[sizeof(s->detail) - 1] = '\0';
	}
	if (same)
		return;
	unsigned long took = (unsigned long)(clock_ms() - s->begun);
	if (next == STAGE_DONE)
		event_add(ss->events, EVENT_STAGE, s->row->name, "done after %lu ms%s%s", took, *why ? ": " : "", why);
	else if (next == STAGE_FAILED)
		event_add(ss->events, EVENT_STAGE, s->row->name, "failed: %s", why);
	else if (s->row->fact != NULL)
		event_add(ss->events, EVENT_STAGE, s->row->name, "waiting for %s", s->row->what);
	if (ss->changed != NULL)
		ss->changed(s, ss->arg);
}

static bool fact_is_on(const struct stage *s)
{
	return s->row->fact == NULL || fact_get(s->all->facts, s->row->fact) == FACT_ON;
}

static void on_deadline(struct loop *l, void *arg)
{
	struct stage *s = arg;
	char why[LIMIT_DETAIL];
	(void)l;
	if (s->state != STAGE_RUNNING)
		return;
	if (str_format(why, sizeof(why), "no %s within %u s; still waiting for it", s->row->fact,
	               s->row->deadline_ms / 1000) < 0)
		why[0] = '\0';
	set_state(s, STAGE_FAILED, why);
	stages_begin(s->all);
}

static void try_start(struct stage *s);

static void on_retry(struct loop *l, void *arg)
{
	struct stage *s = arg;
	(void)l;
	if (s->state == STAGE_FAILED && !s->started)
		try_start(s);
	stages_begin(s->all);
}

static void start_failed(struct stage *s, const struct err *why)
{
	set_state(s, STAGE_FAILED, why->text);
	loop_after(s->all->loop, &s->timer, s->retry_ms, on_retry, s);
	s->retry_ms = s->retry_ms > STAGE_RETRY_MAX_MS / 2 ? STAGE_RETRY_MAX_MS : s->retry_ms * 2;
}

static void try_start(struct stage *s)
{
	struct err e = {0};
	if (s->row->start != NULL && s->row->start(s->all->arg, &e) < 0) {
		start_failed(s, &e);
		return;
	}
	s->started = true;
	if (fact_is_on(s)) {
		loop_cancel(s->all->loop, &s->timer);
		set_state(s, STAGE_DONE, "");
		return;
	}
	set_state(s, STAGE_RUNNING, "");
	loop_after(s->all->loop, &s->timer, s->row->deadline_ms, on_deadline, s);
}

static bool may_start(const struct stage *s)
{
	const struct stage *need = s->row->needs != NULL ? find(s->all, s->row->needs) : NULL;
	return s->state == STAGE_WAITING && (need == NULL || need->state == STAGE_DONE);
}

void stages_begin(struct stages *ss)
{
	/* A need stands above its user, so one pass is enough. */
	for (unsigned i = 0; i < ss->count && !ss->stopped; i++) {
		struct stage *s = &ss->stage[i];
		if (!may_start(s))
			continue;
		s->begun = clock_ms();
		try_start(s);
	}
}

void stages_fact(struct stages *ss, const struct fact *f)
{
	bool any = false;
	for (unsigned i = 0; i < ss->count && f->value == FACT_ON && !ss->stopped; i++) {
		struct stage *s = &ss->stage[i];
		bool open = s->state == STAGE_RUNNING || (s->state == STAGE_FAILED && s->started);
		if (!open || s->row->fact == NULL || !str_eq(s->row->fact, f->name))
			continue;
		loop_cancel(ss->loop, &s->timer);
		set_state(s, STAGE_DONE, f->detail);
		any = true;
	}
	if (any)
		stages_begin(ss);
}

void stages_stop(struct stages *ss)
{
	ss->stopped = true;
	for (unsigned i = 0; i < ss->count; i++)
		loop_cancel(ss->loop, &ss->stage[i].timer);
}

void stages_cut(struct stages *ss, const char *name)
{
	unsigned i = 0;
	while (i < ss->count && !str_eq(ss->stage[i].row->name, name))
		i++;
	for (unsigned k = i; k < ss->count; k++)
		loop_cancel(ss->loop, &ss->stage[k].timer);
	ss->count = i;
}

static bool goes_on(const struct stage *s)
{
	return s->state == STAGE_RUNNING || may_start(s);
}

bool stages_settled(const struct stages *ss)
{
	for (unsigned i = 0; i < ss->count; i++) {
		if (ss->stage[i].row->policy != STAGE_CONTINUE && goes_on(&ss->stage[i]))
			return false;
	}
	return true;
}

bool stages_over(const struct stages *ss)
{
	for (unsigned i = 0; i < ss->count; i++) {
		if (goes_on(&ss->stage[i]))
			return false;
	}
	return true;
}

enum stage_policy stages_verdict(const struct stages *ss, const struct stage **first)
{
	enum stage_policy worst = STAGE_CONTINUE;
	*first = NULL;
	for (unsigned i = 0; i < ss->count; i++) {
		const struct stage *s = &ss->stage[i];
		if (s->state != STAGE_FAILED || (*first != NULL && s->row->policy <= worst))
			continue;
		*first = s;
		worst = s->row->policy;
	}
	return worst;
}

static const struct fact *fact_of(const struct stage *s)
{
	const struct facts *fs = s->all->facts;
	for (unsigned i = 0; s->row->fact != NULL && i < fs->count; i++) {
		if (str_eq(fs->fact[i].name, s->row->fact))
			return &fs->fact[i];
	}
	return NULL;
}

/* What a person wants to know first: what makes the box useless, what is under way, what is still hoped for. */
static unsigned urgency(const struct stage *s)
{
	if (s->state == STAGE_FAILED && s->row->policy == STAGE_RESCUE)
		return 4;
	if (s->state == STAGE_RUNNING)
		return 3;
	if (s->state == STAGE_FAILED)
		return s->started ? 2 : 1;
	return 0;
}

void stages_waiting(const struct stages *ss, struct buf *out)
{
	const struct stage *s = NULL;
	for (unsigned i = 0; i < ss->count; i++) {
		if (urgency(&ss->stage[i]) > (s != NULL ? urgency(s) : 0))
			s = &ss->stage[i];
	}
	if (s == NULL)
		return;
	const struct fact *f = fact_of(s);
	if (s->row->fact == NULL)
		buf_addf(out, "%s: %s", s->row->name, s->detail);
	else
		buf_addf(out, "%s: waiting for %s", s->row->name, s->row->what);
	if (f != NULL && f->detail[0] != '\0')
		buf_addf(out, " (%s)", f->detail);
}
