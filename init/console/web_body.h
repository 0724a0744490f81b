/* The JSON that a page sends, and the JSON that the owner role answers, as what the web role needs of them. Pure;
 * takes memory for as long as a call lasts. */
#ifndef HEARTH_CONSOLE_WEB_BODY_H
#define HEARTH_CONSOLE_WEB_BODY_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "console/web_guard.h"

#define WEB_BODY      1024 /* bytes of a request's body */
#define WEB_PASSWORD  256
#define WEB_CODE      32 /* as typed, with room for blanks */
#define WEB_WORDS     6  /* of a command: what is left beside the session's own words */
#define WEB_WORD_TEXT 768

struct web_login {
	char password[WEB_PASSWORD + 1];
	size_t len;
	char code[WEB_CODE + 1]; /* "": none came */
};

/* {"password": "..."} or {"code": "...", "password": "..."}. */
MUST_CHECK int web_body_login(const char *body, size_t len, struct web_login *l, struct err *e);

struct web_words {
	unsigned argc;
	const char *argv[WEB_WORDS];
	char text[WEB_WORD_TEXT];
};

/* {"words": ["update", "pause"]}: printable words, at least one. */
MUST_CHECK int web_body_words(const char *body, size_t len, struct web_words *w, struct err *e);
/* The owner role's answer about a session: its token, "" when there is none in it, and the rest for the page into out.
 */
MUST_CHECK int web_body_session(const char *text, size_t len, char token[WEB_TOKEN + 1], struct buf *out,
                                struct err *e);

#endif
