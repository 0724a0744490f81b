/* The list of current problems in PID 1; see problem.h. Touches nothing but its own struct. */
#include "boot/problem.h"

#include <string.h>

#include "base/str.h"

static struct problem *by_source(struct problems *ps, const char *source)
{
	for (unsigned i = 0; source[0] != '\0' && i < ps->count; i++) {
		if (str_eq(ps->list[i].source, source))
			return &ps->list[i];
	}
	return NULL;
}

/* A sentence that is cut is better than none, so this is the one place that cuts, visibly. */
static void set_text(struct problem *p, const char *text)
{
	size_t n = strnlen(text, sizeof(p->text));
	if (n == sizeof(p->text))
		n = sizeof(p->text) - 4;
	memcpy(p->text, text, n);
	memcpy(p->text + n, text[n] == '\0' ? "" : "...", text[n] == '\0' ? 1 : 4);
}

bool problem_add(struct problems *ps, const char *source, const char *text)
{
	struct problem *p = by_source(ps, source);
	for (unsigned i = 0; i < ps->count; i++) {
		if (str_eq(ps->list[i].text, text) && (p == NULL || p == &ps->list[i]))
			return false;
	}
	if (p == NULL && ps->count == PROBLEMS) {
		ps->lost++;
		return false;
	}
	if (p == NULL)
		p = &ps->list[ps->count++];
	if (str_copy(p->source, sizeof(p->source), source) < 0)
		p->source[0] = '\0';
	set_text(p, text);
	return true;
}

bool problem_clear(struct problems *ps, const char *source)
{
	struct problem *p = by_source(ps, source);
	if (p == NULL)
		return false;
	unsigned at = (unsigned)(p - ps->list);
	memmove(p, p + 1, (ps->count - at - 1) * sizeof(*p));
	ps->count--;
	return true;
}

void problem_tell(struct problems *ps, struct events *evs, const char *source, const char *text)
{
	if (problem_add(ps, source, text))
		event_add(evs, EVENT_PROBLEM, source, "%s", text);
}
