/* The ring of what happened. PID 1 owns it.
 * Never allocates, never calls its listener from inside the listener. */
#include "core/event.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

void events_init(struct events *evs)
{
	memset(evs, 0, sizeof(*evs));
	evs->next = 1;
	evs->told = 1;
}

void events_listen(struct events *evs, event_fn *fn, void *arg)
{
	evs->listener = fn;
	evs->arg = arg;
	evs->told = evs->next;
}

/* Names and sentences are for people: what does not fit is cut, visibly. */
static void cut_to(char *dst, size_t cap, const char *src)
{
	struct buf b;

	buf_init(&b, dst, cap);
	buf_add(&b, src);
	if (!buf_ok(&b))
		memset(dst + b.len - 3, '.', 3);
}

/* Events that the listener causes are told after it returned; at most a ring full now, the rest with the next one. */
static void tell(struct events *evs)
{
	if (evs->telling)
		return;
	if (!evs->listener) {
		evs->told = evs->next;
		return;
	}
	evs->telling = true;
	for (unsigned n = 0; evs->told < evs->next && n < LIMIT_EVENTS; n++) {
		if (evs->told < event_oldest(evs))
			evs->told = event_oldest(evs);
		struct event ev = evs->ring[evs->told++ % LIMIT_EVENTS]; /* the slot may be used again meanwhile */
		evs->listener(&ev, evs->arg);
	}
	evs->telling = false;
}

void event_add(struct events *evs, enum event_kind kind, const char *name, const char *fmt, ...)
{
	char text[LIMIT_DETAIL + 1]; /* one more, so that cut_to sees what vsnprintf cut */
	struct event *ev = &evs->ring[evs->next % LIMIT_EVENTS];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	ev->seq = evs->next++;
	ev->ms = clock_ms();
	ev->wall = clock_wall();
	ev->kind = kind;
	cut_to(ev->name, sizeof(ev->name), name);
	cut_to(ev->text, sizeof(ev->text), text);
	tell(evs);
}

uint64_t event_oldest(const struct events *evs)
{
	return evs->next > LIMIT_EVENTS ? evs->next - LIMIT_EVENTS : 1;
}

const struct event *event_get(const struct events *evs, uint64_t seq)
{
	if (seq < event_oldest(evs) || seq >= evs->next)
		return NULL;
	return &evs->ring[seq % LIMIT_EVENTS];
}

const char *event_kind_name(enum event_kind k)
{
	static const char *const names[] = {
		[EVENT_STAGE] = "stage",   [EVENT_SERVICE] = "service", [EVENT_FACT] = "fact",
		[EVENT_SYSTEM] = "system", [EVENT_PROBLEM] = "problem", [EVENT_OWNER] = "owner",
	};

	return (unsigned)k < COUNT_OF(names) ? names[k] : "system";
}
