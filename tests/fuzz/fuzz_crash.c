/* node/crash: whatever a kernel log holds, its reason is one short line that is safe to show. */
#include <string.h>

#include "base/str.h"
#include "fuzz/check.h"
#include "node/crash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char reason[LIMIT_DETAIL];

	memset(reason, 'x', sizeof(reason));
	crash_reason((const char *)data, size, reason);
	FUZZ_CHECK(memchr(reason, '\0', sizeof(reason)) != NULL);
	for (const char *p = reason; *p; p++)
		FUZZ_CHECK(*p >= ' ' && *p < 0x7f);
	FUZZ_CHECK(!reason[0] || str_starts(reason, "PID 1 fault: ") || str_starts(reason, "kernel panic: ") ||
	           str_starts(reason, "kernel error: "));
	return 0;
}
