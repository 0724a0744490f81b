/* File systems: how each is made, checked, mounted and grown, as command lines and mount options. */
#include "node/fs.h"

#include "disk.h"
#include "host/mounts.h"

static struct err e;
static bool fixed;

static void an_xfs_says_its_size(void **state)
{
	uint8_t sector[512] = {'X', 'F', 'S', 'B', 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 4, 0xFE, 0};

	(void)state;
	assert_int_equal(fs_xfs_bytes(sector), UINT64_C(0x4FE00) * 4096);
	sector[5] = 0x10; /* blocks of a MiB */
	assert_int_equal(fs_xfs_bytes(sector), 0);
	sector[5] = 0;
	sector[8] = 0xFF; /* more than there can be */
	assert_int_equal(fs_xfs_bytes(sector), 0);
	sector[0] = 'x';
	assert_int_equal(fs_xfs_bytes(sector), 0);
}

static void made_by_their_programs(void **state)
{
	(void)state;
	assert_int_equal(fs_make(FS_STATE, "/dev/vda4", &e), 0);
	assert_int_equal(fs_make(FS_DATA, "/dev/vda5", &e), 0);
	assert_int_equal(fs_make(FS_ESP, "/dev/vda1", &e), 0);
	assert_string_equal(disk_log, "mke2fs /dev/vda4\nmkfs.xfs /dev/vda5\nmkfs.fat /dev/vda1\n");
	helper_fails = "mke2fs";
	assert_int_equal(fs_make(FS_STATE, "/dev/vda4", &e), -1);
	assert_non_null(strstr(e.text, "status 1"));
}

static void checked_where_it_makes_sense(void **state)
{
	static const struct {
		int status, rc;
	} ends[] = {{0, 0}, {1, 0}, {2, 0}, {4, -1}, {8, -1}, {16, -1}};

	(void)state;
	assert_int_equal(fs_check(FS_DATA, "/dev/vda5", &fixed, &e), 0);
	assert_string_equal(disk_log, "");
	helper_fails = "e2fsck";
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		helper_status = ends[i].status;
		assert_int_equal(fs_check(FS_STATE, "/dev/vda4", &fixed, &e), ends[i].rc);
		assert_int_equal(fixed, ends[i].status == 1 || ends[i].status == 2);
	}
	assert_int_equal(e.code, EUCLEAN);
}

static void a_torn_superblock_has_a_backup(void **state)
{
	(void)state;
	helper_fails = "e2fsck";
	helper_status = 4;
	assert_int_equal(fs_check(FS_STATE, "/dev/vda4", &fixed, &e), -1);
	assert_string_equal(disk_log, "e2fsck /dev/vda4\n");
	helper_status = 8; /* and so does the second one here */
	assert_int_equal(fs_check(FS_STATE, "/dev/vda4", &fixed, &e), -1);
	assert_string_equal(disk_log, "e2fsck /dev/vda4\ne2fsck /dev/vda4\ne2fsck /dev/vda4\n");
}

static int no_execve(const char *path, char *const argv[], char *const envp[])
{
	(void)path;
	(void)argv;
	(void)envp;
	errno = ENOENT;
	return -1;
}

static void without_its_checker_it_is_mounted_all_the_same(void **state)
{
	(void)state;
	fake_execve = no_execve;
	assert_int_equal(fs_check(FS_STATE, "/dev/vda4", &fixed, &e), 0);
	assert_int_equal(fs_make(FS_STATE, "/dev/vda4", &e), -1);
}

static unsigned long flags_of[3];
static const char *options_of[3];
static unsigned mounts;

static int note_mount(const char *src, const char *dst, const char *fs, unsigned long flags, const void *data)
{
	(void)src;
	(void)dst;
	(void)fs;
	flags_of[mounts] = flags;
	options_of[mounts++] = data;
	return 0;
}

static void mounted_with_their_options(void **state)
{
	(void)state;
	fake_mount = note_mount;
	assert_int_equal(fs_mount(FS_ESP, "/dev/vda1", &e), 0);
	assert_int_equal(fs_mount(FS_STATE, "/dev/vda4", &e), 0);
	assert_int_equal(fs_mount(FS_DATA, "/dev/vda5", &e), 0);
	assert_int_equal(mounts, 3);
	assert_true((flags_of[0] & MS_RDONLY) && (flags_of[0] & MS_DIRSYNC));
	assert_true((flags_of[1] & MS_NOEXEC) && (flags_of[1] & MS_NOATIME) && !(flags_of[1] & MS_RDONLY));
	assert_int_equal(flags_of[2], MS_NOATIME);
	assert_string_equal(options_of[2], "prjquota");
	box_mounted("/data");
	assert_int_equal(fs_mount(FS_DATA, "/dev/vda5", &e), 0);
	assert_int_equal(mounts, 3);
	assert_string_equal(fs_target(FS_DATA), "/data");
}

static void grown_only_when_there_is_room(void **state)
{
	bool grew;

	(void)state;
	kernel_part[5].length = (long long)8192 << 20;
	assert_int_equal(fs_grow_data("/dev/vda5", &grew, &e), 0); /* no XFS to see */
	assert_false(grew);
	memcpy(xfs_sector, "XFSB\0\0\x10\0\0\0\0\0\0\x1F\xF0\0", 16); /* 8176 MiB */
	kernel_part[5].length--;
	assert_int_equal(fs_grow_data("/dev/vda5", &grew, &e), 0);
	assert_false(grew);
	kernel_part[5].length = (long long)8192 << 20;
	assert_int_equal(fs_grow_data("/dev/vda5", &grew, &e), 0);
	assert_true(grew);
	assert_string_equal(disk_log, "xfs_growfs /data\n");
	helper_fails = "xfs_growfs";
	assert_int_equal(fs_grow_data("/dev/vda5", &grew, &e), -1);
	assert_int_equal(fs_grow_data("/dev/vda6", &grew, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_xfs_says_its_size),
		cmocka_unit_test_setup_teardown(made_by_their_programs, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(a_torn_superblock_has_a_backup, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(checked_where_it_makes_sense, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(without_its_checker_it_is_mounted_all_the_same, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(mounted_with_their_options, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(grown_only_when_there_is_room, disk_up, disk_down),
	};

	return cmocka_run_group_tests_name("fs", tests, NULL, NULL);
}
