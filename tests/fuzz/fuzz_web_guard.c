/* console/web_guard over any header: what comes out of a cookie is a token and nothing else, and an origin that is let
 * through is this host's. Input: the first line, and the rest. */
#include <string.h>

#include "base/str.h"
#include "console/web_guard.h"
#include "fuzz/check.h"

#define MOST 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[MOST + 1], token[WEB_TOKEN + 1];
	uint64_t length;
	size_t n = size < MOST ? size : MOST;

	if (n > 0)
		memcpy(text, data, n);
	text[n] = '\0';
	bool found = web_guard_cookie(text, token);
	FUZZ_CHECK(found == web_guard_is_token(token) && (found || token[0] == '\0'));
	if (web_guard_length(text, 1000, &length))
		FUZZ_CHECK(length > 0 && length <= 1000);
	const char *behind = text;
	int status = web_guard_status(&behind, 0);
	FUZZ_CHECK(status == 0 ? behind == text : status >= 400 && status <= 599 && behind == text + 4);
	char *rest = strchr(text, '\n');
	if (!rest)
		return 0;
	*rest++ = '\0';
	if (text[0] && web_guard_origin(text, rest, ""))
		FUZZ_CHECK(str_starts(text, "https://") && str_eq(text + 8, rest) && rest[0]);
	FUZZ_CHECK(!web_guard_origin(text, rest, "cross-site"));
	return 0;
}
