/* host/verity: a superblock that is taken describes data in front of itself and makes a table line that fits; an EROFS
 * superblock that is taken gives a size.
 *
 * Input: uint64 place of the block in the partition, then the block. */
#include <string.h>

#include "fuzz/check.h"
#include "host/verity.h"

#define LINE_MAX_BYTES 1024 /* as stage 1 has for the kernel */

static void check_super(const uint8_t *block, size_t len, uint64_t at)
{
	static const char hash[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	char line[LINE_MAX_BYTES];
	struct verity v;
	struct err e = {0};

	if (verity_parse(&v, block, len, at, &e) < 0) {
		FUZZ_CHECK(e.code != 0 && e.text[0]);
		return;
	}
	FUZZ_CHECK(len >= 512 && v.data_blocks > 0 && v.data_blocks <= at / VERITY_BLOCK);
	FUZZ_CHECK(v.hash_start > v.data_blocks && v.salt_len <= VERITY_SALT_MAX);
	FUZZ_CHECK(memcmp(v.uuid, block + 16, sizeof(v.uuid)) == 0 && memcmp(v.salt, block + 88, v.salt_len) == 0);
	FUZZ_CHECK(verity_table(&v, 0x801, hash, line, sizeof(line), &e) == 0);
	FUZZ_CHECK(strstr(line, hash) && strlen(strrchr(line, ' ') + 1) == (v.salt_len ? 2 * v.salt_len : 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t at, bytes;
	struct err e = {0};

	if (size < sizeof(at))
		return 0;
	memcpy(&at, data, sizeof(at));
	check_super(data + sizeof(at), size - sizeof(at), at / VERITY_BLOCK * VERITY_BLOCK);
	if (verity_image_bytes(data + sizeof(at), size - sizeof(at), &bytes, &e) == 0)
		FUZZ_CHECK(bytes >= 512 && bytes % 512 == 0);
	else
		FUZZ_CHECK(e.code != 0 && e.text[0]);
	return 0;
}
