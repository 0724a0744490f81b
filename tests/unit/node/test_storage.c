/* The storage role from end to end on a disk in a file: first boot, later boots, small, damaged and failing disks. */
#include "node/storage.h"

#include "disk.h"

#define BINDS                                                                                                          \
	"bind /data/log /var/log/hearth\n"                                                                             \
	"bind /data/pod-logs /var/log/pods\n"                                                                          \
	"bind /data/containerd /var/lib/containerd\n"                                                                  \
	"bind /data/k3s /var/lib/rancher/k3s\n"                                                                        \
	"bind /data/k3s-etc /etc/rancher\n"                                                                            \
	"bind /data/kubelet /var/lib/kubelet\n"                                                                        \
	"bind /data/cni /var/lib/cni\n"

static int run(void)
{
	char name[] = "storage";

	pid1_heard[0] = '\0';
	return storage_main(1, (char *[]){name, NULL});
}

static bool heard(const char *what)
{
	return strstr(pid1_heard, what) != NULL;
}

static bool logged(const char *what)
{
	return strstr(disk_log, what) != NULL;
}

static void assert_both_on(void)
{
	if (!heard("fact state-mounted on ") || !heard("fact data-mounted on "))
		fail_msg("heard: %s\nlog: %s", pid1_heard, disk_log);
}

static void the_first_boot(void **state)
{
	unsigned before = fake_open_fds();

	(void)state;
	disk_flash(8192);
	assert_int_equal(run(), 0);
	assert_string_equal(disk_log, "fsck.fat /dev/vda1\n"
	                              "vfat /dev/vda1 /boot\n"
	                              "mke2fs /dev/vda4\n"
	                              "e2fsck /dev/vda4\n"
	                              "ext4 /dev/vda4 /state\n"
	                              "mkfs.xfs /dev/vda5\n"
	                              "xfs /dev/vda5 /data\n" BINDS);
	assert_both_on();
	assert_true(heard("fact state-mounted on /state on vda, start 1 of this box\n"));
	assert_true(heard("fact data-mounted on /data on vda"));
	const char *id = box_read("/run/hearth/identity");
	assert_non_null(strstr(id, "\nboots=1\n"));
	assert_non_null(strstr(id, "\nhostname=hearth-"));
	assert_int_equal(strlen(box_read("/run/machine-id")), 33);
	assert_int_equal(kernel_part[5].length, (long long)(8191 - 2817) << 20);
	assert_int_equal(fake_open_fds(), before);
}

static void a_second_run_in_the_same_boot(void **state)
{
	(void)state;
	disk_flash(8192);
	assert_int_equal(run(), 0);
	disk_log[0] = '\0';
	assert_int_equal(run(), 0);
	assert_string_equal(disk_log, "");
	assert_true(heard("start 1 of this box"));
	assert_both_on();
}

static void the_second_boot(void **state)
{
	(void)state;
	disk_flash(8192);
	assert_int_equal(run(), 0);
	disk_power_cycle();
	assert_int_equal(run(), 0);
	assert_string_equal(disk_log, "fsck.fat /dev/vda1\n"
	                              "vfat /dev/vda1 /boot\n"
	                              "e2fsck /dev/vda4\n"
	                              "ext4 /dev/vda4 /state\n"
	                              "xfs /dev/vda5 /data\n" BINDS);
	assert_true(heard("start 2 of this box"));
	assert_non_null(strstr(box_read("/run/hearth/identity"), "last-shutdown=power loss or crash\n"));
	assert_non_null(strstr(box_read("/run/hearth/ends"), " ill power loss or crash\n"));
}

static void a_crash_is_explained(void **state)
{
	(void)state;
	disk_flash(8192);
	assert_int_equal(run(), 0);
	disk_power_cycle();
	box_write("/sys/fs/pstore/dmesg-efi_pstore-1", "Panic#1 Part1\nKernel panic - not syncing: no reason\n");
	assert_int_equal(run(), 0);
	assert_non_null(strstr(box_read("/run/hearth/identity"), "last-shutdown=kernel panic: no reason\n"));
	assert_true(box_exists("/state/crash/1.txt"));
	assert_false(box_exists("/sys/fs/pstore/dmesg-efi_pstore-1"));
	assert_int_equal(strncmp(box_read("/run/hearth/ends"), "panic ", 6), 0);
	/* An error of the kernel that the run survived explains nothing about its end. */
	disk_power_cycle();
	box_write("/state/last-shutdown", "reboot asked for by ctl\n");
	box_write("/sys/fs/pstore/dmesg-efi_pstore-1", "Oops#1 Part1\nBUG: survived\n");
	assert_int_equal(run(), 0);
	assert_non_null(strstr(box_read("/run/hearth/identity"), "last-shutdown=reboot asked for by ctl\n"));
	assert_true(box_exists("/state/crash/2.txt"));
}

static void the_watchdog_explains_what_nobody_else_does(void **state)
{
	(void)state;
	disk_flash(8192);
	assert_int_equal(run(), 0);
	disk_power_cycle();
	box_write("/run/hearth/watchdog-reset", "");
	assert_int_equal(run(), 0);
	assert_int_equal(strncmp(box_read("/run/hearth/ends"), "watchdog ", 9), 0);
	/* After an end in order it has nothing to say. */
	disk_power_cycle();
	box_write("/run/hearth/watchdog-reset", "");
	box_write("/state/last-shutdown", "asked 1764000000 60 a 0.1.0 well reboot\n");
	assert_int_equal(run(), 0);
	assert_non_null(strstr(box_read("/run/hearth/ends"), "\nasked 1764000000 60 a 0.1.0 well reboot\n"));
}

/* Of the slot that the restart was for: not of the run that ended in order before it. */
static void a_start_that_left_no_record(void **state)
{
	(void)state;
	disk_flash(8192);
	assert_int_equal(mkdir(box_path("/boot/EFI"), 0755), 0);
	assert_int_equal(mkdir(box_path("/boot/EFI/Linux"), 0755), 0);
	box_write("/run/hearth/slot", "a\n");
	box_write("/boot/EFI/Linux/hearth-0001-a.efi", "x");
	assert_int_equal(run(), 0);
	disk_power_cycle();
	box_write("/run/hearth/slot", "a\n");
	box_write("/boot/EFI/Linux/hearth-0002-b+0-3.efi", "x");
	box_write("/state/last-shutdown", "update 1764000000 60 a 0.1.0 well the update to 0.2.0\n");
	box_write("/sys/fs/pstore/dmesg-efi_pstore-1", "Panic#1 Part1\nKernel panic - not syncing: no root\n");
	assert_int_equal(run(), 0);
	assert_non_null(
		strstr(box_read("/run/hearth/ends"), "the update to 0.2.0\npanic 0 0 b - ill kernel panic: no root\n"));
	assert_non_null(strstr(box_read("/run/hearth/identity"), "last-shutdown=kernel panic: no root\n"));
	/* Once. */
	disk_power_cycle();
	box_write("/run/hearth/slot", "a\n");
	assert_int_equal(run(), 0);
	assert_null(strstr(strstr(box_read("/run/hearth/ends"), " b - ") + 1, " b - "));
	assert_non_null(strstr(box_read("/run/hearth/identity"), "last-shutdown=power loss or crash\n"));
}

static void apps_before_an_update(void **state)
{
	(void)state;
	disk_flash(8192);
	assert_int_equal(mkdir(box_path("/state/update"), 0755), 0);
	box_write("/state/update/apps-before", "app-coredns\n");
	assert_int_equal(run(), 0);
	assert_string_equal(box_read("/run/hearth/apps-before"), "app-coredns\n");
}

static void settings_and_the_seed(void **state)
{
	(void)state;
	disk_flash(8192);
	box_write("/boot/hearth.yaml", "hostname: kitchen\n");
	assert_int_equal(run(), 0);
	assert_non_null(strstr(box_read("/run/hearth/identity"), "\nhostname=kitchen\n"));
	assert_string_equal(box_read("/run/hearth/settings.yaml"), "hostname: kitchen\n");
}

static void the_boot_entries_are_told(void **state)
{
	(void)state;
	disk_flash(8192);
	assert_int_equal(mkdir(box_path("/boot/EFI"), 0755), 0);
	assert_int_equal(mkdir(box_path("/boot/EFI/Linux"), 0755), 0);
	assert_int_equal(mkdir(box_path("/state/update"), 0755), 0);
	box_write("/boot/EFI/Linux/hearth-0002-b+2-1.efi", "x");
	box_write("/boot/EFI/Linux/hearth-0001-a.efi", "x");
	box_write("/state/update/slot-a", "0.0.9\n");
	assert_int_equal(run(), 0); /* nobody knows which slot runs: a kernel from elsewhere */
	assert_false(heard("trial-boot"));
	assert_false(box_exists("/run/hearth/slots"));
	disk_power_cycle();
	box_write("/run/hearth/slot", "b\n");
	pid1_heard[0] = '\0';
	assert_int_equal(run(), 0);
	assert_true(heard("fact slot-other on good\nfact trial-boot on slot b, 2 tries left\nfact slot-failed "
	                  "off\nfact state-mounted on "));
	assert_both_on();
	assert_string_equal(box_read("/run/hearth/slots"), "a good 1 0 0.0.9\nb trial 2 2 " BOARD_VERSION "\n");
}

static void a_disk_too_small_for_data(void **state)
{
	(void)state;
	disk_flash(2900);
	assert_int_equal(run(), 0);
	assert_true(heard("fact state-mounted on "));
	assert_true(
		heard("fact data-mounted off the disk is too small for data: it has 2900 MiB and 3330 MiB are needed"));
	assert_false(logged("mkfs.xfs"));
	assert_true(logged("vfat"));
	disk_flash(1600);
	disk_power_cycle();
	assert_int_equal(run(), 0);
	assert_true(heard("fact state-mounted off the disk is too small for state"));
}

static void a_larger_disk(void **state)
{
	(void)state;
	disk_flash(8192);
	assert_int_equal(run(), 0);
	disk_mib = 16384;
	assert_int_equal(ftruncate(disk_fd, (off_t)disk_mib << 20), 0);
	disk_power_cycle();
	/* An XFS of 5374 MiB in blocks of 4096: what mkfs made. */
	memcpy(xfs_sector, "XFSB", 4);
	xfs_sector[6] = 0x10;
	xfs_sector[13] = 0x14;
	xfs_sector[14] = (char)0xFE;
	assert_int_equal(run(), 0);
	assert_int_equal(kernel_part[5].length, (long long)(16383 - 2817) << 20);
	assert_true(logged("xfs_growfs /data\n"));
	assert_both_on();
	assert_false(logged("mkfs"));
}

static void a_damaged_file_system_is_never_made_again(void **state)
{
	(void)state;
	disk_flash(8192);
	assert_int_equal(run(), 0);
	disk_power_cycle();
	helper_fails = "e2fsck";
	helper_status = 4;
	mount_fails = "/data";
	assert_int_equal(run(), 0); /* trying again would change nothing */
	assert_false(logged("mke2fs") || logged("mkfs.xfs") || logged("ext4"));
	assert_true(heard("fact state-mounted off the ext4 of /dev/vda4 is damaged"));
	assert_true(heard("fact data-mounted off the xfs of /dev/vda5 does not mount (Invalid argument)"));
	disk_power_cycle();
	helper_status = 1; /* repaired */
	mount_fails = NULL;
	assert_int_equal(run(), 0);
	assert_both_on();
}

static void a_boot_partition_is_made_anew_from_copies_only(void **state)
{
	(void)state;
	disk_flash(8192);
	assert_int_equal(run(), 0);
	disk_power_cycle();
	box_write("/run/hearth/slot", "a\n");
	mount_fails = "/boot";
	assert_int_equal(run(), 0);
	assert_false(logged("mkfs.fat"));
	assert_true(heard("fact boot-partition off "));
	assert_both_on();
	disk_power_cycle();
	box_write("/run/hearth/slot", "a\n");
	assert_int_equal(mkdir(box_path("/data/esp"), 0700), 0);
	box_write("/data/esp/a.efi", "abc");
	box_write("/data/esp/a",
	          "hearth-0004-a.efi ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n");
	mount_fails = "/boot";
	(void)run();
	assert_true(logged("mkfs.fat /dev/vda1\nvfat /dev/vda1 /boot\n"));
	assert_string_equal(box_read("/boot/EFI/Linux/hearth-0004-a.efi"), "abc");
	assert_both_on();
}

/* What the boot partition holds is read whole only when its check found something. */
static void a_boot_partition_left_dirty_is_read_whole(void **state)
{
	(void)state;
	disk_flash(8192);
	assert_int_equal(mkdir(box_path("/boot/EFI"), 0755), 0);
	assert_int_equal(mkdir(box_path("/boot/EFI/Linux"), 0755), 0);
	assert_int_equal(mkdir(box_path("/data/esp"), 0700), 0);
	box_write("/data/esp/a.efi", "abc");
	box_write("/data/esp/a",
	          "hearth-0004-a.efi ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n");
	box_write("/boot/EFI/Linux/hearth-0004-a.efi", "abx");
	for (unsigned i = 0; i < 2; i++) {
		disk_power_cycle();
		box_write("/run/hearth/slot", "a\n");
		helper_fails = i == 1 ? "fsck.fat" : NULL;
		helper_status = 1;
		(void)run();
		assert_both_on();
		assert_string_equal(box_read("/boot/EFI/Linux/hearth-0004-a.efi"), i == 1 ? "abc" : "abx");
	}
}

/* By the next start of the service, and by the next boot. */
static void a_failed_mkfs_is_repeated(void **state)
{
	(void)state;
	disk_flash(8192);
	helper_fails = "mkfs.xfs";
	assert_int_equal(run(), 1);
	assert_true(heard("fact state-mounted on "));
	assert_true(heard("fact data-mounted off make xfs on /dev/vda5"));
	assert_false(logged("xfs /dev/vda5 /data"));
	disk_power_cycle();
	assert_int_equal(run(), 1);
	disk_log[0] = '\0';
	helper_fails = NULL;
	assert_int_equal(run(), 0);
	assert_true(logged("mkfs.xfs /dev/vda5"));
	assert_false(logged("mke2fs"));
	assert_both_on();
}

static void the_kernel_sees_another_size(void **state)
{
	(void)state;
	disk_flash(8192);
	kernel_part[4].length = 4096; /* from a table before a repair */
	assert_int_equal(run(), 0);
	assert_false(logged("mke2fs"));
	assert_true(heard("fact state-mounted off /dev/vda4: the kernel sees another size"));
}

static void a_disk_that_is_not_there(void **state)
{
	(void)state;
	disk_flash(8192);
	fake_fail_at(1, ENXIO); /* /dev/mapper/control */
	assert_int_equal(run(), 1);
	assert_true(heard("fact state-mounted off "));
	assert_true(heard("fact data-mounted off "));
	assert_string_equal(disk_log, "");
}

static void no_pid_1(void **state)
{
	char name[] = "storage", extra[] = "x";

	(void)state;
	disk_flash(8192);
	pid1_answer = PID1_ABSENT;
	assert_int_equal(run(), 1); /* everything is mounted, but nobody knows */
	pid1_answer = PID1_YES;
	disk_log[0] = '\0';
	assert_int_equal(run(), 0);
	assert_both_on();
	assert_string_equal(disk_log, "");
	assert_int_equal(storage_main(2, (char *[]){name, extra, NULL}), 2);
}

/* Stopped after any number of writes to the disk, the first boot is finished by the next one; and a partition is never
 * formatted without its mark. */
static unsigned writes_left;

static ssize_t counted_pwrite(int fd, const void *p, size_t n, off_t at)
{
	if (writes_left == 0 || --writes_left == 0) {
		errno = EIO;
		return -1;
	}
	return pwrite(fd, p, n, at);
}

static void a_first_boot_stopped_anywhere(void **state)
{
	(void)state;
	for (unsigned n = 1; n < 200; n++) {
		assert_int_equal(ftruncate(disk_fd, 0), 0);
		memset(kernel_part, 0, sizeof(kernel_part));
		disk_flash(8192);
		disk_log[0] = '\0';
		memset(box_mounts, 0, sizeof(box_mounts));
		(void)unlink(box_path("/run/hearth/identity"));
		fake_pwrite = counted_pwrite;
		writes_left = n;
		(void)run();
		bool complete = writes_left > 0;
		fake_pwrite = NULL;
		disk_power_cycle();
		int rc = run();
		if (rc != 0)
			fail_msg("after %u writes: %d\n%s%s", n, rc, pid1_heard, disk_log);
		assert_both_on();
		if (complete)
			return;
	}
	fail();
}

/* Every call may fail once: then the next run in the same boot, or the next boot, makes it good. */
static void any_call_may_fail(void **state)
{
	unsigned before = fake_open_fds();

	(void)state;
	fake_clock_ms = 5000; /* tries of the fact do not wait for real */
	for (unsigned n = 1; n < 2000; n += n < 40 ? 1 : 7) {
		assert_int_equal(ftruncate(disk_fd, 0), 0);
		memset(kernel_part, 0, sizeof(kernel_part));
		disk_flash(8192);
		memset(box_mounts, 0, sizeof(box_mounts));
		(void)unlink(box_path("/run/hearth/identity"));
		fake_fail_at(n, EIO);
		(void)run();
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		if (pid1_end >= 0)
			close(pid1_end);
		pid1_end = -1;
		assert_int_equal(fake_open_fds(), before);
		disk_power_cycle();
		assert_int_equal(run(), 0);
		assert_both_on();
		if (!fired)
			return;
	}
	fail();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_first_boot, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(a_second_run_in_the_same_boot, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(the_second_boot, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(a_crash_is_explained, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(the_watchdog_explains_what_nobody_else_does, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(a_start_that_left_no_record, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(apps_before_an_update, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(settings_and_the_seed, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(the_boot_entries_are_told, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(a_disk_too_small_for_data, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(a_larger_disk, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(a_damaged_file_system_is_never_made_again, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(a_boot_partition_is_made_anew_from_copies_only, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(a_boot_partition_left_dirty_is_read_whole, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(a_failed_mkfs_is_repeated, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(the_kernel_sees_another_size, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(a_disk_that_is_not_there, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(no_pid_1, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(a_first_boot_stopped_anywhere, disk_up, disk_down),
		cmocka_unit_test_setup_teardown(any_call_may_fail, disk_up, disk_down),
	};

	return cmocka_run_group_tests_name("storage", tests, NULL, NULL);
}
