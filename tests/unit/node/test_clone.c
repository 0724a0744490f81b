/* Copies of folders: real files, and a reflink that copies. tests/scenario/cases/volumes.py has a real XFS. */
#include "node/clone.h"

#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include "base/str.h"
#include "box.h"
#include "node/tree.h"

static bool knows_reflinks;
static uint64_t blocks_free; /* of 1 MiB */
static ino_t elsewhere;      /* an inode of another file system */

static int on_ioctl(int fd, unsigned long request, void *arg)
{
	static char text[4096];
	int from = (int)(intptr_t)arg;

	assert_int_equal(request, FICLONE);
	errno = EOPNOTSUPP;
	if (!knows_reflinks)
		return -1;
	ssize_t n = pread(from, text, sizeof(text), 0);
	return n >= 0 && pwrite(fd, text, (size_t)n, 0) == n ? 0 : -1;
}

static int on_statvfs(const char *path, struct statvfs *v)
{
	(void)path;
	*v = (struct statvfs){.f_frsize = 1 << 20, .f_bavail = blocks_free, .f_files = 5000, .f_ffree = 904};
	return 0;
}

static int on_fstatat(int dir, const char *path, struct stat *st, int flags)
{
	int rc = fstatat(dir, path, st, flags);
	if (rc == 0 && st->st_ino == elsewhere)
		st->st_dev ^= 0x100;
	return rc;
}

/* A pod may put a link in the place of what was a file a moment ago. */
static int on_openat(int fd, const char *path, int flags, mode_t mode)
{
	assert_true(flags & O_NOFOLLOW);
	assert_null(strchr(path, '/'));
	return openat(fd, path, flags, mode);
}

static int on_rmdir(const char *path)
{
	return rmdir(box_path(path));
}

static int up(void **state)
{
	if (box_up(state) < 0)
		return -1;
	knows_reflinks = true;
	blocks_free = 1000;
	elsewhere = 0;
	fake_ioctl = on_ioctl;
	fake_statvfs = on_statvfs;
	fake_fstatat = on_fstatat;
	fake_openat = on_openat;
	fake_rmdir = on_rmdir;
	return mkdir(box_path("/data/from"), 0750);
}

static struct stat look(const char *path)
{
	struct stat st;
	if (lstat(box_path(path), &st) < 0)
		fail_msg("%s: %s", path, strerror(errno));
	return st;
}

static uint64_t copy(void)
{
	struct err e = {0};
	uint64_t bytes;
	unsigned open_before = fake_open_fds();
	if (clone_folder("/data/from", "/data/to", &bytes, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(fake_open_fds(), open_before);
	assert_false(box_exists("/data/to.links"));
	return bytes;
}

static void refused(const char *why)
{
	struct err e = {0};
	uint64_t bytes;
	unsigned open_before = fake_open_fds();
	assert_int_equal(clone_folder("/data/from", "/data/to", &bytes, &e), -1);
	if (!strstr(e.text, why))
		fail_msg("'%s' has no '%s'", e.text, why);
	assert_int_equal(fake_open_fds(), open_before);
}

static void all_that_a_file_is_is_copied(void **state)
{
	const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 2000, .tv_nsec = 3}};
	char value[16];

	(void)state;
	assert_int_equal(mkdir(box_path("/data/from/d"), 0700), 0);
	box_write("/data/from/d/f", "some text");
	box_write("/data/from/empty", "");
	assert_int_equal(chmod(box_path("/data/from/d/f"), 0640), 0);
	assert_int_equal(setxattr(box_path("/data/from/d/f"), "user.note", "kept", 4, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, box_path("/data/from/d/f"), times, 0), 0);
	assert_int_equal(chmod(box_path("/data/from/d"), 0500), 0);
	assert_int_equal(utimensat(AT_FDCWD, box_path("/data/from/d"), times, 0), 0);
	assert_true(copy() >= 512);
	assert_string_equal(box_read("/data/to/d/f"), "some text");
	assert_int_equal(look("/data/to").st_mode & 07777, 0750);
	assert_int_equal(look("/data/to/d").st_mode & 07777, 0500);
	assert_int_equal(look("/data/to/d/f").st_mode & 07777, 0640);
	assert_int_equal(look("/data/to/empty").st_size, 0);
	assert_int_equal(look("/data/to/d/f").st_mtim.tv_nsec, 3);
	assert_int_equal(look("/data/to/d").st_mtim.tv_sec, 2000);
	assert_int_equal(getxattr(box_path("/data/to/d/f"), "user.note", value, sizeof(value)), 4);
	assert_memory_equal(value, "kept", 4);
}

static void names_of_one_file_stay_together(void **state)
{
	(void)state;
	assert_int_equal(mkdir(box_path("/data/from/d"), 0700), 0);
	box_write("/data/from/one", "x");
	assert_int_equal(link(box_path("/data/from/one"), box_path("/data/from/d/two")), 0);
	assert_int_equal(link(box_path("/data/from/one"), box_path("/data/from/three")), 0);
	uint64_t bytes = copy();
	struct stat st = look("/data/to/one");
	assert_int_equal(st.st_nlink, 3);
	assert_int_equal(look("/data/to/d/two").st_ino, st.st_ino);
	assert_int_equal(bytes, (uint64_t)look("/data/from/one").st_blocks * 512);
}

static void links_are_copied_and_not_followed(void **state)
{
	char target[64] = "";

	(void)state;
	box_write("/state/secret", "x");
	assert_int_equal(symlink("/state/secret", box_path("/data/from/link")), 0);
	assert_int_equal(mkfifo(box_path("/data/from/pipe"), 0600), 0);
	assert_int_equal(mkdir(box_path("/data/from/mounted"), 0700), 0);
	elsewhere = look("/data/from/mounted").st_ino;
	(void)copy();
	assert_true(S_ISLNK(look("/data/to/link").st_mode));
	assert_int_equal(readlink(box_path("/data/to/link"), target, sizeof(target) - 1), strlen("/state/secret"));
	assert_string_equal(target, "/state/secret");
	assert_false(box_exists("/data/to/pipe"));
	assert_false(box_exists("/data/to/mounted"));
}

static void what_is_in_the_way_is_said(void **state)
{
	char path[300] = "/data/from";

	(void)state;
	box_write("/data/from/f", "x");
	knows_reflinks = false;
	refused("/data/from: f: its file system knows no reflinks");
	refused("make /data/to: File exists");
	assert_int_equal(unlink(box_path("/data/to/f")), 0);
	assert_int_equal(rmdir(box_path("/data/to")), 0);
	blocks_free = 67; /* 64, and 4096 inodes of 1 KiB */
	refused("no room for a copy: 67 MiB are free there, 69 must be");
	assert_int_equal(rmdir(box_path("/data/to")), 0);
	blocks_free = 68;
	knows_reflinks = true;
	assert_int_equal(unlink(box_path("/data/from/f")), 0);
	for (unsigned i = 0; i < TREE_DEPTH; i++) {
		strcat(path, "/d");
		assert_int_equal(mkdir(box_path(path), 0755), 0);
	}
	refused("/data/from: more than 128 folders deep");
}

/* Whichever call fails: no descriptor is lost, and it is not taken for a copy. */
static void any_call_may_fail(void **state)
{
	struct err e;
	uint64_t bytes;
	int rc = -1;
	unsigned n, open_before = fake_open_fds();

	(void)state;
	assert_int_equal(mkdir(box_path("/data/from/d"), 0700), 0);
	box_write("/data/from/d/f", "x");
	assert_int_equal(link(box_path("/data/from/d/f"), box_path("/data/from/g")), 0);
	assert_int_equal(symlink("g", box_path("/data/from/s")), 0);
	assert_int_equal(setxattr(box_path("/data/from/d/f"), "user.note", "kept", 4, 0), 0);
	for (n = 1; rc < 0 && n < 200; n++) {
		char to[32];
		(void)snprintf(to, sizeof(to), "/data/to-%u", n);
		e.text[0] = '\0';
		fake_fail_at(n, EIO);
		rc = clone_folder("/data/from", to, &bytes, &e);
		bool failed = fake_fired();
		fake_fail_at(0, 0);
		assert_int_equal(fake_open_fds(), open_before);
		assert_true(rc == 0 || (failed && e.text[0]));
	}
	assert_int_equal(rc, 0);
	assert_true(n > 30);
}

static int ask(char *from, char *to)
{
	char *argv[] = {(char[]){"clone"}, from, to, NULL};
	return clone_main(!from ? 1 : !to ? 2 : 3, argv);
}

static void words_are_checked(void **state)
{
	(void)state;
	assert_int_equal(ask(NULL, NULL), 2);
	assert_int_equal(ask((char[]){"/data/from"}, NULL), 2);
	assert_int_equal(ask((char[]){"/data/not-there"}, (char[]){"/data/to"}), 1);
	assert_int_equal(symlink("from", box_path("/data/link")), 0);
	assert_int_equal(ask((char[]){"/data/link"}, (char[]){"/data/to"}), 1);
	assert_int_equal(ask((char[]){"/data/from"}, (char[]){"/data/to"}), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, up, box_down)
	const struct CMUnitTest tests[] = {
		TEST(all_that_a_file_is_is_copied),
		TEST(names_of_one_file_stay_together),
		TEST(links_are_copied_and_not_followed),
		TEST(what_is_in_the_way_is_said),
		TEST(any_call_may_fail),
		TEST(words_are_checked),
	};
	return cmocka_run_group_tests_name("clone", tests, NULL, NULL);
}
