/* The table of paths of the HTTPS console and the checks on a request before it may cost PID 1 anything.
 * Runs in the web role. Never talks to anyone. */
#include "console/web_route.h"

#include <string.h>

#include "base/str.h"

static const struct web_route routes[] = {
	/* path, method, kind, content type, command, query, timeout */
	{"/", WEB_GET, WEB_PAGE, "text/html; charset=utf-8", NULL, NULL, 0},
	{"/favicon.ico", WEB_GET, WEB_ICON, "image/svg+xml", NULL, NULL, 0},
	{"/healthz", WEB_GET, WEB_HEALTH, WEB_TEXT, "status", NULL, 2000},
	{"/api/v1/status", WEB_GET, WEB_COMMAND, WEB_JSON, "status", NULL, 5000},
	{"/api/v1/services", WEB_GET, WEB_COMMAND, WEB_JSON, "services", NULL, 5000},
	{"/api/v1/boots", WEB_GET, WEB_COMMAND, WEB_JSON, "boots", NULL, 5000},
	{"/api/v1/facts", WEB_GET, WEB_COMMAND, WEB_JSON, "facts", NULL, 5000},
	{"/api/v1/slots", WEB_GET, WEB_COMMAND, WEB_JSON, "slots", NULL, 5000},
	{"/api/v1/apps", WEB_GET, WEB_COMMAND, WEB_JSON, "apps", NULL, 25000},
	{"/api/v1/pods", WEB_GET, WEB_COMMAND, WEB_JSON, "pods", NULL, 25000},
	{"/api/v1/events", WEB_GET, WEB_COMMAND, WEB_JSON, "events", "from", 5000},
	{"/api/v1/events/stream", WEB_GET, WEB_STREAM, "text/event-stream", NULL, NULL, 0},
	{"/api/v1/update", WEB_GET, WEB_COMMAND, WEB_JSON, "update", NULL, 25000},
	{"/api/v1/snapshots", WEB_GET, WEB_COMMAND, WEB_JSON, "snapshots", NULL, 25000},
	{"/api/v1/session", WEB_GET, WEB_SESSION, WEB_JSON, NULL, NULL, 5000},
	{"/api/v1/session", WEB_POST, WEB_LOGIN, WEB_JSON, NULL, NULL, 20000},
	{"/api/v1/session/first", WEB_POST, WEB_LOGIN, WEB_JSON, NULL, NULL, 20000},
	{"/api/v1/session/end", WEB_POST, WEB_LOGOUT, WEB_JSON, NULL, NULL, 5000},
	{"/api/v1/command", WEB_POST, WEB_ACT, WEB_JSON, NULL, NULL, 25000},
	{"/api/v1/update/upload", WEB_PUT, WEB_UPLOAD, WEB_JSON, NULL, "from", 25000},
	{0},
};

const struct web_route *web_route_table(void)
{
	return routes;
}

/* The row of that path and method; *methods: a bit for each method that the path has. */
static const struct web_route *find(const char *path, enum web_method method, unsigned *methods)
{
	const struct web_route *found = NULL;
	*methods = 0;
	for (const struct web_route *r = routes; r->path; r++) {
		if (!str_eq(r->path, path))
			continue;
		*methods |= 1u << r->method;
		if (r->method == (method == WEB_HEAD ? WEB_GET : method))
			found = r;
	}
	return found;
}

static const char *allow(unsigned methods)
{
	static const struct {
		unsigned methods;
		const char *text;
	} rows[] = {{1u << WEB_GET, "GET, HEAD"},
	            {1u << WEB_GET | 1u << WEB_POST, "GET, HEAD, POST"},
	            {1u << WEB_POST, "POST"},
	            {1u << WEB_PUT, "PUT"}};
	size_t i = 0;
	while (i + 1 < COUNT_OF(rows) && rows[i].methods != methods)
		i++;
	return rows[i].text;
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
	unsigned methods;
	*m = (struct web_match){.status = 200, .allow = ""};
	const struct web_route *r = find(path, method, &methods);
	bool wants_body = r && r->method != WEB_GET;
	if (!methods)
		return refuse(m, 404, "no such page");
	if (!r) {
		m->allow = allow(methods);
		return refuse(m, 405, "not a method that is answered here");
	}
	if (body && !wants_body)
		return refuse(m, 413, "a request here has no body");
	if (!body && wants_body)
		return refuse(m, 411, "a request here has a body, and says how long it is");
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
