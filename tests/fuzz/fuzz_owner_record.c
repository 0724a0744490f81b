/* console/owner_record over any bytes: what is taken is written back as it was, and costs no more than a box can pay.
 */
#include <string.h>

#include "console/owner_record.h"
#include "fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char nothing[1];
	const char *text = size ? (const char *)data : nothing;
	char back[OWNER_RECORD + 1];
	struct owner_record r;
	struct owner_code code;
	struct buf b;
	struct err e;

	if (owner_record_parse(&r, text, size, &e) == 0) {
		buf_init(&b, back, sizeof(back));
		owner_record_write(&r, &b);
		FUZZ_CHECK(buf_ok(&b) && b.len == size && memcmp(back, text, size) == 0);
		FUZZ_CHECK(r.kind == OWNER_CODE ||
		           (r.cost.memory_kib <= 262144 && r.cost.passes <= 16 && r.cost.lanes <= 4));
	}
	if (size >= sizeof(back))
		return 0;
	memcpy(back, text, size);
	back[size] = '\0';
	if (owner_code_parse(&code, back, &e) == 0)
		FUZZ_CHECK(strlen(code.text) == OWNER_CODE_LEN);
	return 0;
}
