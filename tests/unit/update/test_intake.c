/* init/update/intake.c: a bundle from a file into a slot that is a file. Sources without ranges: tests/update. */
#include "update/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "board.h"
#include "fake/sys.h"
#include "fake/tree.h"

#define BLOCKS 140
#define IMAGE  ((size_t)BLOCKS * VERITY_BLOCK)
#define UKI    70001
#define UUID   "01020304-0506-0708-090a-0b0c0d0e0f10"

static struct err e;
static struct intake in;
static struct source source;
static struct fake_tree tree;
static uint8_t image[IMAGE], uki[UKI], hashes[(UKI + KERNEL_PIECE - 1) / KERNEL_PIECE * SHA256_BYTES];
static char text[4096];
static uint8_t *file;
static size_t length;
static uint64_t at[TAR_MEMBERS];
static int bundle_fd, target_fd, running_fd, kernel_fd, uki_fd;
static bool signed_well, taken;
static unsigned offers, kernels;

/* memfd has no direct access on every kernel. */
static int flag_fcntl(int fd, int cmd, int arg)
{
	(void)fd;
	(void)arg;
	return cmd == F_SETFL ? 0 : O_RDWR;
}

/* --- a bundle ---------------------------------------------------------------------------------- */

static void add_hex(struct buf *b, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_addf(b, "%02x", bytes[i]);
}

static void add_member(struct buf *b, enum tar_member which, const uint8_t *bytes, size_t n)
{
	uint8_t digest[SHA256_BYTES];

	sha256(bytes, n, digest);
	buf_addf(b, "  %s: {size: %zu, sha256: ", tar_name(which), n);
	add_hex(b, digest, sizeof(digest));
	buf_add(b, "}\n");
}

static void write_manifest(void)
{
	struct buf b;

	buf_init(&b, text, sizeof(text));
	buf_add(&b, "format: 2\nboard: " BOARD_NAME "\nversion: 0.2.0\nminimum: 0.1.0\nbuild: x\ncreated: 1\n"
	            "kubernetes: k\nchanges: ''\nroot: {hash: ");
	add_hex(&b, tree.root, sizeof(tree.root));
	buf_add(&b, ", uuid: " UUID ", salt: ");
	add_hex(&b, tree.v.salt, tree.v.salt_len);
	buf_addf(&b, ", blocks: %d}\nmembers:\n", BLOCKS);
	add_member(&b, TAR_VERITY, tree.bytes, tree.len);
	add_member(&b, TAR_HASHES, hashes, sizeof(hashes));
	add_member(&b, TAR_UKI, uki, sizeof(uki));
	add_member(&b, TAR_ROOT, image, IMAGE);
	assert_true(buf_ok(&b));
}

static void put(enum tar_member which, const void *bytes, size_t size)
{
	tar_header(which, size, 1, file + length);
	at[which] = length + TAR_BLOCK;
	memcpy(file + length + TAR_BLOCK, bytes, size);
	length += TAR_BLOCK + (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

static void hash_uki(void)
{
	for (size_t i = 0; i * KERNEL_PIECE < UKI; i++) {
		size_t left = UKI - i * KERNEL_PIECE;
		sha256(uki + i * KERNEL_PIECE, left < KERNEL_PIECE ? left : KERNEL_PIECE, hashes + i * SHA256_BYTES);
	}
}

/* Of what is in image, uki and hashes. */
static void pack(void)
{
	fake_tree_make(&tree, image, BLOCKS);
	write_manifest();
	file = calloc(1, IMAGE + tree.len + UKI + sizeof(hashes) + sizeof(text) + (size_t)16 * TAR_BLOCK);
	assert_non_null(file);
	length = 0;
	put(TAR_MANIFEST, text, strlen(text));
	put(TAR_SIGNATURE, "signed", 6);
	put(TAR_VERITY, tree.bytes, tree.len);
	put(TAR_HASHES, hashes, sizeof(hashes));
	put(TAR_UKI, uki, sizeof(uki));
	put(TAR_ROOT, image, IMAGE);
	length += TAR_TRAILER;
}

static void make_bundle(void)
{
	memset(&tree, 0, sizeof(tree));
	tree.v.salt_len = 32;
	memset(tree.v.salt, 0x5a, 32);
	for (uint8_t i = 0; i < 16; i++)
		tree.v.uuid[i] = i + 1;
	for (size_t i = 0; i < IMAGE; i += 4)
		memcpy(image + i, &i, 4);
	for (size_t i = 0; i < UKI; i++)
		uki[i] = (uint8_t)('k' + i / KERNEL_PIECE);
	hash_uki();
	pack();
}

/* The same, after something of it was changed. */
static void pack_again(void)
{
	free(file);
	free(tree.bytes);
	tree.bytes = NULL;
	pack();
}

/* --- the hooks ---------------------------------------------------------------------------------- */

static int on_signer(void *arg, const void *p, size_t len, const uint8_t *sig, size_t sig_len, const char **name,
                     struct err *err)
{
	(void)arg;
	*name = "current";
	if (!signed_well || sig_len != 6 || memcmp(sig, "signed", 6) != 0 || len != strlen(text) ||
	    memcmp(p, text, len) != 0)
		return err_set(err, EPERM, "wrong signature");
	return 0;
}

static int on_offer(struct intake *i, void *arg, struct err *err)
{
	(void)arg;
	offers++;
	assert_string_equal(i->m->version, "0.2.0");
	return taken ? 0 : err_set(err, EPERM, "not wanted");
}

static int on_kernel(struct intake *i, void *arg, struct err *err)
{
	(void)arg;
	(void)err;
	kernels++;
	i->uki = uki_fd;
	return 0;
}

static void on_progress(struct intake *i, enum msg_phase phase, uint64_t done, uint64_t total, void *arg)
{
	(void)i;
	(void)arg;
	assert_true(phase < MSG_PHASE_COUNT);
	assert_true(total == 0 || done <= total);
}

/* Begun, with `length` bytes of the bundle in a pipe of `said`. */
static int upload(uint64_t said)
{
	const struct fetch_config config = {0};
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_true(fcntl(fds[1], F_SETPIPE_SZ, 1 << 20) >= (int)length);
	assert_int_equal(write(fds[1], file, length), length);
	close(fds[1]);
	offers = kernels = 0;
	memset(&in, 0, sizeof(in));
	err_clear(&e);
	assert_int_equal(source_open_pipe(&source, fds[0], said, &config, &e), 0);
	in.source = &source;
	in.running_fd = running_fd;
	in.kernel_fd = kernel_fd;
	in.target_fd = target_fd;
	in.uki = -1;
	in.hooks = (struct intake_hooks){on_signer, on_offer, on_kernel, on_progress, NULL};
	int rc = intake_install(&in, &e);
	intake_fini(&in);
	source_close(&source);
	close(fds[0]);
	return rc;
}

static int run(bool show, uint64_t *fetch)
{
	const struct fetch_config config = {0};

	assert_int_equal(ftruncate(bundle_fd, 0), 0);
	assert_int_equal(pwrite(bundle_fd, file, length, 0), length);
	(void)lseek(uki_fd, 0, SEEK_SET);
	offers = kernels = 0;
	memset(&in, 0, sizeof(in));
	err_clear(&e);
	assert_int_equal(source_open(&source, bundle_fd, "", &config, &e), 0);
	in.source = &source;
	in.running_fd = running_fd;
	in.kernel_fd = kernel_fd;
	in.target_fd = target_fd;
	in.uki = -1;
	in.hooks = (struct intake_hooks){on_signer, on_offer, on_kernel, on_progress, NULL};
	int rc = show ? intake_show(&in, fetch, &e) : intake_install(&in, &e);
	intake_fini(&in);
	source_close(&source);
	return rc;
}

static int install(void)
{
	return run(false, NULL);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_fcntl = flag_fcntl;
	make_bundle();
	bundle_fd = memfd_create("bundle", 0);
	target_fd = memfd_create("target", 0);
	uki_fd = memfd_create("uki", 0);
	running_fd = kernel_fd = -1;
	signed_well = taken = true;
	return ftruncate(target_fd, (off_t)(IMAGE + tree.len));
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	close(bundle_fd);
	close(target_fd);
	close(uki_fd);
	free(file);
	free(tree.bytes);
	return 0;
}

static bool is_same(int fd, const uint8_t *want, size_t n, uint64_t from)
{
	uint8_t *got = malloc(n);

	assert_non_null(got);
	bool same = pread(fd, got, n, (off_t)from) == (ssize_t)n && memcmp(got, want, n) == 0;
	free(got);
	return same;
}

static bool is_installed(void)
{
	struct stat st;

	return is_same(target_fd, image, IMAGE, 0) && is_same(target_fd, tree.bytes, tree.len, IMAGE) &&
	       is_same(uki_fd, uki, UKI, 0) && fstat(uki_fd, &st) == 0 && st.st_size == UKI;
}

static bool is_untouched(void)
{
	static const uint8_t nothing[IMAGE];
	struct stat st;

	return is_same(target_fd, nothing, IMAGE, 0) && fstat(uki_fd, &st) == 0 && st.st_size == 0;
}

/* --- tests --------------------------------------------------------------------------------------- */

static void it_lands_where_it_belongs(void **state)
{
	(void)state;
	assert_int_equal(install(), 0);
	assert_int_equal(offers, 1);
	assert_int_equal(kernels, 1);
	assert_true(is_installed());
	assert_int_equal(in.kept, 0);
}

static void nothing_is_written_before_it_is_wanted(void **state)
{
	(void)state;
	signed_well = false;
	assert_int_equal(install(), -1);
	assert_string_equal(e.text, "wrong signature");
	assert_int_equal(offers, 0);
	assert_true(is_untouched());
	signed_well = true;
	taken = false;
	assert_int_equal(install(), -1);
	assert_string_equal(e.text, "not wanted");
	assert_int_equal(offers, 1);
	assert_true(is_untouched());
	/* And of the source, nothing but its head has been read. */
	assert_true(source_fetched(&source) < 20000);
}

static void the_length_must_be_right(void **state)
{
	size_t whole = length;

	(void)state;
	length = whole - 1;
	assert_int_equal(install(), -1);
	assert_non_null(strstr(e.text, "cut"));
	length = whole + 1;
	assert_int_equal(install(), -1);
	assert_non_null(strstr(e.text, "1 more than"));
	for (length = 0; length < 3000; length += 250) {
		assert_int_equal(install(), -1);
		assert_non_null(strstr(e.text, "cut"));
	}
	assert_int_equal(offers, 0);
	assert_true(is_untouched());
}

static void a_second_time_fetches_little(void **state)
{
	(void)state;
	assert_int_equal(install(), 0);
	assert_int_equal(install(), 0);
	assert_true(is_installed());
	assert_int_equal(in.kept, IMAGE);
	assert_true(source_fetched(&source) < 20000 + TAR_TRAILER);
	/* A block that was lost, and a kernel that was written half, come again. */
	assert_int_equal(pwrite(target_fd, "x", 1, 77 * VERITY_BLOCK), 1);
	assert_int_equal(ftruncate(uki_fd, 5000), 0);
	assert_int_equal(install(), 0);
	assert_true(is_installed());
	assert_int_equal(in.kept, IMAGE - VERITY_BLOCK);
	assert_int_equal(ftruncate(uki_fd, UKI + 9), 0);
	assert_int_equal(install(), 0);
	assert_true(is_installed());
}

static void what_another_release_has_left_is_not_looked_at(void **state)
{
	(void)state;
	assert_int_equal(pwrite(target_fd, image, IMAGE, 0), IMAGE);
	assert_int_equal(install(), 0);
	assert_true(is_installed());
	assert_int_equal(in.kept, 0);
}

static void the_running_slot_is_used(void **state)
{
	static const uint8_t magic[] = {0xE2, 0xE1, 0xF5, 0xE0};
	uint8_t *old = malloc(IMAGE);
	struct fake_tree had = {.v = tree.v};
	uint64_t fetch = 0;

	(void)state;
	assert_non_null(old);
	memcpy(old, image, IMAGE);
	memset(old, 0, VERITY_BLOCK);
	memcpy(old + 1024, magic, sizeof(magic));
	old[1024 + 12] = 12;
	old[1024 + 36] = BLOCKS;
	fake_tree_make(&had, old, BLOCKS);
	running_fd = memfd_create("running", 0);
	assert_int_equal(pwrite(running_fd, old, IMAGE, 0), IMAGE);
	assert_int_equal(pwrite(running_fd, had.bytes, had.len, (off_t)IMAGE), had.len);
	assert_int_equal(run(true, &fetch), 0);
	assert_true(fetch > UKI + VERITY_BLOCK && fetch < UKI + IMAGE / 4);
	assert_true(is_untouched());
	assert_int_equal(install(), 0);
	assert_true(is_installed());
	assert_int_equal(in.copied, IMAGE - VERITY_BLOCK);
	assert_true(source_fetched(&source) <= fetch);
	close(running_fd);
	free(had.bytes);
	free(old);
}

/* One piece differs from the running kernel's, which begins one piece later: that one and the list are fetched. */
static void the_running_kernel_is_used(void **state)
{
	uint64_t fetch = 0, all;

	(void)state;
	assert_int_equal(run(true, &all), 0);
	kernel_fd = memfd_create("running kernel", 0);
	assert_int_equal(pwrite(kernel_fd, uki, UKI, KERNEL_PIECE), UKI);
	assert_int_equal(pwrite(kernel_fd, "x", 1, 3 * KERNEL_PIECE), 1);
	assert_int_equal(run(true, &fetch), 0);
	assert_int_equal(all - fetch, UKI - KERNEL_PIECE);
	assert_true(is_untouched());
	assert_int_equal(install(), 0);
	assert_true(is_installed());
	assert_int_equal(in.kernel.copied, UKI - KERNEL_PIECE);
	assert_int_equal(source_fetched(&source), fetch);
	close(kernel_fd);
}

/* A kernel that is there in part is gone on with. */
static void a_kernel_that_was_cut(void **state)
{
	uint64_t before;

	(void)state;
	assert_int_equal(install(), 0);
	assert_int_equal(install(), 0);
	before = source_fetched(&source);
	assert_int_equal(ftruncate(uki_fd, 2 * KERNEL_PIECE + 100), 0);
	assert_int_equal(pwrite(uki_fd, "y", 1, 5), 1);
	assert_int_equal(install(), 0);
	assert_true(is_installed());
	/* The first piece and all behind the second, with the list. */
	assert_int_equal(source_fetched(&source) - before, UKI - KERNEL_PIECE + sizeof(hashes));
}

/* Signed, and wrong all the same. */
static void a_list_that_does_not_fit_the_kernel(void **state)
{
	(void)state;
	hashes[3 * SHA256_BYTES] ^= 1;
	pack_again();
	assert_int_equal(install(), -1);
	assert_string_equal(e.text, "uki.efi: the bytes from 49152 on are not what uki.hashes says");
	assert_int_equal(upload(length), -1);
	assert_string_equal(e.text, "uki.efi: the bytes from 49152 on are not what uki.hashes says");
	/* Also when the running kernel has what the list wants: then the whole has another sum. */
	hash_uki();
	memset(uki + 3 * KERNEL_PIECE, 'z', KERNEL_PIECE);
	pack_again();
	memset(uki + 3 * KERNEL_PIECE, 'k' + 3, KERNEL_PIECE);
	kernel_fd = memfd_create("running kernel", 0);
	assert_int_equal(pwrite(kernel_fd, uki, UKI, 0), UKI);
	assert_int_equal(ftruncate(uki_fd, 0), 0);
	assert_int_equal(install(), -1);
	assert_string_equal(e.text, "uki.efi: its SHA-256 is not the one in the manifest");
	close(kernel_fd);
}

static void a_look_writes_nothing(void **state)
{
	uint64_t fetch = 0;

	(void)state;
	assert_int_equal(run(true, &fetch), 0);
	assert_true(fetch >= IMAGE + tree.len + UKI);
	assert_true(is_untouched());
	assert_string_equal(in.m->version, "0.2.0");
	file[at[TAR_VERITY] + 5000] ^= 1;
	assert_int_equal(run(true, &fetch), -1);
	signed_well = false;
	assert_int_equal(run(true, &fetch), -1);
	assert_string_equal(e.text, "wrong signature");
}

/* Between the members, and behind the last one: refused before anybody is asked, and before anything is written. */
static void what_stands_between_is_looked_at_first(void **state)
{
	const uint64_t spots[] = {at[TAR_VERITY] - 9,
	                          at[TAR_HASHES] - TAR_BLOCK,
	                          at[TAR_HASHES] + sizeof(hashes),
	                          at[TAR_UKI] - TAR_BLOCK + 130,
	                          at[TAR_UKI] + UKI,
	                          at[TAR_ROOT] - 200,
	                          at[TAR_ROOT] + IMAGE,
	                          length - 1};
	uint64_t fetch;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(spots); i++) {
		file[spots[i]] ^= 4;
		assert_int_equal(install(), -1);
		assert_int_equal(offers, 0);
		assert_true(is_untouched());
		assert_int_equal(run(true, &fetch), -1);
		file[spots[i]] ^= 4;
	}
	tar_header(TAR_VERITY, tree.len, 1, file + at[TAR_UKI] - TAR_BLOCK);
	assert_int_equal(install(), -1);
	assert_non_null(strstr(e.text, "root.verity stands twice in the bundle, again at byte "));
	assert_int_equal(offers, 0);
}

/* One byte, anywhere: all of the bundle is covered. */
static void each_damage_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < length; i += i < at[TAR_VERITY] ? 61 : 9973) {
		assert_int_equal(ftruncate(target_fd, 0), 0);
		assert_int_equal(ftruncate(target_fd, (off_t)(IMAGE + tree.len)), 0);
		assert_int_equal(ftruncate(uki_fd, 0), 0);
		file[i] ^= 4;
		if (install() == 0)
			fail_msg("byte %zu may be anything", i);
		assert_true(e.text[0] != '\0');
		assert_true(i >= at[TAR_VERITY] - TAR_BLOCK || is_untouched());
		file[i] ^= 4;
	}
}

/* Whatever call fails, once: it is said, or it did no harm. */
static void every_call_fails_once(void **state)
{
	unsigned n = 1, fds = fake_open_fds();

	(void)state;
	for (;; n++) {
		assert_int_equal(ftruncate(target_fd, 0), 0);
		assert_int_equal(ftruncate(target_fd, (off_t)(IMAGE + tree.len)), 0);
		assert_int_equal(ftruncate(uki_fd, 0), 0);
		const struct fetch_config config = {0};
		memset(&in, 0, sizeof(in));
		assert_int_equal(pwrite(bundle_fd, file, length, 0), length);
		(void)lseek(uki_fd, 0, SEEK_SET);
		fake_fail_at(n, EIO);
		int rc = source_open(&source, bundle_fd, "", &config, &e);
		if (rc == 0) {
			in = (struct intake){
				.source = &source, .running_fd = -1, .kernel_fd = -1, .target_fd = target_fd};
			in.uki = -1;
			in.hooks = (struct intake_hooks){on_signer, on_offer, on_kernel, on_progress, NULL};
			rc = intake_install(&in, &e);
			intake_fini(&in);
			source_close(&source);
		}
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		if (rc == 0)
			assert_true(is_installed());
		assert_int_equal(fake_open_fds(), fds);
		if (!fired)
			break;
	}
	assert_true(n > 20);
}

static void an_upload_lands_there_too(void **state)
{
	(void)state;
	assert_int_equal(upload(length), 0);
	assert_int_equal(offers, 1);
	assert_int_equal(kernels, 1);
	assert_true(is_installed());
}

static void an_upload_that_is_cut(void **state)
{
	size_t whole = length;

	(void)state;
	length = at[TAR_ROOT] + IMAGE / 2;
	assert_int_equal(upload(whole), -1);
	assert_non_null(strstr(e.text, "broke off"));
	assert_int_equal(offers, 1);
	length = whole;
	assert_int_equal(upload(whole), 0); /* and once more, all of it: half is there */
	assert_int_equal(in.kept, IMAGE / 2 / VERITY_BLOCK * VERITY_BLOCK);
	assert_true(is_installed());
	assert_int_equal(ftruncate(target_fd, 0), 0);
	assert_int_equal(ftruncate(target_fd, (off_t)(IMAGE + tree.len)), 0);
	length = 700;
	assert_int_equal(upload(whole), -1);
	assert_non_null(strstr(e.text, "broke off at byte 700"));
	assert_int_equal(offers, 0);
	length = whole;
	assert_int_equal(upload(whole - 512), -1);
	assert_non_null(strstr(e.text, "cut"));
	assert_int_equal(offers, 0);
}

static void a_foreign_upload_changes_nothing(void **state)
{
	(void)state;
	signed_well = false;
	assert_int_equal(upload(length), -1);
	assert_string_equal(e.text, "wrong signature");
	assert_true(is_untouched());
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(it_lands_where_it_belongs),
		T(nothing_is_written_before_it_is_wanted),
		T(the_length_must_be_right),
		T(a_second_time_fetches_little),
		T(what_another_release_has_left_is_not_looked_at),
		T(the_running_slot_is_used),
		T(the_running_kernel_is_used),
		T(a_kernel_that_was_cut),
		T(a_list_that_does_not_fit_the_kernel),
		T(a_look_writes_nothing),
		T(what_stands_between_is_looked_at_first),
		T(each_damage_is_found),
		T(every_call_fails_once),
		T(an_upload_lands_there_too),
		T(an_upload_that_is_cut),
		T(a_foreign_upload_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
