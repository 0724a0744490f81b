/* host/disk: whatever /proc/partitions holds, names that stand in it, whole, and no more than fit. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "fuzz/check.h"
#include "host/disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct disk_list l;
	char *text = malloc(size + 1), line[DISK_NAME + 24];

	FUZZ_CHECK(text);
	memcpy(text, data, size);
	text[size] = '\0';
	disk_list_parse(&l, text);
	FUZZ_CHECK(l.count <= DISK_LIST);
	for (unsigned i = 0; i < l.count; i++) {
		const char *name = l.dev[i].name;
		FUZZ_CHECK(memchr(name, '\0', DISK_NAME) && name[0] && !strchr(name, '\n'));
		FUZZ_CHECK(!str_starts(name, "loop") && !str_starts(name, "ram") && !str_starts(name, "dm-"));
		FUZZ_CHECK(str_format(line, sizeof(line), " %s", name) == 0 && strstr(text, line));
	}
	free(text);
	return 0;
}
