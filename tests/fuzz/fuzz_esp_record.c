/* node/esp: a record that is taken is written again as it was. */
#include <string.h>

#include "fuzz/check.h"
#include "node/esp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[ESP_RECORD + 1];
	struct esp_record r;
	struct buf b;

	if (esp_record_parse(&r, (const char *)data, size) < 0)
		return 0;
	buf_init(&b, text, sizeof(text));
	FUZZ_CHECK(esp_record_format(&r, &b) == 0);
	FUZZ_CHECK(b.len == size && memcmp(text, data, size) == 0);
	return 0;
}
