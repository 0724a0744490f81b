/* One connection of the HTTPS console as whoever answers it sees it: an answer is started here, the library sends it
 * when the client takes it. All that return an int: -1, close the connection, there is no way to answer. */
#ifndef HEARTH_CONSOLE_WEB_ANSWER_H
#define HEARTH_CONSOLE_WEB_ANSWER_H

#include "console/web_conn.h"

/* A body that outlives the connection, with the route's content type. */
MUST_CHECK int web_answer_static(struct web_conn *c, const char *body, size_t len);
/* A copy of body. */
MUST_CHECK int web_answer_copy(struct web_conn *c, int status, const char *type, const char *body, size_t len);
/* In the language of who asked: JSON below /api, a line of text elsewhere. */
MUST_CHECK int web_answer_error(struct web_conn *c, int status, const char *why, bool json);
/* The connection is doing something else now, with that one's deadline. */
void web_answer_phase(struct web_conn *c, enum web_phase phase);
/* The sender is not read, or is read again. */
void web_answer_hold(struct web_conn *c, bool hold);
/* Closes now; the library tells the server of it, at the latest after it has flushed for 5 s. */
void web_answer_drop(struct web_conn *c);
/* What was under way for this connection is not any more: PID 1's answer, an upload. */
void web_answer_forget(struct web_conn *c);
/* The timer for whichever deadline comes first. After every change that did not go through web_answer_phase. */
void web_answer_arm(struct web_server *s);

#endif
