/* host/bootenv: a name that is taken means the same when it is written again, and a selected entry is such a name. */
#include <string.h>

#include "base/str.h"
#include "fuzz/check.h"
#include "host/bootenv.h"

static void check_entry(const struct bootenv_entry *en)
{
	struct bootenv_entry again, copy = *en;

	FUZZ_CHECK(en->slot == 'a' || en->slot == 'b');
	FUZZ_CHECK(en->generation <= BOOTENV_MOST && en->left <= BOOTENV_MOST && en->used <= BOOTENV_MOST);
	FUZZ_CHECK(bootenv_state(en) != BOOTENV_EMPTY);
	FUZZ_CHECK(bootenv_name(&copy) == 0);
	FUZZ_CHECK(bootenv_parse(&again, copy.name) == 0);
	FUZZ_CHECK(again.slot == en->slot && again.generation == en->generation && again.counted == en->counted &&
	           again.left == en->left && again.used == en->used);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bootenv_entry en;
	char name[256];

	if (bootenv_selected(&en, data, size) == 0)
		check_entry(&en);
	if (size >= sizeof(name))
		return 0;
	memcpy(name, data, size);
	name[size] = '\0';
	if (bootenv_parse(&en, name) == 0)
		check_entry(&en);
	return 0;
}
