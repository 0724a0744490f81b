/* init/host/sticks.c: which devices are sticks, from a faked sysfs. */
#include "host/sticks.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "fake/sys.h"

#define PCI "../../devices/pci0000:00/0000:00:04.0/"
#define USB PCI "usb2/2-1/2-1:1.0/host6/target6:0:0/6:0:0:0/block/"

static struct err e;
static struct sticks s;
static const char *partitions;

static const struct {
	const char *link, *target;
} links[] = {
	{"/sys/dev/block/8:0", PCI "ata1/host0/target0:0:0/0:0:0:0/block/sda"},
	{"/sys/dev/block/8:1", PCI "ata1/host0/target0:0:0/0:0:0:0/block/sda/sda1"},
	{"/sys/dev/block/8:16", USB "sdb"},
	{"/sys/dev/block/8:17", USB "sdb/sdb1"},
	{"/sys/dev/block/8:18", USB "sdb/sdb2"},
	{"/sys/dev/block/8:32", USB "sdc"},
	{"/sys/dev/block/179:0", PCI "mmc_host/mmc0/mmc0:4567/block/mmcblk0"},
	{"/sys/dev/block/179:1", PCI "mmc_host/mmc0/mmc0:4567/block/mmcblk0/mmcblk0p1"},
	{"/sys/dev/block/99:0", "../../devices/nonsense"},
};

static ssize_t on_readlink(const char *path, char *dst, size_t n)
{
	for (size_t i = 0; i < COUNT_OF(links); i++) {
		if (!str_eq(path, links[i].link))
			continue;
		size_t len = strlen(links[i].target);
		memcpy(dst, links[i].target, len < n ? len : n);
		return (ssize_t)(len < n ? len : n);
	}
	errno = ENOENT;
	return -1;
}

static int on_open(const char *path, int flags, mode_t mode)
{
	char file[] = "/tmp/hearth-test-sticks-XXXXXX";
	const char *text = str_eq(path, "/proc/partitions")               ? partitions
	                   : str_eq(path, "/sys/block/mmcblk0/removable") ? "1\n"
	                   : str_ends(path, "/removable")                 ? "0\n"
	                                                                  : NULL;

	(void)mode;
	if (!text) {
		errno = ENOENT;
		return -1;
	}
	int fd = mkostemp(file, flags & O_CLOEXEC);
	unlink(file);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fake_readlink = on_readlink;
	fake_open = on_open;
	return 0;
}

static void expect(const char *text, const char *own, const char *names)
{
	char got[256] = "";

	partitions = text;
	assert_int_equal(sticks_find(&s, own, &e), 0);
	for (unsigned i = 0; i < s.count; i++) {
		strcat(got, s.dev[i].name);
		strcat(got, " ");
	}
	assert_string_equal(got, names);
}

static void partitions_of_sticks_are_found(void **state)
{
	(void)state;
	expect(" 8 0 100 sda\n 8 1 100 sda1\n 8 16 100 sdb\n 8 17 50 sdb1\n 8 18 50 sdb2\n", "sda", "sdb1 sdb2 ");
	/* Without a partition table the disk itself is what may be mounted. */
	expect(" 8 0 100 sda\n 8 32 100 sdc\n", "sda", "sdc ");
	/* A card reader is not on USB, but says so. */
	expect(" 179 0 100 mmcblk0\n 179 1 100 mmcblk0p1\n", "sda", "mmcblk0p1 ");
}

static void the_own_disk_is_never_one(void **state)
{
	(void)state;
	expect(" 8 16 100 sdb\n 8 17 50 sdb1\n 8 18 50 sdb2\n", "sdb", "");
	expect(" 8 16 100 sdb\n 8 17 50 sdb1\n 8 32 100 sdc\n", "sdb", "sdc ");
	expect(" 8 32 100 sdc\n", "sdc", "");
}

static void what_nobody_knows_is_left_out(void **state)
{
	(void)state;
	expect(" 99 0 100 odd\n 8 99 100 gone\n 8 0 100 sda\n", "", "");
	expect("", "", "");
	partitions = NULL;
	assert_int_equal(sticks_find(&s, "", &e), -1);
	assert_int_equal(s.count, 0);
}

static void too_many_are_cut(void **state)
{
	static char text[2048];
	size_t n = 0;

	(void)state;
	for (int i = 0; i < STICKS + 4; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " 8 17 100 x%d\n", i);
	partitions = text;
	assert_int_equal(sticks_find(&s, "", &e), 0);
	assert_int_equal(s.count, STICKS);
}

static void addresses(void **state)
{
	char disk[DISK_NAME];
	bool usb = false;

	(void)state;
	assert_int_equal(sticks_address("../../devices/a/usb1/1-2/block/sdb/sdb1", disk, &usb), 0);
	assert_string_equal(disk, "sdb");
	assert_true(usb);
	assert_int_equal(sticks_address("../../devices/usbfake/block/sdb", disk, &usb), 0);
	assert_false(usb);
	assert_int_equal(sticks_address("../../devices/a/sdb", disk, &usb), -1);
	assert_int_equal(sticks_address("../../devices/block/", disk, &usb), -1);
	assert_int_equal(sticks_address("../block/a-name-of-more-than-thirty-one-bytes/x", disk, &usb), -1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(partitions_of_sticks_are_found),
		T(the_own_disk_is_never_one),
		T(what_nobody_knows_is_left_out),
		T(too_many_are_cut),
		T(addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
