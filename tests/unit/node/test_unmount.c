/* The last unmounting: what goes, in which order, and what happens to what stays busy. */
#include "node/unmount.h"

#include <sys/mount.h>

#include "box.h"

static const char *table[] = {
	"1 0 253:0 / / ro - erofs /dev/dm-0 ro",
	"2 1 0:5 / /dev rw - devtmpfs devtmpfs rw",
	"3 2 0:6 / /dev/pts rw - devpts devpts rw",
	"4 1 0:7 / /proc rw - proc proc rw",
	"5 1 0:8 / /sys rw - sysfs sysfs rw",
	"6 1 0:9 / /run rw - tmpfs tmpfs rw",
	"7 1 0:10 / /tmp rw - tmpfs tmpfs rw",
	"8 1 0:11 / /var rw - tmpfs tmpfs rw",
	"9 1 254:4 / /state rw - ext4 /dev/vda4 rw",
	"10 1 254:5 / /data rw - xfs /dev/vda5 rw",
	"11 8 254:5 /log /var/log/hearth rw - xfs /dev/vda5 rw",
	"12 6 0:20 / /run/pod/a\\040b rw - overlay overlay rw",
};
#define ROWS (sizeof(table) / sizeof(table[0]))

static bool mounted[ROWS];
static char order[512];
static const char *busy;  /* cannot be unmounted */
static unsigned busy_for; /* tries */
static unsigned read_only, detached;

static int mounts_open(const char *path, int flags, mode_t mode)
{
	char file[] = "/tmp/hearth-test-mounts-XXXXXX";

	(void)mode;
	assert_string_equal(path, "/proc/self/mountinfo");
	int fd = mkostemp(file, flags & O_CLOEXEC);
	unlink(file);
	for (size_t i = 0; i < ROWS; i++) {
		if (mounted[i])
			assert_true(dprintf(fd, "%s\n", table[i]) > 0);
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int undo(const char *target, int flags)
{
	static const char *const names[ROWS] = {
		[8] = "/state", [9] = "/data", [10] = "/var/log/hearth", [11] = "/run/pod/a b"};

	assert_true(flags & UMOUNT_NOFOLLOW);
	if (busy && strcmp(busy, target) == 0 && busy_for > 0 && !(flags & MNT_DETACH)) {
		busy_for--;
		errno = EBUSY;
		return -1;
	}
	for (size_t i = 0; i < ROWS; i++) {
		if (!names[i] || strcmp(names[i], target) != 0)
			continue;
		mounted[i] = false;
		detached += (flags & MNT_DETACH) != 0;
		strcat(strcat(order, target), ";");
		return 0;
	}
	fail_msg("%s must stay", target);
	return -1;
}

static int remount(const char *src, const char *dst, const char *fs, unsigned long flags, const void *data)
{
	(void)src;
	(void)fs;
	(void)data;
	assert_string_equal(dst, busy);
	assert_true((flags & MS_REMOUNT) && (flags & MS_RDONLY));
	read_only++;
	return 0;
}

static int pass_time(struct pollfd *p, nfds_t n, int timeout)
{
	if (n > 0) /* the log asks whether its sink has room */
		return poll(p, n, timeout);
	fake_clock_ms += timeout;
	return 0;
}

static int setup(void **state)
{
	box_up(state);
	fake_open = mounts_open;
	fake_umount2 = undo;
	fake_mount = remount;
	fake_poll = pass_time;
	fake_clock_ms = 1000;
	for (size_t i = 0; i < ROWS; i++)
		mounted[i] = true;
	order[0] = '\0';
	busy = NULL;
	read_only = detached = 0;
	return 0;
}

static int run(void)
{
	char name[] = "unmount";

	return unmount_main(1, (char *[]){name, NULL});
}

static void which_ones_go(void **state)
{
	static const char *const stay[] = {"/",    "/dev", "/dev/pts", "/proc",           "/sys", "/sys/fs/cgroup",
	                                   "/run", "/tmp", "/var",     "/usr/bin/hearth", ""};
	static const char *const go[] = {"/state",       "/data",   "/boot",  "/var/log/hearth",
	                                 "/run/netns/x", "/device", "/system"};

	(void)state;
	for (size_t i = 0; i < sizeof(stay) / sizeof(stay[0]); i++)
		assert_false(unmount_is_ours(stay[i]));
	for (size_t i = 0; i < sizeof(go) / sizeof(go[0]); i++)
		assert_true(unmount_is_ours(go[i]));
}

static void last_mounted_first(void **state)
{
	(void)state;
	assert_int_equal(run(), 0);
	assert_string_equal(order, "/run/pod/a b;/var/log/hearth;/data;/state;");
	assert_int_equal(fake_clock_ms, 1000);
}

static void a_program_that_dies_slowly(void **state)
{
	(void)state;
	busy = "/data";
	busy_for = 5;
	assert_int_equal(run(), 0);
	assert_string_equal(order, "/run/pod/a b;/var/log/hearth;/state;/data;");
	assert_int_equal(read_only + detached, 0);
}

static void what_stays_busy_is_made_safe(void **state)
{
	(void)state;
	busy = "/data";
	busy_for = 100000;
	assert_int_equal(run(), 1);
	assert_false(mounted[9]);
	assert_int_equal(read_only, 1);
	assert_int_equal(detached, 1);
	assert_true(fake_clock_ms <= 1000 + 2 * UNMOUNT_WAIT_MS);
}

static void without_a_table_it_says_so(void **state)
{
	char name[] = "unmount", extra[] = "x";

	(void)state;
	fake_fail_at(1, EIO);
	assert_int_equal(run(), 111);
	assert_int_equal(unmount_main(2, (char *[]){name, extra, NULL}), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_ones_go),
		cmocka_unit_test_setup_teardown(last_mounted_first, setup, box_down),
		cmocka_unit_test_setup_teardown(a_program_that_dies_slowly, setup, box_down),
		cmocka_unit_test_setup_teardown(what_stays_busy_is_made_safe, setup, box_down),
		cmocka_unit_test_setup_teardown(without_a_table_it_says_so, setup, box_down),
	};

	return cmocka_run_group_tests_name("unmount", tests, NULL, NULL);
}
