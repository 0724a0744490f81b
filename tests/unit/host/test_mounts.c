/* Mounts: the early table against a recorded kernel, and the parser of mountinfo. */
#include "host/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"

static struct err e;
static char done[64][64]; /* "mkdir /x", "mount tmpfs /run" */
static unsigned count;
static const char *fails; /* target of the call that fails */
static int fails_with;
static const char *mounted; /* already a mount */

static void record(const char *what, const char *a, const char *b)
{
	assert_true(count < 64);
	(void)snprintf(done[count++], sizeof(done[0]), "%s %s %s", what, a ? a : "-", b);
}

static int find(const char *line)
{
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(done[i], line) == 0)
			return (int)i;
	}
	return -1;
}

static int result(const char *target)
{
	if (!fails || strcmp(target, fails) != 0)
		return 0;
	errno = fails_with;
	return -1;
}

static int rec_mount(const char *src, const char *dst, const char *fs, unsigned long flags, const void *data)
{
	(void)src;
	(void)data;
	record(flags & MS_MOVE ? "move" : flags & MS_BIND ? "bind" : "mount", fs, dst);
	return result(dst);
}

static int rec_mkdir(const char *path, mode_t mode)
{
	(void)mode;
	record("mkdir", NULL, path);
	return result(path);
}

static int rec_chmod(const char *path, mode_t mode)
{
	(void)path;
	(void)mode;
	return 0;
}

static int rec_symlink(const char *to, const char *path)
{
	record("link", to, path);
	return result(path);
}

/* Everything is one file system, save what is below "mounted". */
static int rec_stat(const char *path, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFDIR;
	st->st_dev = mounted && strcmp(path, mounted) == 0 ? 2 : 1;
	st->st_ino = strlen(path);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	count = 0;
	fails = mounted = NULL;
	fails_with = EPERM;
	fake_mount = rec_mount;
	fake_mkdir = rec_mkdir;
	fake_chmod = rec_chmod;
	fake_symlink = rec_symlink;
	fake_stat = rec_stat;
	return 0;
}

static unsigned notes;
static bool note_needed;
static char note_target[64];

static void note(const char *target, bool needed, const struct err *why, void *arg)
{
	assert_true(why->text[0]);
	assert_ptr_equal(arg, &notes);
	notes++;
	note_needed = needed;
	(void)snprintf(note_target, sizeof(note_target), "%s", target);
}

static int run(void)
{
	count = 0;
	notes = 0;
	return mounts_setup(note, &notes);
}

static void everything_in_order(void **state)
{
	(void)state;
	assert_int_equal(run(), 0);
	assert_int_equal(notes, 0);
	assert_true(find("mount proc /proc") >= 0);
	assert_true(find("mount devpts /dev/pts") > find("mount devtmpfs /dev"));
	assert_true(find("mount cgroup2 /sys/fs/cgroup") > find("mount sysfs /sys"));
	assert_true(find("mkdir - /run/hearth") > find("mount tmpfs /run"));
	assert_true(find("mkdir - /var/log/hearth") > find("mkdir - /var/log"));
	assert_true(find("link /proc/self/fd /dev/fd") >= 0);
	assert_true(find("mount - /") > find("mount tmpfs /var")); /* shared, when all are there */
}

static void every_row_is_sound(void **state)
{
	unsigned n;
	const struct mounts_row *rows = mounts_early(&n);

	(void)state;
	assert_true(n > 8);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(rows[i].target[0], '/');
		if (rows[i].type)
			assert_true(rows[i].flags & MS_NOSUID); /* nothing early holds programs */
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(rows[i].target, rows[j].target);
	}
}

static void what_stage_1_moved_stays(void **state)
{
	(void)state;
	mounted = "/dev";
	assert_int_equal(run(), 0);
	assert_int_equal(find("mount devtmpfs /dev"), -1);
	assert_true(find("mount devpts /dev/pts") >= 0);
}

static void a_busy_target_is_mounted(void **state)
{
	(void)state;
	fails = "/proc";
	fails_with = EBUSY;
	assert_int_equal(run(), 0);
}

static void a_needed_one_that_fails(void **state)
{
	(void)state;
	fails = "/run";
	assert_int_equal(run(), -1);
	assert_int_equal(notes, 1);
	assert_true(note_needed);
	assert_string_equal(note_target, "/run");
	assert_true(find("mount tmpfs /var") >= 0); /* it goes on */
}

static void others_are_only_told(void **state)
{
	static const char *const targets[] = {"/sys/firmware/efi/efivars", "/", "/var/lib", "/dev/stdin"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		fails = targets[i];
		assert_int_equal(run(), 0);
		assert_int_equal(notes, 1);
		assert_false(note_needed);
		assert_string_equal(note_target, targets[i]);
	}
	fails = "/var/lib";
	fails_with = EEXIST;
	assert_int_equal(run(), 0);
	assert_int_equal(notes, 0);
}

static void any_call_may_fail(void **state)
{
	(void)state;
	for (unsigned n = 1; n < 500; n++) {
		fake_fail_at(n, ENOMEM);
		(void)run();
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		assert_true(find("mount tmpfs /run") >= 0 || notes > 0);
		if (!fired)
			return;
	}
	fail();
}

static void moves_and_binds(void **state)
{
	(void)state;
	assert_int_equal(mounts_move("/dev", "/sysroot/dev", &e), 0);
	assert_int_equal(find("move - /sysroot/dev"), 0);
	assert_int_equal(mounts_bind("/data/log", "/var/log/hearth", &e), 0);
	assert_int_equal(find("bind - /var/log/hearth"), 1);
	fails = "/x";
	assert_int_equal(mounts_move("/dev", "/x", &e), -1);
	assert_int_equal(mounts_bind("/dev", "/x", &e), -1);
}

static void the_real_kernel_knows_mounts(void **state)
{
	(void)state;
	fake_reset();
	assert_true(mounts_is_mounted("/"));
	assert_true(mounts_is_mounted("/proc"));
	assert_false(mounts_is_mounted("/proc/self"));
	assert_false(mounts_is_mounted("/proc/self/stat")); /* a file */
	assert_false(mounts_is_mounted("/no/such/folder"));
}

static const char info[] = "22 1 253:0 / / ro,relatime - erofs /dev/dm-0 ro\n"
			   "40 22 254:4 / /state rw,noatime shared:5 - ext4 /dev/vda4 rw\n"
			   "nonsense\n"
			   "41 22 0:50 / /a\\040b\\134c\\x rw - tmpfs tmpfs rw\n"
			   "42 22 0:50 /only\n"
			   "43 22 999999999999:0 / /x rw - tmpfs tmpfs rw\n"
			   "44 22 0:51 / /last rw - tmpfs tmpfs rw";

static void mountinfo_line_by_line(void **state)
{
	static const char *const targets[] = {"/", "/state", "", "/a b\\c\\x", "", "", "/last"};
	struct mounts_info m;
	const char *p = info;

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		p = mounts_info_next(p, &m);
		assert_non_null(p);
		assert_string_equal(m.target, targets[i]);
		if (i == 1)
			assert_true(m.dev == makedev(254, 4));
	}
	assert_null(mounts_info_next(p, &m));
}

static void a_target_that_does_not_fit_is_left_out(void **state)
{
	char text[4 * LIMIT_PATH];
	struct mounts_info m;
	size_t n = (size_t)snprintf(text, sizeof(text), "44 22 0:51 / /");

	(void)state;
	memset(text + n, 'x', 2 * LIMIT_PATH - 2);
	memcpy(text + n + 2 * LIMIT_PATH - 2, " rw - t t rw\n", 14);
	assert_non_null(mounts_info_next(text, &m));
	assert_int_equal(strlen(m.target), 2 * LIMIT_PATH - 1);
	memset(text + n, 'x', 2 * LIMIT_PATH - 1);
	memcpy(text + n + 2 * LIMIT_PATH - 1, " rw - t t rw\n", 14);
	assert_non_null(mounts_info_next(text, &m));
	assert_string_equal(m.target, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(everything_in_order, setup),
		cmocka_unit_test_setup(every_row_is_sound, setup),
		cmocka_unit_test_setup(what_stage_1_moved_stays, setup),
		cmocka_unit_test_setup(a_busy_target_is_mounted, setup),
		cmocka_unit_test_setup(a_needed_one_that_fails, setup),
		cmocka_unit_test_setup(others_are_only_told, setup),
		cmocka_unit_test_setup(any_call_may_fail, setup),
		cmocka_unit_test_setup(moves_and_binds, setup),
		cmocka_unit_test_setup(the_real_kernel_knows_mounts, setup),
		cmocka_unit_test(mountinfo_line_by_line),
		cmocka_unit_test(a_target_that_does_not_fit_is_left_out),
	};

	return cmocka_run_group_tests_name("mounts", tests, NULL, NULL);
}
