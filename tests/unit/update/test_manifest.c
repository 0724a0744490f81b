/* init/update/manifest.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "board.h"
#include "update/manifest.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define TEN  "0123456789"

/* 300 blocks have 3 + 1 blocks of hashes. */
static const char good[] = "format: 2\n"
			   "board: x86-64-efi\n"
			   "version: 0.2.0\n"
			   "build: 6f2c1d0\n"
			   "created: 1795564800\n"
			   "minimum: 0.1.0\n"
			   "kubernetes: v1.36.1+k3s1 (modules)\n"
			   "changes: \"One.\\nTwo.\"\n"
			   "root:\n"
			   "  hash: " HASH "\n"
			   "  uuid: 01234567-89ab-4cde-8f01-23456789abcd\n"
			   "  salt: " HASH "\n"
			   "  blocks: 300\n"
			   "members:\n"
			   "  root.verity: {size: 20480, sha256: " HASH "}\n"
			   "  uki.hashes: {size: 32, sha256: " HASH "}\n"
			   "  uki.efi: {size: 1000, sha256: " HASH "}\n"
			   "  root.erofs: {size: 1228800, sha256: " HASH "}\n";

static struct yaml y;
static struct update_manifest m;
static struct err e;

static int parse(const char *text)
{
	err_clear(&e);
	return update_manifest_parse(&m, &y, "manifest.yaml", text, strlen(text), &e);
}

/* The good text with a part of it replaced. */
static const char *with(const char *part, const char *instead)
{
	static char text[8192];
	const char *at = strstr(good, part);

	assert_non_null(at);
	assert_int_equal(str_format(text, sizeof(text), "%.*s%s%s", (int)(at - good), good, instead, at + strlen(part)),
	                 0);
	return text;
}

static int setup(void **state)
{
	(void)state;
	memset(&m, 0, sizeof(m));
	return 0;
}

static void everything_is_read(void **state)
{
	(void)state;
	assert_int_equal(parse(good), 0);
	assert_string_equal(m.board, "x86-64-efi");
	assert_string_equal(m.version, "0.2.0");
	assert_string_equal(m.build, "6f2c1d0");
	assert_int_equal(m.created, 1795564800);
	assert_string_equal(m.minimum, "0.1.0");
	assert_string_equal(m.kubernetes, "v1.36.1+k3s1 (modules)");
	assert_string_equal(m.changes, "One.\nTwo.");
	assert_int_equal(m.root.hash[1], 0x11);
	assert_int_equal(m.root.hash[31], 0xff);
	assert_string_equal(m.root.uuid, "01234567-89ab-4cde-8f01-23456789abcd");
	assert_int_equal(m.root.salt[10], 0xaa);
	assert_int_equal(m.root.blocks, 300);
	assert_int_equal(m.member[TAR_VERITY].size, 20480);
	assert_int_equal(m.member[TAR_HASHES].size, 32);
	assert_int_equal(m.member[TAR_UKI].size, 1000);
	assert_int_equal(m.member[TAR_ROOT].size, 1228800);
	assert_int_equal(m.member[TAR_ROOT].sha256[2], 0x22);
}

static void superblock_that_is_wanted(void **state)
{
	static const uint8_t uuid[16] = {1,    0x23, 0x45, 0x67, 0x89, 0xab, 0x4c, 0xde,
	                                 0x8f, 1,    0x23, 0x45, 0x67, 0x89, 0xab, 0xcd};
	struct verity want;

	(void)state;
	assert_int_equal(parse(good), 0);
	update_manifest_verity(&m, &want);
	assert_memory_equal(want.uuid, uuid, sizeof(uuid));
	assert_int_equal(want.data_blocks, 300);
	assert_int_equal(want.hash_start, 301);
	assert_int_equal(want.salt_len, 32);
	assert_memory_equal(want.salt, m.root.salt, 32);
}

static void places_of_members(void **state)
{
	uint64_t at[TAR_MEMBERS], size[TAR_MEMBERS];

	(void)state;
	assert_int_equal(parse(good), 0);
	update_manifest_sizes(&m, 900, 71, size);
	assert_int_equal(size[TAR_MANIFEST], 900);
	assert_int_equal(size[TAR_SIGNATURE], 71);
	assert_int_equal(size[TAR_ROOT], 1228800);
	assert_int_equal(update_manifest_offsets(&m, 900, 71, at), 1228800 + 20480 + 7 * 1024);
	assert_int_equal(at[TAR_MANIFEST], 512);
	assert_int_equal(at[TAR_SIGNATURE], 512 + 1024 + 512);
	assert_int_equal(at[TAR_VERITY], 2048 + 512 + 512);
	assert_int_equal(at[TAR_HASHES], 3072 + 20480 + 512);
	assert_int_equal(at[TAR_UKI], 3072 + 20480 + 512 + 512 + 512);
	assert_int_equal(at[TAR_ROOT], 3072 + 20480 + 512 + 512 + 512 + 1024 + 512);
}

static void refuse(const char *text, const char *want)
{
	static struct update_manifest before;

	before = m;
	assert_int_equal(parse(text), -1);
	assert_true(str_starts(e.text, want) || (print_error("is   %s\nwant %s\n", e.text, want), 0));
	assert_memory_equal(&m, &before, sizeof(m));
}

static void refuses_values(void **state)
{
	static const struct {
		const char *part, *instead, *want;
	} rows[] = {
		{"format: 2", "format: 1",
	         "manifest.yaml:1: format '1' is not 2, the one that this system reads; install a"},
		{"format: 2", "format: one", "manifest.yaml:1: format 'one' is not 2"},
		{"format: 2", "format: [2]", "manifest.yaml:1: format '' is not 2"},
		{"format: 2\n", "", "manifest.yaml:1: key 'format' is missing; add it"},
		{"board: x86-64-efi", "board: X86", "manifest.yaml:2: board 'X86' is none; it must be a name such as"},
		{"board: x86-64-efi", "board: {a: b}", "manifest.yaml:2: board '' is none"},
		{"version: 0.2.0", "version: 0.2.0-rc1",
	         "manifest.yaml:3: version '0.2.0-rc1' is none; it must be up to three"},
		{"minimum: 0.1.0", "minimum: ''",
	         "manifest.yaml:6: minimum '' is none; it must be up to three numbers"},
		{"minimum: 0.1.0", "minimum: 0.3",
	         "manifest.yaml:6: minimum 0.3 is newer than version 0.2.0; no box could"},
		{"build: 6f2c1d0", "build: ../x", "manifest.yaml:4: build '../x' is none; it must be up to 40 letters"},
		{"build: 6f2c1d0", "build: " TEN TEN TEN TEN "x",
	         "manifest.yaml:4: build '" TEN TEN TEN TEN "x' is none"},
		{"created: 1795564800", "created: -1",
	         "manifest.yaml:5: created '-1' is none; it must be a number from 1 to"},
		{"created: 1795564800", "created: 253402300800", "manifest.yaml:5: created '253402300800' is none"},
		{"kubernetes: v1.36.1+k3s1 (modules)", "kubernetes: \"a\\nb\"",
	         "manifest.yaml:7: kubernetes 'a\nb' is none"},
		{"kubernetes: v1.36.1+k3s1 (modules)", "kubernetes: \"\\x9b2J\"",
	         "manifest.yaml:7: kubernetes '\xC2\x9B"},
		{"\"One.\\nTwo.\"", "\"\\x9b2J\"",
	         "manifest.yaml:8: changes is no text of up to 2048 bytes; shorten it"},
		{"\"One.\\nTwo.\"", "\"\\e[2J\"", "manifest.yaml:8: a control character in a value; remove it"},
		{"\"One.\\nTwo.\"", "[a]", "manifest.yaml:8: changes is no text of up to 2048 bytes"},
		{"hash: " HASH, "hash: 0" HASH, "manifest.yaml:10: hash '00011223344556677889"},
		{"hash: 00", "hash: 0A",
	         "manifest.yaml:10: hash '0A112233445566778899aabbccddeeff0011223344556677' is none"},
		{"salt: 00",
	         "salt: ", "manifest.yaml:12: salt '112233445566778899aabbccddeeff001122334455667788' is none"},
		{"uuid: 01", "uuid: 0A",
	         "manifest.yaml:11: uuid '0A234567-89ab-4cde-8f01-23456789abcd' is none; it must be a UUID"},
		{"67-89ab", "6789-ab", "manifest.yaml:11: uuid '0123456789-ab-4cde-8f01-23456789abcd' is none"},
		{"uuid: 01", "uuid: 1", "manifest.yaml:11: uuid '1234567-89ab-4cde-8f01-23456789abcd' is none"},
		{"blocks: 300", "blocks: 0",
	         "manifest.yaml:13: blocks '0' is none; it must be a number from 1 to 262144"},
		{"blocks: 300", "blocks: 262145", "manifest.yaml:13: blocks '262145' is none"},
		{"blocks: 300", "blocks: 0x12c", "manifest.yaml:13: blocks '0x12c' is none"},
		{"size: 1000,", "size: 0,",
	         "manifest.yaml:17: size '0' is none; it must be a number from 1 to 1073741824"},
		{"size: 1000,", "size: 1000, mode: 7,", "manifest.yaml:17: unknown key 'mode'; known are size, sha256"},
		{"size: 1000, ", "", "manifest.yaml:17: key 'size' is missing; add it"},
		{"uki.efi", "uki.elf", "manifest.yaml:17: unknown key 'uki.elf'; did you mean 'uki.efi'?"},
		{"  uki.efi", "  root.erofs: {}\n  uki.efi",
	         "manifest.yaml:19: key 'root.erofs' stands here and on line 17; keep one"},
		{"members:\n", "members: x\nx:\n", "manifest.yaml:14: not a mapping; write 'key: value' lines"},
		{"version", "sneaky: 1\nversion", "manifest.yaml:3: unknown key 'sneaky'; known are format, board"},
		{"version: 0.2.0", "version: 0.2.0\nversion: 0.2.0",
	         "manifest.yaml:4: key 'version' stands here and on line 3"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		refuse(with(rows[i].part, rows[i].instead), rows[i].want);
	refuse("", "manifest.yaml:1: key 'format' is missing");
}

/* The sentence about the format comes before those about keys that a later format has. */
static void a_later_format_is_named_first(void **state)
{
	(void)state;
	refuse("delta: x\nboard: Y\nformat: 3\n", "manifest.yaml:3: format '3' is not 2");
}

static void sizes_agree(void **state)
{
	(void)state;
	refuse(with("size: 1228800", "size: 1228801"),
	       "manifest.yaml:18: root.erofs has 1228801 bytes, but 300 blocks need "
	       "1228800; make the bundle again");
	refuse(with("blocks: 300", "blocks: 299"),
	       "manifest.yaml:18: root.erofs has 1228800 bytes, but 299 blocks need");
	refuse(with("size: 32,", "size: 31,"),
	       "manifest.yaml:16: uki.hashes has 31 bytes, but uki.efi of 1000 needs 32; "
	       "make the bundle again");
	refuse(with("size: 32,", "size: 64,"), "manifest.yaml:16: uki.hashes has 64 bytes");
	refuse(with("size: 1000,", "size: 16385,"),
	       "manifest.yaml:16: uki.hashes has 32 bytes, but uki.efi of 16385 needs 64");
	refuse(with("size: 20480", "size: 16384"),
	       "manifest.yaml:15: root.verity has 16384 bytes, but 300 blocks need 20480; make the bundle again");
}

static void sizes_fit_the_box(void **state)
{
	const unsigned most = (BOARD_ESP_MIB / 2 - 8) << 20;
	char image[256];

	(void)state;
	/* The image alone would fit, with its tree it does not. */
	refuse(with("blocks: 300", "blocks: 262143"),
	       "manifest.yaml:13: an image of 262143 blocks with its hash tree does "
	       "not fit into a slot of 262144; make the image smaller");
	(void)!str_format(image, sizeof(image), "size: %u, sha256: " HASH "}\n  uki.efi: {size: %u,", most / 16384 * 32,
	                  most);
	assert_int_equal(parse(with("size: 32, sha256: " HASH "}\n  uki.efi: {size: 1000,", image)), 0);
	(void)!str_format(image, sizeof(image), "size: %u,", most + 1);
	refuse(with("size: 1000,", image),
	       "manifest.yaml:17: uki.efi has 260046849 bytes, the ESP has room for 260046848");
}

static void longest_changes_fit(void **state)
{
	char text[MANIFEST_CHANGES + 8] = "";

	(void)state;
	memset(text, 'x', MANIFEST_CHANGES - 1);
	assert_int_equal(parse(with("\"One.\\nTwo.\"", text)), 0);
	assert_int_equal(strlen(m.changes), MANIFEST_CHANGES - 1);
	text[MANIFEST_CHANGES - 1] = 'x';
	refuse(with("\"One.\\nTwo.\"", text), "manifest.yaml:8: changes is no text of up to 2048 bytes; shorten it");
}

static void what_a_box_may_take(void **state)
{
	static const struct {
		const char *board, *running;
		bool older, same;
		const char *want; /* NULL: it may */
	} rows[] = {
		{"x86-64-efi", "0.1.0", false, false, NULL},
		{"x86-64-efi", "0.1.9", false, false, NULL},
		{"x86-64-efi", "0.0.9", false, false,
	         "version 0.2.0 cannot follow 0.0.9, which runs here; install 0.1.0 or a later one before"},
		{"x86-64-efi", "0.0.9", true, true, "version 0.2.0 cannot follow 0.0.9"},
		{"x86-64-efi", "0.2.0", false, false,
	         "version 0.2.0 runs already; ask for the same one to install it again"},
		{"x86-64-efi", "0.2", true, false, "version 0.2.0 runs already"},
		{"x86-64-efi", "0.2.0", false, true, NULL},
		{"x86-64-efi", "0.10.0", false, true,
	         "version 0.2.0 is older than 0.10.0, which runs here; ask for the older one to go back"},
		{"x86-64-efi", "0.10.0", true, false, NULL},
		{"arm64-rpi", "0.1.0", true, true,
	         "the bundle is for the board x86-64-efi, this box is arm64-rpi; take the bundle for arm64-rpi"},
		{"x86-64-efi", "", true, true, "the running version '' is none"},
	};

	(void)state;
	assert_int_equal(parse(good), 0);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct update_asked asked = {.older = rows[i].older, .same = rows[i].same};
		err_clear(&e);
		assert_int_equal(update_manifest_allows(&m, rows[i].board, rows[i].running, &asked, &e),
		                 rows[i].want ? -1 : 0);
		if (rows[i].want)
			assert_true(str_starts(e.text, rows[i].want));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(everything_is_read, setup),
		cmocka_unit_test_setup(superblock_that_is_wanted, setup),
		cmocka_unit_test_setup(places_of_members, setup),
		cmocka_unit_test_setup(refuses_values, setup),
		cmocka_unit_test_setup(a_later_format_is_named_first, setup),
		cmocka_unit_test_setup(sizes_agree, setup),
		cmocka_unit_test_setup(sizes_fit_the_box, setup),
		cmocka_unit_test_setup(longest_changes_fit, setup),
		cmocka_unit_test_setup(what_a_box_may_take, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
