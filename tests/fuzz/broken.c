/* A target with a mistake in it: shows that the driver notices, saves the input and can replay it. The mistake is out
 * of reach of the corpus files themselves (they hold no "C"; it is one bit away from "A"). */
#include <string.h>

#include "fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FUZZ_CHECK(size == 0 || !memchr(data, 'C', size));
	return 0;
}
