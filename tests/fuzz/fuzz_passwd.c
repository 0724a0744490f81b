/* core/passwd over any /etc/passwd: never beyond the text, and never the number that would change nothing. */
#include <string.h>

#include "core/passwd.h"
#include "fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct passwd_user u;
	struct err e;
	char *text = malloc(size + 1); /* of its own size, so that a step too far is seen */

	if (!text)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (!passwd_find(text, "web", &u, &e))
		FUZZ_CHECK(u.uid != UINT32_MAX && u.gid != UINT32_MAX && strstr(text, "web:"));
	free(text);
	return 0;
}
