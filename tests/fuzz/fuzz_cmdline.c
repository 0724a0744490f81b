/* host/cmdline: what is taken has the shape that the header promises, and says the same when written again. */
#include <string.h>

#include "base/str.h"
#include "fuzz/check.h"
#include "host/cmdline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cmdline c, again;
	struct err e = {0};
	char text[256];

	if (cmdline_parse(&c, (const char *)data, size, &e) < 0) {
		FUZZ_CHECK(e.code != 0 && str_starts(e.text, "kernel command line: hearth."));
		return 0;
	}
	FUZZ_CHECK(str_eq(c.slot, "") || str_eq(c.slot, "a") || str_eq(c.slot, "b"));
	FUZZ_CHECK(strlen(c.uuid_text) == 0 || strlen(c.uuid_text) == 36);
	FUZZ_CHECK(strlen(c.roothash) == 0 || strspn(c.roothash, "0123456789abcdef") == 64);
	FUZZ_CHECK(c.has_root == (c.uuid_text[0] && c.roothash[0]));
	if (!c.has_root || !c.slot[0])
		return 0;
	FUZZ_CHECK(str_format(text, sizeof(text), "hearth.slot=%s hearth.root=%s hearth.roothash=%s", c.slot,
	                      c.uuid_text, c.roothash) == 0);
	FUZZ_CHECK(cmdline_parse(&again, text, strlen(text), &e) == 0);
	FUZZ_CHECK(memcmp(again.uuid, c.uuid, sizeof(c.uuid)) == 0 && str_eq(again.roothash, c.roothash));
	return 0;
}
