/* What the head of a request says, as the library has read it. */
#ifndef HEARTH_CONSOLE_WEB_REQUEST_H
#define HEARTH_CONSOLE_WEB_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console/web_guard.h"
#include "console/web_route.h"

struct lws;

enum web_method web_request_method(struct lws *wsi);
bool web_request_has_body(struct lws *wsi);
/* The one query argument, decoded; something that fits no route when there are more or it is too long. */
void web_request_query(struct lws *wsi, char *query, size_t cap);
/* HTTP/1.1 keeps connections unless it says otherwise; 1.0 is closed, its keep-alive is history. */
bool web_request_keeps(struct lws *wsi);
/* By web_guard_origin; an Origin too long to be read is not ours. */
bool web_request_is_ours(struct lws *wsi);
bool web_request_is_json(struct lws *wsi);
/* A plain Content-Length between 1 and max. */
bool web_request_length(struct lws *wsi, uint64_t max, uint64_t *length);
/* The session's token and the CSRF text that came; each "" when it is missing or malformed. */
void web_request_session(struct lws *wsi, char token[WEB_TOKEN + 1], char csrf[WEB_TOKEN + 1]);

#endif
