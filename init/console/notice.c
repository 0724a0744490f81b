/* Events worth telling to somebody who did not ask. Runs in the console role. Pure. */
#include "console/notice.h"

#include <string.h>

#include "base/str.h"
#include "console/fields.h"
#include "console/render.h"

void notice_init(struct notices *ns)
{
	memset(ns, 0, sizeof(*ns));
}

static int find(struct notices *ns, const char *name)
{
	for (unsigned i = 0; i < ns->services; i++)
		if (str_eq(ns->service[i].name, name))
			return (int)i;
	if (ns->services == LIMIT_SERVICES || str_copy(ns->service[ns->services].name, LIMIT_NAME, name))
		return -1;
	return (int)ns->services++;
}

/* The state that the service is in now: "ready", "ready: why" or "starting -> ready: why". */
static bool is_now(const char *text, const char *state)
{
	const char *arrow = strstr(text, "-> ");
	if (arrow)
		text = arrow + 3;
	size_t n = strlen(state);
	return str_starts(text, state) && !(text[n] >= 'a' && text[n] <= 'z');
}

static bool failure(struct notices *ns, int i, uint64_t now_ms)
{
	if (i < 0)
		return true;
	uint64_t ago = now_ms - ns->service[i].last_ms;
	if (ns->service[i].quiet_ms && ago < ns->service[i].quiet_ms)
		return false;
	uint64_t quiet = ns->service[i].quiet_ms * 2;
	if (!quiet || ago > NOTICE_QUIET_MOST_MS)
		quiet = NOTICE_QUIET_MS;
	ns->service[i].quiet_ms = quiet < NOTICE_QUIET_MOST_MS ? quiet : NOTICE_QUIET_MOST_MS;
	ns->service[i].last_ms = now_ms;
	ns->service[i].told = true;
	return true;
}

static bool service_matters(struct notices *ns, yyjson_val *ev, uint64_t now_ms)
{
	const char *text = field_str(ev, "text");
	int i = find(ns, field_str(ev, "name"));
	bool told = (is_now(text, "failed") || is_now(text, "backoff")) && failure(ns, i, now_ms);
	/* Failed is final: that is said in any case. */
	if (told || is_now(text, "failed"))
		return true;
	if ((is_now(text, "ready") || is_now(text, "done")) && i >= 0 && ns->service[i].told) {
		ns->service[i].told = false;
		return true;
	}
	return false;
}

enum notice_result notice_event(struct notices *ns, const char *event, uint64_t now_ms, unsigned width, struct buf *out)
{
	yyjson_doc *doc = fields_read(event);
	yyjson_val *ev = yyjson_doc_get_root(doc);
	const char *kind = field_str(ev, "kind");
	enum notice_result r = NOTICE_NONE;
	if (str_eq(kind, "stage") || str_eq(kind, "problem"))
		r = NOTICE_STATUS;
	else if (str_eq(kind, "system") && is_now(field_str(ev, "text"), "stopping"))
		r = NOTICE_STOPPING;
	else if (str_eq(kind, "system") || str_eq(kind, "owner") ||
	         (str_eq(kind, "service") && service_matters(ns, ev, now_ms)))
		r = NOTICE_LINE;
	if ((r == NOTICE_LINE || r == NOTICE_STOPPING) && render_event(event, width, out))
		r = NOTICE_NONE;
	yyjson_doc_free(doc);
	return r;
}
