/* boot/tries over any EFI variable: never beyond its bytes, and an entry that is taken is one of ours with a counter.
 */
#include <string.h>

#include "boot/tries.h"
#include "fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bootenv_entry en;
	uint8_t *value = malloc(size > 0 ? size : 1); /* of its own size, so that a step too far is seen */

	if (!value)
		return 0;
	if (size > 0)
		memcpy(value, data, size);
	if (tries_counted(&en, value, size) == 0)
		FUZZ_CHECK((en.slot == 'a' || en.slot == 'b') && en.counted);
	(void)tries_lists('a', value, size);
	(void)tries_lists('b', value, size);
	free(value);
	return 0;
}
