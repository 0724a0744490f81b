/* host/slots: what is read is written again byte for byte. */
#include <string.h>

#include "fuzz/check.h"
#include "host/slots.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slots s, again;
	struct err e = {0};
	char text[SLOTS_TEXT];
	struct buf b;

	if (slots_parse(&s, (const char *)data, size, &e) < 0) {
		FUZZ_CHECK(e.code != 0);
		return 0;
	}
	buf_init(&b, text, sizeof(text));
	FUZZ_CHECK(slots_format(&s, &b, &e) == 0);
	FUZZ_CHECK(slots_parse(&again, b.data, b.len, &e) == 0);
	FUZZ_CHECK(memcmp(&again, &s, sizeof(s)) == 0);
	return 0;
}
