/* What the web role answers to: one table of paths, and pure functions over it. Knows no sockets and no library,
 * so that a test walks every row. Rows of GET are open to everybody in the LAN and only read; what changes something is
 * POST or PUT, and goes through the owner role (console/owner_desk.h). */
#ifndef HEARTH_CONSOLE_WEB_ROUTE_H
#define HEARTH_CONSOLE_WEB_ROUTE_H

#include "base/err.h"
#include "format/json.h"

enum web_kind {
	WEB_COMMAND, /* ask PID 1, answer with its JSON object */
	WEB_HEALTH,  /* ask PID 1, answer "ok" */
	WEB_STREAM,  /* Server-Sent Events, as long as the client stays */
	WEB_PAGE,    /* the page */
	WEB_ICON,    /* its icon */
	WEB_SESSION, /* is the cookie a session? its CSRF text */
	WEB_LOGIN,   /* a password, and the code before there is one */
	WEB_LOGOUT,
	WEB_ACT,    /* a command of the owner */
	WEB_UPLOAD, /* a bundle for the update role */
};

enum web_method { WEB_GET, WEB_HEAD, WEB_POST, WEB_PUT, WEB_OTHER };

struct web_route {
	const char *path;
	enum web_method method; /* WEB_GET: HEAD, too */
	enum web_kind kind;
	const char *type;    /* content type of a good answer */
	const char *command; /* first word to PID 1, or NULL */
	const char *query;   /* the only query argument: a decimal number, passed on as the second word; or NULL */
	unsigned timeout_ms; /* how long PID 1 may take */
};

#define WEB_JSON "application/json"
#define WEB_TEXT "text/plain; charset=utf-8"

/* What a request turned out to be. */
struct web_match {
	int status;                    /* 200, or the 4xx to answer with */
	const struct web_route *route; /* set when status is 200 */
	const char *why;               /* for a person, when status is not 200 */
	const char *allow;             /* the methods that a 405 names; "" else */
	unsigned argc;                 /* words for PID 1 */
	const char *argv[2];           /* borrowed from the route and from query */
};

/* path: decoded, without query. query: the one raw "key=value" or "" for none. body: the request carries one; POST and
 * PUT must. */
void web_route_match(enum web_method method, const char *path, const char *query, bool body, struct web_match *m);
/* The table, ended by path == NULL. */
const struct web_route *web_route_table(void);
/* {"error": why} into out. */
void web_route_error(struct buf *out, const char *why);

#endif
