/* init/update/reader.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"
#include "board.h"
#include "update/reader.h"

#define MTIME 1795564800
#define SIG   "signed by us"

/* Two blocks have one block of hashes. */
static const uint64_t sizes[TAR_MEMBERS] = {[TAR_VERITY] = 8192, [TAR_HASHES] = 32, [TAR_UKI] = 700, [TAR_ROOT] = 8192};

static uint8_t member[TAR_MEMBERS][8192];
static uint8_t file[40960];
static size_t length;
static struct reader r;
static struct err e;
static char manifest[2048];
static const char *version, *minimum, *board;
static const char *running; /* the box takes what this version may */

static struct {
	bool manifest;
	uint64_t bytes[TAR_MEMBERS];
} seen;

static int signer(void *arg, const void *text, size_t len, const uint8_t *sig, size_t sig_len, const char **name,
                  struct err *err)
{
	(void)arg;
	assert_true(len == strlen(manifest) && memcmp(text, manifest, len) == 0);
	*name = "next";
	if (sig_len != strlen(SIG) || memcmp(sig, SIG, sig_len) != 0)
		return err_set(err, 1, "wrong signature");
	return 0;
}

static int on_manifest(void *arg, const struct update_manifest *m, const char *name, struct err *err)
{
	const struct update_asked asked = {false, false};

	(void)arg;
	seen.manifest = true;
	assert_string_equal(name, "next");
	return update_manifest_allows(m, BOARD_NAME, running, &asked, err);
}

static int on_data(void *arg, enum tar_member which, uint64_t at, const uint8_t *p, size_t n, struct err *err)
{
	(void)arg;
	(void)err;
	assert_true(seen.manifest);
	assert_int_equal(at, seen.bytes[which]);
	assert_memory_equal(p, member[which] + at, n);
	seen.bytes[which] += n;
	return 0;
}

static const struct reader_hooks hooks = {signer, on_manifest, on_data};

static void add_row(struct buf *b, enum tar_member which)
{
	uint8_t digest[SHA256_BYTES];

	sha256(member[which], sizes[which], digest);
	buf_addf(b, "  %s: {size: %d, sha256: ", tar_name(which), (int)sizes[which]);
	for (size_t i = 0; i < sizeof(digest); i++)
		buf_addf(b, "%02x", digest[i]);
	buf_add(b, "}\n");
}

static void write_manifest(void)
{
	struct buf b;

	buf_init(&b, manifest, sizeof(manifest));
	buf_addf(&b,
	         "format: 2\nboard: %s\nversion: %s\nminimum: %s\nbuild: x\ncreated: 1\nkubernetes: k\nchanges: ''\n",
	         board, version, minimum);
	buf_addf(&b,
	         "root: {hash: %064d, uuid: 00000000-0000-4000-8000-000000000000, salt: %064d, blocks: 2}\nmembers:\n",
	         0, 0);
	for (unsigned i = TAR_VERITY; i < TAR_MEMBERS; i++)
		add_row(&b, i);
	assert_true(buf_ok(&b));
}

static void put(enum tar_member which, const void *bytes, size_t size)
{
	tar_header(which, size, MTIME, file + length);
	memcpy(file + length + TAR_BLOCK, bytes, size);
	length += TAR_BLOCK + (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

static void make(const char *sig)
{
	write_manifest();
	memset(file, 0, sizeof(file));
	length = 0;
	put(TAR_MANIFEST, manifest, strlen(manifest));
	put(TAR_SIGNATURE, sig, strlen(sig));
	for (unsigned i = TAR_VERITY; i < TAR_MEMBERS; i++)
		put(i, member[i], sizes[i]);
	length += TAR_TRAILER;
}

static int read_all(size_t piece)
{
	memset(&seen, 0, sizeof(seen));
	err_clear(&e);
	reader_init(&r, &hooks, NULL);
	for (size_t at = 0; at < length; at += piece) {
		if (reader_feed(&r, file + at, length - at < piece ? length - at : piece, &e) < 0)
			return -1;
	}
	return reader_finish(&r, &e);
}

static int setup(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TAR_MEMBERS; i++) {
		for (size_t k = 0; k < sizeof(member[i]); k++)
			member[i][k] = (uint8_t)(k * 7 + i);
	}
	board = BOARD_NAME;
	version = "0.2.0";
	minimum = "0.1.0";
	running = "0.1.0";
	make(SIG);
	return 0;
}

static void a_good_bundle_comes_through(void **state)
{
	static const size_t pieces[] = {1, 100, 4096, sizeof(file)};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		assert_int_equal(read_all(pieces[i]), 0);
		assert_true(r.verified);
		assert_string_equal(r.m.version, "0.2.0");
		assert_memory_equal(seen.bytes, sizes, sizeof(sizes));
	}
}

static void places_are_known_from_the_head(void **state)
{
	uint64_t at[TAR_MEMBERS];
	size_t head = 0;

	(void)state;
	memset(&seen, 0, sizeof(seen));
	reader_init(&r, &hooks, NULL);
	while (!r.verified)
		assert_int_equal(reader_feed(&r, file + head++, 1, &e), 0);
	assert_int_equal(reader_offsets(&r, at), length);
	assert_true(head <= at[TAR_VERITY]);
	for (unsigned i = TAR_VERITY; i < TAR_MEMBERS; i++)
		assert_memory_equal(file + at[i], member[i], sizes[i]);
}

static void refuse(const char *want)
{
	assert_int_equal(read_all(1000), -1);
	assert_true(str_starts(e.text, want) || (print_error("is   %s\nwant %s\n", e.text, want), 0));
}

/* Nothing of a manifest is read before its signature is good: this one would be refused for its first line, too. */
static void wrong_signature_comes_first(void **state)
{
	(void)state;
	board = "Any";
	make("signed by them");
	refuse("wrong signature");
	assert_false(r.verified);
	assert_false(seen.manifest);
	make("");
	refuse("wrong signature");
	make(SIG);
	refuse("manifest.yaml:2: board 'Any' is none");
	assert_false(seen.manifest);
}

static void what_the_box_refuses_ends_there(void **state)
{
	(void)state;
	board = "arm64-rpi";
	make(SIG);
	refuse("the bundle is for the board arm64-rpi, this box is " BOARD_NAME);
	board = BOARD_NAME;
	minimum = "0.1.1";
	make(SIG);
	refuse("version 0.2.0 cannot follow 0.1.0");
	minimum = "0.1.0";
	running = "0.2.0";
	make(SIG);
	refuse("version 0.2.0 runs already");
	running = "0.2.1";
	refuse("version 0.2.0 is older than 0.2.1");
	assert_int_equal(seen.bytes[TAR_VERITY], 0);
}

static void every_byte_of_a_member_counts(void **state)
{
	uint64_t at[TAR_MEMBERS];
	char want[128];

	(void)state;
	assert_int_equal(read_all(sizeof(file)), 0);
	(void)reader_offsets(&r, at);
	for (unsigned i = TAR_VERITY; i < TAR_MEMBERS; i++) {
		(void)!str_format(want, sizeof(want), "hash mismatch: the bytes of %s are not those", tar_name(i));
		const uint64_t places[] = {at[i], at[i] + sizes[i] / 2, at[i] + sizes[i] - 1};
		for (size_t k = 0; k < COUNT_OF(places); k++) {
			file[places[k]] ^= 0x10;
			member[i][places[k] - at[i]] ^= 0x10; /* what on_data sees is what is in the file */
			refuse(want);
			member[i][places[k] - at[i]] ^= 0x10;
			file[places[k]] ^= 0x10;
		}
	}
	assert_int_equal(read_all(sizeof(file)), 0);
}

static void sizes_in_the_archive_are_the_manifests(void **state)
{
	(void)state;
	write_manifest();
	memset(file, 0, sizeof(file));
	length = 0;
	put(TAR_MANIFEST, manifest, strlen(manifest));
	put(TAR_SIGNATURE, SIG, strlen(SIG));
	put(TAR_VERITY, member[TAR_VERITY], 8191);
	refuse("root.verity has 8191 bytes; the manifest says 8192");
}

static void cut_and_grown_are_refused(void **state)
{
	(void)state;
	length--;
	refuse("the bundle is cut");
	length += 2;
	refuse("something stands behind the end of the bundle");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_good_bundle_comes_through, setup),
		cmocka_unit_test_setup(places_are_known_from_the_head, setup),
		cmocka_unit_test_setup(wrong_signature_comes_first, setup),
		cmocka_unit_test_setup(what_the_box_refuses_ends_there, setup),
		cmocka_unit_test_setup(every_byte_of_a_member_counts, setup),
		cmocka_unit_test_setup(sizes_in_the_archive_are_the_manifests, setup),
		cmocka_unit_test_setup(cut_and_grown_are_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
