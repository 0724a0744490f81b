/* init/update/usb.c: which file on which stick, with a faked sysfs, and folders in the place of mounts. */
#include "update/usb.h"

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
#include <unistd.h>

#include <cmocka.h>

#include "base/paths.h"
#include "base/str.h"
#include "fake/sys.h"

#define STICK PATH_RUN_STICK

static struct err e;
static char found[USB_FOUND];
static char folder[] = "/tmp/hearth-test-usb-XXXXXX";
static const char *partitions, *busy, *type; /* type: of the one file system there is */
static unsigned mounts, detached;
static char options[64];
static unsigned fds;

static int text_file(const char *text)
{
	char file[] = "/tmp/hearth-test-usbt-XXXXXX";
	int fd = mkostemp(file, O_CLOEXEC);

	unlink(file);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static ssize_t on_readlink(const char *path, char *dst, size_t n)
{
	int k = snprintf(dst, n, "../../devices/usb1/1-1/block/sd%c", path[strlen("/sys/dev/block/8:")]);

	return k;
}

static int on_open(const char *path, int flags, mode_t mode)
{
	if (str_eq(path, PATH_PROC_PARTITIONS))
		return text_file(partitions);
	if (str_starts(path, "/dev/sd")) {
		assert_int_equal(flags & O_ACCMODE, O_RDONLY);
		assert_true(flags & O_EXCL);
		if (busy && str_ends(path, busy)) {
			errno = EBUSY;
			return -1;
		}
		return text_file("");
	}
	/* The folder of each stick is that of its device's name. */
	if (str_eq(path, STICK))
		return open(folder, flags, mode);
	errno = ENOENT;
	return -1;
}

static int on_no_links(const char *path, int flags)
{
	char real[256];

	assert_true(str_starts(path, STICK "/"));
	(void)snprintf(real, sizeof(real), "%s%s", folder, path + strlen(STICK));
	return open(real, flags | O_NOFOLLOW);
}

static int on_mount(const char *src, const char *dst, const char *fs, unsigned long flags, const void *data)
{
	assert_true(str_starts(src, "/dev/sd"));
	assert_string_equal(dst, STICK);
	assert_int_equal(flags, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
	if (!str_eq(fs, type)) {
		errno = EINVAL;
		return -1;
	}
	(void)snprintf(options, sizeof(options), "%s", (const char *)data);
	mounts++;
	return 0;
}

static int on_umount(const char *path, int flags)
{
	assert_string_equal(path, STICK);
	assert_int_equal(flags, MNT_DETACH);
	if (detached == mounts) {
		errno = EINVAL;
		return -1;
	}
	detached++;
	return 0;
}

static int on_mkdir(const char *path, mode_t mode)
{
	(void)path;
	(void)mode;
	return 0;
}

static int on_chmod(const char *path, mode_t mode)
{
	(void)path;
	(void)mode;
	return 0;
}

static void put(const char *name)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	int fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, name, strlen(name)), strlen(name));
	close(fd);
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fds = fake_open_fds();
	strcpy(folder, "/tmp/hearth-test-usb-XXXXXX");
	assert_non_null(mkdtemp(folder));
	fake_readlink = on_readlink;
	fake_open = on_open;
	fake_open_no_links = on_no_links;
	fake_mount = on_mount;
	fake_umount2 = on_umount;
	fake_mkdir = on_mkdir;
	fake_chmod = on_chmod;
	partitions = " 8 1 100 sd1\n 8 2 100 sd2\n";
	busy = NULL;
	type = "vfat";
	mounts = detached = 0;
	err_clear(&e);
	return 0;
}

static int teardown(void **state)
{
	char command[64];

	(void)state;
	fake_reset();
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) != 0 || fake_open_fds() != fds ? -1 : 0;
}

/* The file that was opened says its own name. */
static void expect(const char *name, const char *on)
{
	char text[USB_FOUND] = "", want[USB_FOUND];
	int fd = usb_open("sda", found, &e);

	if (fd < 0)
		fail_msg("%s", e.text);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	assert_string_equal(text, name);
	(void)snprintf(want, sizeof(want), "%s on %s", name, on);
	assert_string_equal(found, want);
	assert_int_equal(detached, mounts);
}

static void expect_none(const char *says)
{
	assert_int_equal(usb_open("sda", found, &e), -1);
	assert_int_equal(e.code, ENOMEDIUM);
	if (!strstr(e.text, says))
		fail_msg("%s", e.text);
	assert_string_equal(found, "");
	assert_int_equal(detached, mounts);
}

static void the_newest_of_several(void **state)
{
	(void)state;
	put("hearth-0.2.0.hearth");
	put("hearth-0.10.0.hearth");
	put("hearth-0.9.1.hearth");
	put("hearth-1.0.0.hearth.part");
	put("._hearth-2.0.0.hearth");
	put("notes.txt");
	expect("hearth-0.10.0.hearth", "sd1");
	assert_int_equal(mounts, 1);
}

static void every_kind_of_stick(void **state)
{
	(void)state;
	put("new.HEARTH");
	expect("new.HEARTH", "sd1");
	assert_string_equal(options, "");
	type = "exfat";
	expect("new.HEARTH", "sd1");
	type = "ext4";
	expect("new.HEARTH", "sd1");
	assert_string_equal(options, "noload");
	type = "ntfs";
	expect_none("none of the file systems FAT, exFAT and ext4");
}

static void what_is_mounted_is_left_alone(void **state)
{
	(void)state;
	put("a.hearth");
	busy = "sd1";
	expect("a.hearth", "sd2");
	partitions = " 8 1 100 sd1\n";
	mounts = detached = 0;
	expect_none("sd1: Device or resource busy");
	assert_int_equal(mounts, 0);
}

static void without_a_stick(void **state)
{
	(void)state;
	expect_none("no stick with an update is there: put a file NAME.hearth into the root folder");
	assert_int_equal(mounts, 2);
	partitions = "";
	expect_none("no stick with an update is there");
}

static void only_plain_files(void **state)
{
	char path[256];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/x.hearth", folder);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	expect_none("x.hearth");
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	expect_none("x.hearth is no plain file");
}

static void names(void **state)
{
	char name[USB_NAME + 16];

	(void)state;
	assert_true(usb_better("a.hearth", ""));
	assert_true(usb_better("x-0.1.hearth", "b.hearth"));
	assert_false(usb_better("b.hearth", "a.hearth"));
	assert_true(usb_better("a.hearth", "b.hearth"));
	assert_true(usb_better("x-0.2.hearth", "y-0.1.9.hearth"));
	assert_false(usb_better("x-9999999999999999999999.hearth", "y-0.1.hearth"));
	assert_false(usb_better(".hearth", ""));
	assert_false(usb_better("..hearth", ""));
	assert_false(usb_better("a\nb.hearth", ""));
	assert_false(usb_better("\xc3\xa4.hearth", ""));
	assert_false(usb_better("a.hearth ", ""));
	memset(name, 'x', sizeof(name));
	strcpy(name + USB_NAME - 1 - strlen(".hearth"), ".hearth");
	assert_true(usb_better(name, ""));
	strcpy(name + USB_NAME - strlen(".hearth"), ".hearth");
	name[USB_NAME - 1 - strlen(".hearth")] = 'x';
	assert_false(usb_better(name, ""));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_newest_of_several), T(every_kind_of_stick), T(what_is_mounted_is_left_alone),
		T(without_a_stick),       T(only_plain_files),    T(names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
