/* host/ends: what is taken is written again byte for byte, is bounded, and is safe to show. */
#include <string.h>

#include "base/str.h"
#include "fuzz/check.h"
#include "host/ends.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ends all, again;
	static char text[ENDS_TEXT], second[ENDS_TEXT];
	struct err e = {0};
	struct buf b;

	(void)ends_parse(&all, (const char *)data, size);
	FUZZ_CHECK(all.count <= ENDS_KEPT && ends_crashes(&all, "a") <= all.count);
	for (unsigned i = 0; i < all.count; i++) {
		for (const char *p = all.end[i].why; *p; p++)
			FUZZ_CHECK(*p >= ' ' && *p < 0x7f);
	}
	buf_init(&b, text, sizeof(text));
	FUZZ_CHECK(ends_format(&all, &b, &e) == 0);
	FUZZ_CHECK(ends_parse(&again, b.data, b.len) == 0 && memcmp(&all, &again, sizeof(all)) == 0);
	buf_init(&b, second, sizeof(second));
	FUZZ_CHECK(ends_format(&again, &b, &e) == 0 && str_eq(text, second));
	return 0;
}
