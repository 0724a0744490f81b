/* The way out of a slot whose root is not there: which boot partition, which entry, and when nothing is touched. */
#include "boot/fallback.h"

#include <sys/mount.h>

#include "../node/box.h"
#include "base/str.h"
#include "host/gpt.h"

static struct err e;
static char trace[256];
static const char *label[2][4]; /* of the partitions of vda and vdb */
static bool mount_fails;
static struct disk_list disks;

static int sys_file(const char *path)
{
	unsigned number = 0;
	char what[16] = "", text[64], file[] = "/tmp/hearth-test-fallback-XXXXXX";
	assert_int_equal(sscanf(path, "/sys/dev/block/254:%u/%15s", &number, what), 2);
	const char *name = label[number / 16][number % 16];
	if (strcmp(what, "partition") == 0)
		(void)snprintf(text, sizeof(text), "%u\n", number % 16);
	else
		(void)snprintf(text, sizeof(text), "DEVTYPE=partition\n%s%s\n", name ? "PARTNAME=" : "",
		               name ? name : "");
	int fd = mkostemp(file, O_CLOEXEC);
	unlink(file);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int any_open(const char *path, int flags, mode_t mode)
{
	return strncmp(path, "/sys/", 5) == 0 ? sys_file(path) : box_open(path, flags, mode);
}

static ssize_t any_readlink(const char *path, char *dst, size_t n)
{
	unsigned number = 0;
	assert_int_equal(sscanf(path, "/sys/dev/block/254:%u", &number), 1);
	const char *disk = number < 16 ? "vda" : "vdb";
	return snprintf(dst, n, "../../devices/virtio/block/%s/%s%u", disk, disk, number % 16);
}

static int any_mount(const char *src, const char *dst, const char *fs, unsigned long flags, const void *data)
{
	(void)data;
	assert_string_equal(dst, "/boot");
	if (!(flags & MS_REMOUNT)) {
		assert_string_equal(fs, "vfat");
		assert_true(flags & MS_DIRSYNC && flags & MS_RDONLY);
		strcat(trace, src);
		box_mounted("/boot");
	} else {
		strcat(trace, flags & MS_RDONLY ? " ro" : " rw");
	}
	errno = EINVAL;
	return mount_fails ? -1 : 0;
}

static int any_umount(const char *path, int flags)
{
	(void)flags;
	assert_string_equal(path, "/boot");
	strcat(trace, " off");
	return 0;
}

static int setup(void **state)
{
	box_up(state);
	assert_int_equal(mkdir(box_path("/boot/EFI"), 0755), 0);
	assert_int_equal(mkdir(box_path("/boot/EFI/Linux"), 0755), 0);
	fake_open = any_open;
	fake_readlink = any_readlink;
	fake_mount = any_mount;
	fake_umount2 = any_umount;
	memset(label, 0, sizeof(label));
	label[0][1] = "esp";
	label[0][2] = "system-a";
	disk_list_parse(&disks, " 254 0 9 vda\n 254 1 9 vda1\n 254 2 9 vda2\n 254 17 9 vdb1\n");
	mount_fails = false;
	trace[0] = '\0';
	return 0;
}

static void put(const char *name)
{
	char path[200];
	(void)snprintf(path, sizeof(path), "/boot/EFI/Linux/%s", name);
	box_write(path, name);
}

static bool there(const char *name)
{
	char path[200];
	(void)snprintf(path, sizeof(path), "/boot/EFI/Linux/%s", name);
	return box_exists(path);
}

static int mark(const char *disk)
{
	struct bootenv_entry started;
	assert_int_equal(bootenv_parse(&started, "hearth-0003-b.efi"), 0); /* the loader leaves the counter out */
	return fallback_mark(&started, disk, &disks, &e);
}

static void the_entry_is_marked_bad(void **state)
{
	(void)state;
	put("hearth-0002-a.efi");
	put("hearth-0003-b+2-1.efi");
	assert_int_equal(mark("vda"), 0);
	assert_string_equal(trace, "/dev/vda1 rw ro off");
	assert_true(there("hearth-0003-b+0-1.efi") && there("hearth-0002-a.efi"));
	assert_false(there("hearth-0003-b+2-1.efi"));
}

static void without_a_disk_the_only_boot_partition_is_meant(void **state)
{
	(void)state;
	put("hearth-0002-a+3.efi");
	put("hearth-0003-b.efi");
	label[1][1] = "esp";
	assert_int_equal(mark(""), -1);
	assert_int_equal(e.code, ENOTUNIQ);
	assert_string_equal(trace, "");
	label[1][1] = "EFI system partition";
	assert_int_equal(mark(""), 0);
	assert_true(there("hearth-0003-b+0.efi"));
}

static void refused(const char *disk, int code, const char *why)
{
	assert_int_equal(mark(disk), -1);
	assert_int_equal(e.code, code);
	if (!strstr(e.text, why))
		fail_msg("%s", e.text);
	assert_null(strstr(trace, "rw"));
}

static void nothing_is_touched_without_a_way(void **state)
{
	(void)state;
	refused("vdb", ENOENT, "no boot partition");
	put("hearth-0003-b+2-1.efi");
	refused("vda", ENOENT, "slot a holds no system");
	assert_non_null(strstr(trace, "off"));
}

static void one_that_was_given_up_is_better_than_none(void **state)
{
	(void)state;
	put("hearth-0002-a+0-3.efi");
	put("hearth-0001-a.efi"); /* an older entry of it does not count */
	put("hearth-0003-b+2-1.efi");
	assert_int_equal(mark("vda"), 0);
	assert_string_equal(trace, "/dev/vda1 rw ro off");
	assert_true(there("hearth-0004-a+0-3.efi") && there("hearth-0003-b+0-1.efi"));
	assert_false(there("hearth-0002-a+0-3.efi"));
}

static void one_that_comes_first_anyway_keeps_its_name(void **state)
{
	(void)state;
	put("hearth-0005-a+0-3.efi");
	put("hearth-0003-b.efi");
	assert_int_equal(mark("vda"), 0);
	assert_true(there("hearth-0005-a+0-3.efi") && there("hearth-0003-b+0.efi"));
}

static void another_entry_than_was_started(void **state)
{
	(void)state;
	put("hearth-0002-a.efi");
	refused("vda", ENOENT, "the boot entry of slot b is not there");
	put("hearth-0004-b.efi");
	refused("vda", ENOENT, "the boot entry of slot b is not there");
}

static void one_that_is_bad_already(void **state)
{
	(void)state;
	put("hearth-0002-a.efi");
	put("hearth-0003-b+0-3.efi");
	refused("vda", EALREADY, "slot b is marked bad already");
}

static void a_boot_partition_that_does_not_mount(void **state)
{
	(void)state;
	mount_fails = true;
	assert_int_equal(mark("vda"), -1);
	assert_string_equal(trace, "/dev/vda1");
}

static void fail_each_call(const char *other)
{
	for (unsigned n = 1; n < 100; n++) {
		box_down(NULL);
		setup(NULL);
		put(other);
		put("hearth-0003-b+2-1.efi");
		fake_fail_at(n, EIO);
		int rc = mark("vda");
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		assert_true(there("hearth-0003-b+2-1.efi") || there("hearth-0003-b+0-1.efi"));
		assert_true(rc < 0 || there("hearth-0003-b+0-1.efi"));
		/* Never the one that is bad at last without the other one in front of it. */
		assert_true(there(other) || there("hearth-0004-a+0-3.efi"));
		if (!fired)
			return;
	}
	fail();
}

static void any_call_may_fail(void **state)
{
	(void)state;
	fail_each_call("hearth-0002-a.efi");
	fail_each_call("hearth-0002-a+0-3.efi");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, box_down)
	const struct CMUnitTest tests[] = {
		TEST(the_entry_is_marked_bad),
		TEST(without_a_disk_the_only_boot_partition_is_meant),
		TEST(nothing_is_touched_without_a_way),
		TEST(one_that_was_given_up_is_better_than_none),
		TEST(one_that_comes_first_anyway_keeps_its_name),
		TEST(another_entry_than_was_started),
		TEST(one_that_is_bad_already),
		TEST(a_boot_partition_that_does_not_mount),
		TEST(any_call_may_fail),
	};
	return cmocka_run_group_tests_name("fallback", tests, NULL, NULL);
}
