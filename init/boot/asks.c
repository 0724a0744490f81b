/* The table of requests under way at roles; see asks.h. Never blocks, takes no memory. */
#include "boot/asks.h"

#include <errno.h>

#include "base/str.h"

void asks_cancel(struct ask *a)
{
	loop_cancel(a->all->loop, &a->timer);
	a->id = 0;
	a->from = NULL;
	a->to = NULL;
}

static void on_end(struct loop *l, void *arg)
{
	struct ask *a = arg;
	struct asks *as = a->all;
	void *from = a->from;
	uint32_t from_id = a->from_id;
	char why[LIMIT_NAME + 48];

	(void)l;
	if (str_format(why, sizeof(why), a->to ? "%s: no answer in %d s" : "%s: it ended before it answered", a->name,
	               ASKS_MS / 1000) < 0)
		why[0] = '\0';
	asks_cancel(a);
	if (from)
		as->end(from, from_id, why, as->arg);
}

static struct ask *free_place(struct asks *as, const void *from, const void *to)
{
	struct ask *place = NULL;
	unsigned of_it = 0;

	for (unsigned i = 0; i < ASKS; i++) {
		if (as->ask[i].id == 0)
			place = &as->ask[i];
		else
			of_it += as->ask[i].from == from && as->ask[i].to == to;
	}
	return of_it < ASKS_EACH ? place : NULL;
}

/* Whose, with what number, for whom, named how: all of it is the ask. */
/* NOLINTNEXTLINE(readability-function-size) */
struct ask *asks_add(struct asks *as, void *from, uint32_t from_id, const void *to, const char *name, struct err *e)
{
	struct ask *a = free_place(as, from, to);

	if (!a) {
		err_put(e, EBUSY, "%s: too many questions at a time; ask again", name);
		return NULL;
	}
	if (str_copy(a->name, sizeof(a->name), name) < 0) {
		err_put(e, ENAMETOOLONG, "%s: name too long", name);
		return NULL;
	}
	a->all = as;
	a->from = from;
	a->from_id = from_id;
	a->to = to;
	a->id = ++as->last_id ? as->last_id : ++as->last_id;
	loop_after(as->loop, &a->timer, ASKS_MS, on_end, a);
	return a;
}

bool asks_take(struct asks *as, uint32_t id, const void *to, void **from, uint32_t *from_id)
{
	for (unsigned i = 0; id && i < ASKS; i++) {
		struct ask *a = &as->ask[i];
		if (a->id != id || a->to != to)
			continue;
		*from = a->from;
		*from_id = a->from_id;
		asks_cancel(a);
		return true;
	}
	return false;
}

void asks_forget(struct asks *as, const void *peer)
{
	for (unsigned i = 0; i < ASKS; i++) {
		struct ask *a = &as->ask[i];
		if (a->id && a->from == peer)
			a->from = NULL;
		if (!a->id || a->to != peer)
			continue;
		/* Not from inside of whatever dropped it. */
		a->to = NULL;
		loop_after(as->loop, &a->timer, 0, on_end, a);
	}
}
