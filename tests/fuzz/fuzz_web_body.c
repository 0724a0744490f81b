/* console/web_body over any body: what comes out is text that fits, without control characters where it is a word. */
#include <string.h>

#include "console/web_body.h"
#include "fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *body = size ? (const char *)data : "";
	char token[WEB_TOKEN + 1], text[256];
	struct web_login l;
	struct web_words w;
	struct buf b;
	struct err e;

	if (web_body_login(body, size, &l, &e) == 0)
		FUZZ_CHECK(strlen(l.password) == l.len && l.len <= WEB_PASSWORD && strlen(l.code) <= WEB_CODE);
	if (web_body_words(body, size, &w, &e) == 0) {
		FUZZ_CHECK(w.argc >= 1 && w.argc <= WEB_WORDS && w.argv[0][0]);
		for (unsigned i = 0; i < w.argc; i++)
			for (const char *p = w.argv[i]; *p; p++)
				FUZZ_CHECK((unsigned char)*p >= ' ' && *p != 0x7f);
	}
	buf_init(&b, text, sizeof(text));
	if (web_body_session(body, size, token, &b, &e) == 0)
		FUZZ_CHECK((!token[0] || web_guard_is_token(token)) && !strpbrk(text, "\r\n"));
	return 0;
}
