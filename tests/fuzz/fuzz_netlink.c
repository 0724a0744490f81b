/* host/net: messages of the routing socket into the table of interfaces, and the verdict on that table. */
#include <string.h>

#include "fuzz/check.h"
#include "host/net.h"
#include "node/network.h"

static bool every_second(const char *name)
{
	return (name[0] & 1) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct net_table table;
	struct net_msg m;
	char detail[LIMIT_DETAIL];
	size_t before = 0;
	net_table_init(&table, every_second);
	for (size_t at = 0; net_next(data, size, &at, &m) > 0; before = at) {
		FUZZ_CHECK(at > before && at <= size);
		if (m.kind == NET_DONE)
			net_table_end(&table);
		else if (m.kind == NET_ERROR)
			net_table_begin(&table);
		bool changed = net_table_apply(&table, &m);
		FUZZ_CHECK(table.count <= NET_INTERFACES);
		FUZZ_CHECK(!changed || !net_table_apply(&table, &m)); /* the same again is no change */
	}
	enum fact_value v = network_verdict(&table, size & 1, detail, sizeof(detail));
	FUZZ_CHECK((v == FACT_ON || v == FACT_OFF) && detail[0] != '\0');
	return 0;
}
