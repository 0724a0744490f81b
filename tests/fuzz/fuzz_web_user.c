/* cage_user over any /etc/passwd: never root, never beyond the text. */
#include <string.h>

#include "core/cage.h"
#include "fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uid_t uid = 0;
	gid_t gid = 0;
	struct err e;
	char *text = malloc(size + 1); /* of its own size, so that a step too far is seen */

	if (!text)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (!cage_user(text, "web", &uid, &gid, &e))
		FUZZ_CHECK(uid != 0 && gid != 0 && strstr(text, "web:"));
	free(text);
	return 0;
}
