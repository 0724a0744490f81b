/* core/names: what is taken is names, and the same bytes when written again. */
#include <string.h>

#include "base/str.h"
#include "core/names.h"
#include "fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct names all;
	static char text[NAMES_TEXT];
	struct err e = {0};
	struct buf b;

	if (names_parse(&all, (const char *)data, size, &e) < 0) {
		FUZZ_CHECK(e.code != 0 && str_starts(e.text, "names: "));
		return 0;
	}
	for (unsigned i = 0; i < all.count; i++)
		FUZZ_CHECK(str_is_name(all.name[i]));
	buf_init(&b, text, sizeof(text));
	FUZZ_CHECK(names_format(&all, &b, &e) == 0 && b.len == size && memcmp(text, data, size) == 0);
	return 0;
}
