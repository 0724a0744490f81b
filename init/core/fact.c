/* Named facts and who hears of their changes. PID 1 owns the table.
 * Never recurses into a subscriber and never allocates. */
#include "core/fact.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#define DELIVERIES 1024 /* in one go: each fact several times; more is facts that set each other without an end */

void facts_init(struct facts *fs)
{
	memset(fs, 0, sizeof(*fs));
}

int facts_subscribe(struct facts *fs, fact_fn *fn, void *arg, struct err *e)
{
	if (fs->subscribers == FACT_SUBSCRIBERS)
		return err_set(e, ENOSPC, "facts: no room for another subscriber");
	fs->subscriber[fs->subscribers].fn = fn;
	fs->subscriber[fs->subscribers].arg = arg;
	fs->subscribers++;
	return 0;
}

const struct fact *fact_find(const struct facts *fs, const char *name)
{
	for (unsigned i = 0; i < fs->count; i++) {
		if (str_eq(fs->fact[i].name, name))
			return &fs->fact[i];
	}
	return NULL;
}

static struct fact *find_or_add(struct facts *fs, const char *name)
{
	const struct fact *known = fact_find(fs, name);
	struct fact *f;

	if (known)
		return &fs->fact[known - fs->fact];
	if (!str_is_name(name)) {
		log_errx("fact", "'%s' is no name for a fact; it is not kept", name);
		return NULL;
	}
	if (fs->count == LIMIT_FACTS) {
		if (!fs->full)
			log_errx("fact", "%s: the table is full with %d facts; it is not kept, nor are others", name,
			         LIMIT_FACTS);
		fs->full = true;
		return NULL;
	}
	f = &fs->fact[fs->count++];
	memset(f, 0, sizeof(*f));
	memcpy(f->name, name, strlen(name) + 1); /* fits: str_is_name */
	f->since = clock_ms();
	return f;
}

/* A sentence for people: what does not fit is cut, visibly. */
static void set_detail(struct fact *f, const char *detail)
{
	struct buf b;

	buf_init(&b, f->detail, sizeof(f->detail));
	buf_add(&b, detail);
	if (!buf_ok(&b))
		memset(f->detail + b.len - 3, '.', 3);
}

/* At most one entry per fact, so the queue cannot overflow. */
static void enqueue(struct facts *fs, unsigned index, enum fact_value before)
{
	for (unsigned i = 0; i < fs->queued; i++) {
		if (fs->queue[i].index == index)
			return;
	}
	fs->queue[fs->queued].index = index;
	fs->queue[fs->queued].before = before;
	fs->queued++;
}

static void deliver_one(struct facts *fs)
{
	const struct fact *f = &fs->fact[fs->queue[0].index];
	enum fact_value before = fs->queue[0].before;

	fs->queued--;
	memmove(&fs->queue[0], &fs->queue[1], fs->queued * sizeof(fs->queue[0]));
	for (unsigned i = 0; i < fs->subscribers; i++)
		fs->subscriber[i].fn(f, before, fs->subscriber[i].arg);
}

static void deliver(struct facts *fs)
{
	if (fs->delivering)
		return;
	fs->delivering = true;
	for (unsigned n = 0; fs->queued > 0 && n < DELIVERIES; n++)
		deliver_one(fs);
	if (fs->queued > 0)
		log_errx("fact", "%s: changes again and again by its own effects; stopped telling",
		         fs->fact[fs->queue[0].index].name);
	fs->queued = 0;
	fs->delivering = false;
}

void fact_set(struct facts *fs, const char *name, enum fact_value v, const char *detail)
{
	char old[LIMIT_DETAIL];
	struct fact *f = find_or_add(fs, name);

	if (!f)
		return;
	enum fact_value before = f->value;
	memcpy(old, f->detail, sizeof(old));
	set_detail(f, detail);
	if (v == before && str_eq(old, f->detail))
		return;
	if (v != before) {
		f->value = v;
		f->since = clock_ms();
	}
	enqueue(fs, (unsigned)(f - fs->fact), before);
	deliver(fs);
}

enum fact_value fact_get(const struct facts *fs, const char *name)
{
	const struct fact *f = fact_find(fs, name);

	return f ? f->value : FACT_UNKNOWN;
}

const char *fact_value_name(enum fact_value v)
{
	static const char *const names[] = {[FACT_UNKNOWN] = "unknown", [FACT_OFF] = "off", [FACT_ON] = "on"};

	return (unsigned)v < COUNT_OF(names) ? names[v] : "unknown";
}
