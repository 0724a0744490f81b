/* The table of paths of the HTTPS console and the checks on a request before it may cost PID 1 anything.
 * Runs in the web role. Never talks to anyone. */
#include "console/web_route.h"

#include <string.h>

#include "base/str.h"

static const struct web_route routes[] = {
	/* path, kind, content type, command, query, timeout */
	{"/", WEB_PAGE, "text/html; charset=utf-8", NULL, NULL, 0},
	{"/favicon.ico", WEB_ICON, "image/svg+xml", NULL, NULL, 0},
	{"/healthz", WEB_HEALTH, WEB_TEXT, "status", NULL, 2000},
	{"/api/v1/status", WEB_COMMAND, WEB_JSON, "status", NULL, 5000},
	{"/api/v1/services", WEB_COMMAND, WEB_JSON, "services", NULL, 5000},
	{"/api/v1/boots", WEB_COMMAND, WEB_JSON, "boots", NULL, 5000},
	{"/api/v1/facts", WEB_COMMAND, WEB_JSON, "facts", NULL, 5000},
	{"/api/v1/slots", WEB_COMMAND, WEB_JSON, "slots", NULL, 5000},
	{"/api/v1/apps", WEB_COMMAND, WEB_JSON, "apps", NULL, 25000},
	{"/api/v1/pods", WEB_COMMAND, WEB_JSON, "pods", NULL, 25000},
	{"/api/v1/events", WEB_COMMAND, WEB_JSON, "events", "from", 5000},
	{"/api/v1/events/stream", WEB_STREAM, "text/event-stream", NULL, NULL, 0},
	{0},
};

const struct web_route *web_route_table(void)
{
	return routes;
}

static const struct web_route *find(const char *path)
{
	for (const struct web_route *r = routes; r->path; r++)
		if (str_eq(r->path, path))
			return r;
	return NULL;
}

static void refuse(struct web_match *m, int status, const char *why)
{
	m->status = status;
	m->why = why;
}

/* Only "NAME=NUMBER" of the route passes, so no text that a stranger chose ever reaches PID 1. */
static bool query_fits(const struct web_route *r, const char *query, struct web_match *m)
{
	size_t n = r->query ? strlen(r->query) : 0;
	if (!n || strncmp(query, r->query, n) != 0 || query[n] != '=')
		return false;
	uint64_t number;
	if (str_u64(query + n + 1, UINT64_MAX, &number))
		return false;
	m->argv[m->argc++] = query + n + 1;
	return true;
}

void web_route_match(enum web_method method, const char *path, const char *query, bool body, struct web_match *m)
{
	*m = (struct web_match){.status = 200};
	const struct web_route *r = find(path);
	if (!r)
		return refuse(m, 404, "no such page");
	if (method == WEB_OTHER)
		return refuse(m, 405, "only GET and HEAD are answered here");
	if (body)
		return refuse(m, 413, "a request here has no body");
	if (r->command)
		m->argv[m->argc++] = r->command;
	if (query[0] && !query_fits(r, query, m))
		return refuse(m, 400, r->query ? "the only query is from=NUMBER" : "this page takes no query");
	m->route = r;
}

void web_route_error(struct buf *out, const char *why)
{
	struct json j;
	json_init(&j, out);
	json_open_object(&j, NULL);
	json_string(&j, "error", why);
	json_close_object(&j);
	buf_add_char(out, '\n');
}
