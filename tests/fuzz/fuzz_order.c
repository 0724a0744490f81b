/* update/order: a record that is taken is written again byte for byte; words that are taken make a record that is. */
#include <string.h>

#include "base/str.h"
#include "fuzz/check.h"
#include "update/order.h"

static void check_record(const struct order *o, const char *want, size_t len)
{
	char text[ORDER_RECORD];
	struct order again;
	struct err e = {0};
	struct buf b;

	buf_init(&b, text, sizeof(text));
	order_record(o, &b);
	FUZZ_CHECK(buf_ok(&b));
	FUZZ_CHECK(order_read(&again, "job", text, b.len, &e) == 0 && str_eq(again.source, o->source));
	FUZZ_CHECK(again.again == o->again && again.older == o->older && again.restart == o->restart);
	FUZZ_CHECK(again.named == o->named && memcmp(again.manifest, o->manifest, sizeof(o->manifest)) == 0);
	FUZZ_CHECK(!want || b.len == len); /* the lines may come in another order */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char words[1024];
	const char *argv[8];
	unsigned argc = 0;
	struct order o;
	struct err e = {0};

	if (order_read(&o, "job", (const char *)data, size, &e) == 0)
		check_record(&o, (const char *)data, size);
	else
		FUZZ_CHECK(e.code != 0 && str_starts(e.text, "job:"));
	if (size == 0 || size >= sizeof(words))
		return 0;
	memcpy(words, data, size);
	words[size] = '\0';
	for (size_t at = 0; at < size && argc < 8; at += strlen(words + at) + 1)
		argv[argc++] = words + at;
	/* What the channel offers gets an address first. */
	if (order_parse(&o, argc, argv, &e) == 0 && o.verb == ORDER_INSTALL && o.kind != ORDER_CHANNEL)
		check_record(&o, NULL, 0);
	return 0;
}
