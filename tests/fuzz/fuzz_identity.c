/* host/identity: what is taken is written again byte for byte, whatever order it came in, and is safe to show. */
#include <string.h>

#include "base/str.h"
#include "fuzz/check.h"
#include "host/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct identity id, again;
	struct err e = {0};
	char text[IDENTITY_TEXT], second[IDENTITY_TEXT];
	struct buf b;

	if (identity_parse(&id, (const char *)data, size, &e) < 0) {
		FUZZ_CHECK(e.code != 0 && str_starts(e.text, "identity: "));
		return 0;
	}
	FUZZ_CHECK(identity_is_machine_id(id.machine_id) && identity_is_hostname(id.hostname) && id.clock >= 0);
	for (const char *p = id.last_shutdown; *p; p++)
		FUZZ_CHECK(*p >= ' ' && *p < 0x7f);
	buf_init(&b, text, sizeof(text));
	FUZZ_CHECK(identity_format(&id, &b, &e) == 0);
	FUZZ_CHECK(identity_parse(&again, b.data, b.len, &e) == 0 && memcmp(&id, &again, sizeof(id)) == 0);
	buf_init(&b, second, sizeof(second));
	FUZZ_CHECK(identity_format(&again, &b, &e) == 0 && str_eq(text, second));
	return 0;
}
