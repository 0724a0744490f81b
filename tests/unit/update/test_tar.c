/* init/update/tar.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "update/tar.h"

#define MTIME 1795564800

/* Not one of them a multiple of the block but the last; bytes are 'a' + member. */
static const uint64_t sizes[TAR_MEMBERS] = {700, 71, 8192 - 1, 64, 513, 4096};

static uint8_t file[32768];
static size_t length;
static struct tar t;
static struct err e;

/* What came out, as text: "<manifest.yaml 700", the data's number, ">". */
static struct {
	char text[512];
	uint64_t bytes;
	const char *refuse; /* of this member the sink does not want to know */
} seen;

static int on_begin(void *arg, enum tar_member which, uint64_t size, struct err *err)
{
	size_t n = strlen(seen.text);

	(void)arg;
	if (seen.refuse && str_eq(seen.refuse, tar_name(which)))
		return err_set(err, 1, "not wanted");
	seen.bytes = 0;
	return str_format(seen.text + n, sizeof(seen.text) - n, "<%s %d", tar_name(which), (int)size);
}

static int on_data(void *arg, enum tar_member which, const uint8_t *p, size_t n, struct err *err)
{
	(void)arg;
	(void)err;
	assert_int_not_equal(n, 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(p[i], 'a' + which);
	seen.bytes += n;
	return 0;
}

static int on_end(void *arg, enum tar_member which, struct err *err)
{
	size_t n = strlen(seen.text);

	(void)arg;
	(void)which;
	(void)err;
	return str_format(seen.text + n, sizeof(seen.text) - n, " %d>", (int)seen.bytes);
}

static const struct tar_sink sink = {on_begin, on_data, on_end};

static void put(enum tar_member which, uint64_t size)
{
	tar_header(which, size, MTIME, file + length);
	memset(file + length + TAR_BLOCK, 'a' + (int)which, size);
	length += TAR_BLOCK + (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

static void make(void)
{
	memset(file, 0, sizeof(file));
	length = 0;
	for (unsigned i = 0; i < TAR_MEMBERS; i++)
		put(i, sizes[i]);
	length += TAR_TRAILER;
}

/* The checksum of the header at that place made right again, so that something else is what is wrong. */
static void mend(size_t at)
{
	unsigned s = 8 * ' ';

	for (size_t i = 0; i < TAR_BLOCK; i++)
		s += i >= 148 && i < 156 ? 0 : file[at + i];
	snprintf((char *)file + at + 148, 8, "%06o", s);
	file[at + 155] = ' ';
}

static int read_all(size_t piece)
{
	memset(&seen.text, 0, sizeof(seen.text));
	err_clear(&e);
	tar_init(&t, &sink, NULL);
	for (size_t at = 0; at < length; at += piece) {
		if (tar_feed(&t, file + at, length - at < piece ? length - at : piece, &e) < 0)
			return -1;
	}
	return tar_finish(&t, &e);
}

static int setup(void **state)
{
	(void)state;
	seen.refuse = NULL;
	make();
	return 0;
}

static void pieces_of_any_size_give_the_same(void **state)
{
	static const size_t pieces[] = {1, 2, 3, 511, 512, 513, 4096, sizeof(file)};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(pieces); i++) {
		assert_int_equal(read_all(pieces[i]), 0);
		assert_string_equal(seen.text, "<manifest.yaml 700 700><manifest.sig 71 71><root.verity 8191 8191>"
		                               "<uki.hashes 64 64><uki.efi 513 513><root.erofs 4096 4096>");
		assert_int_equal(t.at, length);
		assert_int_equal(t.state, TAR_DONE);
	}
}

static void places_follow_from_sizes(void **state)
{
	uint64_t at[TAR_MEMBERS];

	(void)state;
	assert_int_equal(tar_offsets(sizes, at), length);
	for (unsigned i = 0; i < TAR_MEMBERS; i++) {
		assert_int_equal(file[at[i]], 'a' + i);
		assert_int_equal(file[at[i] + sizes[i] - 1], 'a' + i);
		assert_string_equal((char *)file + at[i] - TAR_BLOCK, tar_name(i));
	}
}

/* As GNU tar writes it with --format=ustar --owner=0 --group=0 --numeric-owner --mode=644. */
static void header_is_that_of_tar(void **state)
{
	uint8_t h[TAR_BLOCK];

	(void)state;
	tar_header(TAR_UKI, 0123456, MTIME, h);
	assert_memory_equal(h, "uki.efi\0", 8);
	assert_memory_equal(h + 100,
	                    "0000644\0"
	                    "0000000\0"
	                    "0000000\0"
	                    "00000123456\0"
	                    "15301425000\0"
	                    "0",
	                    49 - 8);
	assert_memory_equal(h + 257,
	                    "ustar\0"
	                    "00",
	                    8);
	assert_int_equal(h[154], 0);
	assert_int_equal(h[155], ' ');
}

static void refuses(const char *want)
{
	char first[ERR_TEXT];

	assert_int_equal(read_all(sizeof(file)), -1);
	assert_true(str_starts(e.text, want) || (print_error("%s\n%s\n", e.text, want), 0));
	(void)!str_copy(first, sizeof(first), e.text);
	/* Cut where it may be, it is the same that is wrong. */
	assert_int_equal(read_all(1), -1);
	assert_string_equal(e.text, first);
	assert_int_equal(tar_finish(&t, &e), -1);
	assert_true(t.state != TAR_REFUSED || tar_feed(&t, "", 1, &e) < 0);
}

#define SECOND 1536 /* where the header of manifest.sig begins */

static void refuses_another_header(void **state)
{
	static const struct {
		size_t at;
		uint8_t byte;
		bool mended;
		const char *want;
	} rows[] = {
		{SECOND + 3, 'x', false,
	         "a damaged header at byte 1536, where that of manifest.sig belongs: wrong checksum"},
		{SECOND + 156, 'x', true, "the member at byte 1536 is a pax header; a bundle has plain files only"},
		{SECOND + 156, 'g', true, "the member at byte 1536 is a pax header"},
		{SECOND + 156, 'L', true, "the member at byte 1536 is a GNU header"},
		{SECOND + 156, 'S', true, "the member at byte 1536 is a GNU header"},
		{SECOND + 156, '1', true, "the member at byte 1536 is a link"},
		{SECOND + 156, '2', true, "the member at byte 1536 is a link"},
		{SECOND + 156, '3', true, "the member at byte 1536 is a device"},
		{SECOND + 156, '5', true, "the member at byte 1536 is a folder"},
		{SECOND + 156, '7', true, "the member at byte 1536 is of an unknown type"},
		{SECOND + 156, '\0', true, "the member at byte 1536 is of an unknown type"},
		{SECOND + 262, ' ', true, "the header at byte 1536 is not ustar; a bundle is no other kind of archive"},
		{SECOND + 104, '7', true,
	         "the header of manifest.sig at byte 1536 has another mode than those of a bundle"},
		{SECOND + 110, '7', true, "the header of manifest.sig at byte 1536 has another user than"},
		{SECOND + 118, '7', true, "the header of manifest.sig at byte 1536 has another group than"},
		{SECOND + 124, ' ', true,
	         "the header of manifest.sig at byte 1536 has a size or time in an unusual form"},
		{SECOND + 124, 0x80, true,
	         "the header of manifest.sig at byte 1536 has a size or time in an unusual form"},
		{SECOND + 135, ' ', true,
	         "the header of manifest.sig at byte 1536 has a size or time in an unusual form"},
		{SECOND + 146, '7', true, "the header of manifest.sig at byte 1536 has another time than"},
		{SECOND + 160, 'x', true, "the header of manifest.sig at byte 1536 has another link than"},
		{SECOND + 265, 'r', true, "the header of manifest.sig at byte 1536 has another user name than"},
		{SECOND + 297, 'r', true, "the header of manifest.sig at byte 1536 has another group name than"},
		{SECOND + 340, '1', true, "the header of manifest.sig at byte 1536 has another device than"},
		{SECOND + 500, '1', true, "the header of manifest.sig at byte 1536 has another last 12 bytes than"},
		{SECOND + 50, 'x', true, "the header of manifest.sig at byte 1536 has another name than"},
		{SECOND + 130, '1', true, "manifest.sig has 4167 bytes; 256 are allowed"},
		{126, '1', true, "manifest.yaml has 16777916 bytes; 16384 are allowed"},
		{260, 'x', false, "not a bundle: it does not begin as a tar archive does"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		make();
		assert_int_not_equal(file[rows[i].at], rows[i].byte);
		file[rows[i].at] = rows[i].byte;
		if (rows[i].mended)
			mend(rows[i].at / SECOND * SECOND);
		refuses(rows[i].want);
	}
}

static void refuses_tricks_with_paths(void **state)
{
	static const struct {
		const char *name, *prefix, *want;
	} rows[] = {
		{"../manifest.sig", "",
	         "member '../manifest.sig' at byte 1536 is in a folder; the names of a bundle are plain"},
		{"/manifest.sig", "", "member '/manifest.sig' at byte 1536 is in a folder"},
		{"./manifest.sig", "", "member './manifest.sig' at byte 1536 is in a folder"},
		{"manifest.sig/", "", "member 'manifest.sig/' at byte 1536 is in a folder"},
		{"manifest.sig", "etc", "member 'manifest.sig' at byte 1536 is in a folder"},
		{"..", "", "member '..' at byte 1536 is in a folder"},
		{"manifest.sig ", "",
	         "a member 'manifest.sig ' at byte 1536, which no bundle has; manifest.sig belongs here"},
		{"Manifest.sig", "", "a member 'Manifest.sig' at byte 1536, which no bundle has"},
		{"\x1b[2J'", "", "a member '?[2J?' at byte 1536, which no bundle has"},
		{"", "", "a member '' at byte 1536, which no bundle has"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		make();
		memset(file + SECOND, 0, 100);
		memcpy(file + SECOND, rows[i].name, strlen(rows[i].name));
		memcpy(file + SECOND + 345, rows[i].prefix, strlen(rows[i].prefix));
		mend(SECOND);
		refuses(rows[i].want);
	}
}

static void name_of_a_hundred_bytes_has_an_end(void **state)
{
	(void)state;
	memset(file + SECOND, 'x', 100);
	mend(SECOND);
	refuses("a member 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' at byte 1536");
}

static void order_is_fixed(void **state)
{
	(void)state;
	length = 0;
	put(TAR_SIGNATURE, 71);
	refuses("manifest.sig at byte 0 is out of order; manifest.yaml belongs here");
	length = 0;
	put(TAR_MANIFEST, 512);
	put(TAR_VERITY, 512);
	refuses("root.verity at byte 1024 is out of order; manifest.sig belongs here");
	length = 0;
	put(TAR_MANIFEST, 512);
	put(TAR_MANIFEST, 512);
	refuses("manifest.yaml stands twice in the bundle, again at byte 1024; manifest.sig belongs here");
}

static void every_member_must_be_there(void **state)
{
	(void)state;
	memset(file, 0, sizeof(file));
	length = 0;
	put(TAR_MANIFEST, 512);
	put(TAR_SIGNATURE, 71);
	length += TAR_TRAILER;
	refuses("the archive ends at byte 2048; root.verity is missing");
	memset(file, 0, sizeof(file));
	length = TAR_TRAILER;
	refuses("the archive ends at byte 0; manifest.yaml is missing");
}

static void sizes_are_those_of_the_manifest(void **state)
{
	uint64_t want[TAR_MEMBERS];

	(void)state;
	memcpy(want, sizes, sizeof(want));
	tar_init(&t, &sink, NULL);
	tar_expect(&t, want);
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(tar_feed(&t, file, length, &e), 0);
	want[TAR_UKI]++;
	tar_init(&t, &sink, NULL);
	tar_expect(&t, want);
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(tar_feed(&t, file, length, &e), -1);
	assert_string_equal(e.text, "uki.efi has 513 bytes; the manifest says 514");
}

/* Behind each member stands the next header, and behind the last one the end; sizes of all kinds of padding. */
static void what_stands_behind_a_member(void **state)
{
	uint64_t at[TAR_MEMBERS];

	(void)state;
	assert_int_equal(tar_offsets(sizes, at), length);
	for (unsigned i = 0; i < TAR_MEMBERS; i++) {
		uint64_t from = at[i] + sizes[i], to = i < TAR_ROOT ? at[i + 1] : length;
		tar_init(&t, &sink, NULL);
		tar_expect(&t, sizes);
		t.mtime = MTIME;
		memset(&seen, 0, sizeof(seen));
		tar_behind(&t, i, from);
		assert_int_equal(tar_feed(&t, file + from, to - from, &e), 0);
		assert_int_equal(t.state, i < TAR_ROOT ? TAR_IN_DATA : TAR_DONE);
		assert_int_equal(t.at, to);
		assert_int_equal(t.member, i < TAR_ROOT ? i + 1 : i);
		file[to - 1] ^= 1;
		tar_behind(&t, i, from);
		assert_int_equal(tar_feed(&t, file + from, to - from, &e), -1);
		file[to - 1] ^= 1;
	}
}

static void zeros_are_zeros(void **state)
{
	(void)state;
	file[SECOND - 1] = 1;
	assert_int_equal(read_all(sizeof(file)), -1);
	assert_string_equal(e.text, "not zero behind manifest.yaml, at byte 1535 of the bundle");
	make();
	file[length - 1] = 1;
	assert_int_equal(read_all(sizeof(file)), -1);
	assert_true(str_starts(e.text, "not zero behind root.erofs, at byte "));
}

static void nothing_stands_behind_the_end(void **state)
{
	(void)state;
	length++;
	refuses("something stands behind the end of the bundle, from byte ");
	length += 511;
	refuses("something stands behind the end of the bundle, from byte ");
}

/* At every length but the whole one the bundle is cut, and the sentence says where. */
static void cut_anywhere_is_cut(void **state)
{
	size_t whole = length;
	char want[64];

	(void)state;
	for (length = 0; length < whole; length++) {
		assert_int_equal(read_all(sizeof(file)), -1);
		(void)!str_format(want, sizeof(want), "the bundle is cut: it ends at byte %zu, ", length);
		assert_true(str_starts(e.text, want));
	}
	length = SECOND + 10;
	refuses("the bundle is cut: it ends at byte 1546, before manifest.sig");
	length = TAR_BLOCK + 100;
	refuses("the bundle is cut: it ends at byte 612, 600 bytes before the end of manifest.yaml");
	length = whole - 1;
	refuses("the bundle is cut: it ends at byte ");
	assert_int_equal(read_all(sizeof(file)), -1);
	assert_true(str_ends(e.text, ", in the zeros behind root.erofs"));
}

static void what_the_sink_refuses_is_refused(void **state)
{
	(void)state;
	seen.refuse = "root.verity";
	assert_int_equal(read_all(sizeof(file)), -1);
	assert_string_equal(e.text, "not wanted");
	assert_int_equal(tar_finish(&t, &e), -1);
	assert_string_equal(e.text, "the bundle has been refused");
	assert_int_equal(tar_feed(&t, file, 1, &e), -1);
	assert_string_equal(e.text, "the bundle has been refused");
}

static void an_empty_member_begins_and_ends(void **state)
{
	(void)state;
	length = 0;
	put(TAR_MANIFEST, 0);
	put(TAR_SIGNATURE, 71);
	assert_int_equal(read_all(1), -1);
	assert_true(str_starts(seen.text, "<manifest.yaml 0 0><manifest.sig 71 71>"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(pieces_of_any_size_give_the_same, setup),
		cmocka_unit_test_setup(places_follow_from_sizes, setup),
		cmocka_unit_test_setup(header_is_that_of_tar, setup),
		cmocka_unit_test_setup(refuses_another_header, setup),
		cmocka_unit_test_setup(refuses_tricks_with_paths, setup),
		cmocka_unit_test_setup(name_of_a_hundred_bytes_has_an_end, setup),
		cmocka_unit_test_setup(order_is_fixed, setup),
		cmocka_unit_test_setup(every_member_must_be_there, setup),
		cmocka_unit_test_setup(sizes_are_those_of_the_manifest, setup),
		cmocka_unit_test_setup(what_stands_behind_a_member, setup),
		cmocka_unit_test_setup(zeros_are_zeros, setup),
		cmocka_unit_test_setup(nothing_stands_behind_the_end, setup),
		cmocka_unit_test_setup(cut_anywhere_is_cut, setup),
		cmocka_unit_test_setup(what_the_sink_refuses_is_refused, setup),
		cmocka_unit_test_setup(an_empty_member_begins_and_ends, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
