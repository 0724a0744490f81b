/* node/klog: one record of /dev/kmsg to lines for people. */
#include <string.h>

#include "fuzz/check.h"
#include "node/klog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[512];
	struct kmsg m;
	struct buf b;
	buf_init(&b, text, sizeof(text));
	if (kmsg_parse((const char *)data, size, &m) < 0)
		return 0;
	kmsg_format(&m, &b);
	struct kmsg_damage d;
	FUZZ_CHECK(!kmsg_damage(&m, &d) || m.facility == 0);
	FUZZ_CHECK(m.len <= size && m.level <= 7);
	FUZZ_CHECK(b.len < sizeof(text) && text[b.len] == '\0');
	FUZZ_CHECK(!buf_ok(&b) || text[b.len - 1] == '\n');
	/* An escape of the record must not become one for the terminal. */
	FUZZ_CHECK(memchr(data, '\x1b', size) || !memchr(text, '\x1b', b.len));
	return 0;
}
