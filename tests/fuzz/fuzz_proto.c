/* core/proto: a reply that is taken is the frame it came from, byte for byte; words that are packed come out again. */
#include <string.h>

#include "core/command.h"
#include "core/proto.h"
#include "fuzz/check.h"

static void check_reply(const uint8_t *data, size_t size)
{
	static char frame[LIMIT_REPLY + 2], again[LIMIT_REPLY + 1];
	struct proto_reply r;
	struct err e = {0};

	if (size > LIMIT_REPLY + 1)
		size = LIMIT_REPLY + 1;
	memcpy(frame, data, size);
	frame[size] = 'x';
	if (proto_parse(frame, size, &r, &e) < 0) {
		FUZZ_CHECK(e.text[0]);
		return;
	}
	FUZZ_CHECK(size <= LIMIT_REPLY && r.len == size - PROTO_REPLY_HEAD && strlen(r.text) == r.len);
	memcpy(again, &r.id, sizeof(r.id));
	again[4] = (char)r.kind;
	memcpy(again + PROTO_REPLY_HEAD, r.text, r.len);
	FUZZ_CHECK(memcmp(again, data, size) == 0);
}

/* The input as words, each ended by a NUL. */
static unsigned words_of(const char *text, size_t size, const char *words[COMMAND_ARGS + 1])
{
	unsigned n = 0;

	for (size_t i = 0; i < size && n <= COMMAND_ARGS; i += strlen(text + i) + 1)
		words[n++] = text + i;
	return n;
}

static void check_request(const uint8_t *data, size_t size)
{
	static char text[2 * LIMIT_REQUEST + 1];
	char msg[LIMIT_REQUEST];
	const char *words[COMMAND_ARGS + 1];
	struct err e = {0};
	uint32_t id;

	if (size >= sizeof(text))
		size = sizeof(text) - 1;
	memcpy(text, data, size);
	text[size] = '\0';
	unsigned n = words_of(text, size, words);
	int len = proto_request(msg, sizeof(msg), 0xABCDEF01, n, words, &e);
	if (len < 0) {
		FUZZ_CHECK(e.text[0]);
		return;
	}
	memcpy(&id, msg, sizeof(id));
	FUZZ_CHECK(id == 0xABCDEF01 && (size_t)len <= sizeof(msg) && msg[len - 1] == '\0');
	const char *p = msg + sizeof(id);
	for (unsigned i = 0; i < n; i++, p += strlen(p) + 1)
		FUZZ_CHECK(p < msg + len && strcmp(p, words[i]) == 0);
	FUZZ_CHECK(p == msg + len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_reply(data, size);
	check_request(data, size);
	return 0;
}
