/* Stage 1 against a recorded kernel: the way to the root, and each way that ends before it. */
#include "boot/stage1.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/watchdog.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "boot/init.h"
#include "fake/sys.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define LINE "hearth.root=11111111-1111-1111-1111-111111111111 hearth.roothash=" HASH " quiet\n"

static struct err e;
static char trace[2048];   /* "mount devtmpfs /dev; ..." */
static char console[8192]; /* what people see */
static const char *cmdline, *disks;
static const char *roots;  /* names of the partitions that hold the root: "vda2 vdb2" */
static int64_t appears_at; /* the disk is there from this moment on */
static uint64_t damaged;   /* block of the verity device that cannot be read; 0: none */
static bool program_damaged, mount_damaged, no_bind, exec_works;
static unsigned reboots;

enum {
	FD_DISK = 1000,
	FD_ROOT = 1001,
	FD_PROGRAM = 1002,
	FD_CONSOLE = 1003,
	FD_DM = 1004,
	FD_KMSG = 1005,
	FD_OTHER = 1006,
	FD_DOG = 1007
};
static bool disk_is_root;
static const char *loader;            /* what the boot loader says it started; NULL: there are no EFI variables */
static const char *label[2][8];       /* of the partitions of vda and vdb */
static char handed[64];               /* HEARTH_SLOT for stage 2 */
static char handed_trial[64];         /* HEARTH_TRIAL; "": none */
static const char *counted, *entries; /* the loader's other variables; "|" for a zero; NULL: absent */
static char dog_handed[64];           /* HEARTH_WATCHDOG */
static bool dog;                      /* the machine has a watchdog */
static int64_t fed_at, hungry;        /* and it was fed last, and had to wait at most: ms */
static unsigned program_reads;

static void note(const char *what, const char *a, const char *b)
{
	size_t at = strlen(trace);

	(void)snprintf(trace + at, sizeof(trace) - at, "%s %s%s%s;", what, a ? a : "-", b ? " " : "", b ? b : "");
}

static int text_file(const char *text)
{
	char file[] = "/tmp/hearth-test-stage1-XXXXXX";
	int fd = mkostemp(file, O_CLOEXEC);

	unlink(file);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int variable(const char *text)
{
	char file[] = "/tmp/hearth-test-stage1-XXXXXX", value[200] = {6, 0, 0, 0};
	size_t n = 4;

	errno = ENOENT;
	if (text == NULL)
		return -1;
	for (const char *p = text; *p; p++, n += 2)
		value[n] = *p == '|' ? 0 : *p;
	int fd = mkostemp(file, O_CLOEXEC);
	unlink(file);
	assert_int_equal(write(fd, value, n + 2), n + 2);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* "/sys/dev/block/254:18/uevent": vdb2. */
static int sys_file(const char *path)
{
	unsigned minor_number = 0;
	char what[16] = "", text[64];

	assert_int_equal(sscanf(path, "/sys/dev/block/254:%u/%15s", &minor_number, what), 2);
	assert_true(minor_number < 32 && minor_number % 16 < 8);
	const char *name = label[minor_number / 16][minor_number % 16];
	if (strcmp(what, "partition") == 0)
		(void)snprintf(text, sizeof(text), "%u\n", minor_number % 16);
	else
		(void)snprintf(text, sizeof(text), "DEVTYPE=partition\n%s%s\n", name ? "PARTNAME=" : "",
		               name ? name : "");
	return text_file(text);
}

static ssize_t vm_readlink(const char *path, char *dst, size_t n)
{
	unsigned minor_number = 0;

	assert_int_equal(sscanf(path, "/sys/dev/block/254:%u", &minor_number), 1);
	const char *disk = minor_number < 16 ? "vda" : "vdb";
	return snprintf(dst, n, "../../devices/virtio/block/%s/%s%u", disk, disk, minor_number % 16);
}

static int vm_open(const char *path, int flags, mode_t mode)
{
	(void)flags;
	(void)mode;
	if (strcmp(path, "/proc/cmdline") == 0)
		return text_file(cmdline);
	if (strcmp(path, "/proc/partitions") == 0)
		return text_file(fake_clock_ms >= appears_at ? disks : "");
	if (strcmp(path, "/sys/class/tty/console/active") == 0)
		return text_file("tty0 ttyS0\n");
	if (strcmp(path, "/dev/tty0") == 0 || strcmp(path, "/dev/ttyS0") == 0)
		return FD_CONSOLE;
	if (strcmp(path, "/dev/console") == 0 || strcmp(path, "/dev/null") == 0)
		return FD_OTHER;
	if (strcmp(path, "/dev/kmsg") == 0)
		return FD_KMSG;
	if (strcmp(path, "/dev/watchdog0") == 0) {
		fed_at = fake_clock_ms;
		errno = ENOENT;
		return dog ? FD_DOG : -1;
	}
	if (strcmp(path, "/dev/mapper/control") == 0)
		return FD_DM;
	if (strncmp(path, "/sys/dev/block/", 15) == 0)
		return sys_file(path);
	if (strncmp(path, "/sys/firmware/efi/efivars/LoaderEntrySelected-", 46) == 0)
		return variable(loader);
	if (strncmp(path, "/sys/firmware/efi/efivars/LoaderBootCountPath-", 46) == 0)
		return variable(counted);
	if (strncmp(path, "/sys/firmware/efi/efivars/LoaderEntries-", 40) == 0)
		return variable(entries);
	if (strcmp(path, "/dev/dm-0") == 0)
		return FD_ROOT;
	if (strcmp(path, "/sysroot/usr/bin/hearth") == 0)
		return FD_PROGRAM;
	assert_int_equal(strncmp(path, "/dev/vd", 7), 0);
	const char *at = strstr(roots, path + 5); /* a whole word of it */
	char end = at ? at[strlen(path + 5)] : 'x';
	disk_is_root = end == ' ' || end == '\0';
	return FD_DISK;
}

static int vm_close(int fd)
{
	return fd >= FD_DISK ? 0 : close(fd);
}

static ssize_t vm_pread(int fd, void *p, size_t n, off_t at)
{
	uint8_t *b = p;

	memset(b, 0, n);
	if (fd == FD_ROOT) {
		off_t bad = (off_t)damaged * 4096, end = 64 * 4096;
		if (damaged && bad >= at && bad < at + (off_t)n) {
			errno = EIO;
			return -1;
		}
		return at >= end ? 0 : (ssize_t)n;
	}
	assert_int_equal(fd, FD_DISK);
	if (!disk_is_root)
		return (ssize_t)n;
	if (at == 0) {
		static const uint8_t magic[4] = {0xE2, 0xE1, 0xF5, 0xE0};
		memcpy(b + 1024, magic, 4);
		b[1024 + 12] = 12;
		b[1024 + 36] = 64;
		return (ssize_t)n;
	}
	memcpy(b, "verity", 6);
	b[8] = b[12] = 1;
	memset(b + 16, 0x11, 16);
	memcpy(b + 32, "sha256", 6);
	b[65] = b[69] = 0x10;
	b[72] = 64;
	return (ssize_t)n;
}

static ssize_t vm_read(int fd, void *p, size_t n)
{
	if (fd != FD_PROGRAM)
		return read(fd, p, n);
	errno = EIO;
	program_reads++;
	return program_damaged && program_reads == 3 ? -1 : program_reads < 5 ? (ssize_t)n : 0;
}

static ssize_t vm_write(int fd, const void *p, size_t n)
{
	size_t at = strlen(console);

	if (fd == FD_CONSOLE && at + n < sizeof(console)) {
		memcpy(console + at, p, n);
		console[at + n] = '\0';
	}
	return fd >= FD_DISK ? (ssize_t)n : write(fd, p, n);
}

static int vm_mount(const char *src, const char *dst, const char *fs, unsigned long flags, const void *data)
{
	(void)data;
	if (flags & MS_BIND) {
		note(flags & MS_REMOUNT ? "protect" : "bind", flags & MS_REMOUNT ? dst : src, NULL);
		errno = EINVAL;
		return no_bind ? -1 : 0;
	}
	note(flags & MS_MOVE ? "move" : "mount", flags & MS_MOVE ? src : fs, dst);
	if (mount_damaged && strcmp(dst, "/sysroot") == 0) {
		errno = EIO;
		return -1;
	}
	if (strcmp(dst, "/sysroot") == 0 || strcmp(fs ? fs : "", "efivarfs") == 0)
		assert_true(flags & MS_RDONLY);
	if (strcmp(fs ? fs : "", "efivarfs") == 0 && loader == NULL) {
		errno = ENOENT;
		return -1;
	}
	return 0;
}

static int vm_ioctl(int fd, unsigned long request, void *arg)
{
	struct dm_ioctl *rq = arg;

	if (fd == FD_DOG && request == WDIOC_KEEPALIVE) {
		hungry = fake_clock_ms - fed_at > hungry ? fake_clock_ms - fed_at : hungry;
		fed_at = fake_clock_ms;
	}
	if (fd == FD_DOG)
		return 0;
	assert_int_equal(fd, FD_DM);
	if (request == DM_DEV_CREATE)
		rq->dev = makedev(253, 0);
	return 0;
}

static int vm_fcntl(int fd, int cmd, int arg)
{
	assert_int_equal(fd, FD_DOG);
	assert_int_equal(cmd, F_SETFD);
	assert_int_equal(arg, 0);
	return 0;
}

static int vm_poll(struct pollfd *p, nfds_t n, int timeout)
{
	(void)p;
	(void)n;
	fake_clock_ms += timeout;
	return 0;
}

static int vm_path(const char *path)
{
	note("go", path, NULL);
	return 0;
}

static int vm_mkdir(const char *path, mode_t mode)
{
	(void)path;
	(void)mode;
	return 0;
}

static int vm_stat(const char *path, struct stat *st)
{
	(void)path;
	(void)st;
	errno = ENOENT;
	return -1;
}

static int vm_dup2(int fd, int to)
{
	(void)fd;
	return to;
}

static int vm_execve(const char *path, char *const argv[], char *const envp[])
{
	assert_string_equal(argv[0], "hearth");
	assert_string_equal(argv[1], "init");
	assert_null(argv[2]);
	handed[0] = handed_trial[0] = dog_handed[0] = '\0';
	for (unsigned i = 0; envp[i]; i++) {
		if (strncmp(envp[i], INIT_ENV_SLOT "=", strlen(INIT_ENV_SLOT "=")) == 0)
			strcpy(handed, envp[i]);
		if (strncmp(envp[i], INIT_ENV_TRIAL "=", strlen(INIT_ENV_TRIAL "=")) == 0)
			strcpy(handed_trial, envp[i]);
		if (strncmp(envp[i], INIT_ENV_WATCHDOG "=", strlen(INIT_ENV_WATCHDOG "=")) == 0)
			strcpy(dog_handed, envp[i]);
	}
	assert_non_null(envp[0]);
	note("exec", path, NULL);
	errno = ENOENT;
	return exec_works ? 0 : -1;
}

static int vm_reboot(int how)
{
	assert_int_equal(how, RB_AUTOBOOT);
	reboots++;
	return 0;
}

static int vm_socket(int domain, int type, int proto)
{
	(void)domain;
	(void)type;
	(void)proto;
	errno = EAFNOSUPPORT;
	return -1; /* no device events: it looks every second */
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	trace[0] = console[0] = '\0';
	cmdline = LINE;
	disks = " 254 0 4194304 vda\n 254 1 524288 vda1\n 254 2 1048576 vda2\n";
	roots = "vda2";
	loader = "hearth-0001-a.efi";
	counted = entries = NULL;
	memset(label, 0, sizeof(label));
	for (unsigned i = 0; i < 2; i++) {
		label[i][2] = "system-a";
		label[i][3] = "system-b";
	}
	appears_at = 0;
	damaged = 0;
	program_damaged = mount_damaged = no_bind = dog = false;
	hungry = 0;
	exec_works = true;
	reboots = program_reads = 0;
	fake_clock_ms = 1000;
	fake_open = vm_open;
	fake_close = vm_close;
	fake_pread = vm_pread;
	fake_read = vm_read;
	fake_write = vm_write;
	fake_mount = vm_mount;
	fake_ioctl = vm_ioctl;
	fake_poll = vm_poll;
	fake_fcntl = vm_fcntl;
	fake_chdir = vm_path;
	fake_chroot = vm_path;
	fake_mkdir = vm_mkdir;
	fake_stat = vm_stat;
	fake_dup2 = vm_dup2;
	fake_execve = vm_execve;
	fake_reboot = vm_reboot;
	fake_socket = vm_socket;
	fake_readlink = vm_readlink;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_reset();
	log_init("test", STDERR_FILENO, 0);
	return 0;
}

static void refused(const char *why)
{
	assert_int_equal(stage1_run(&e), -1);
	if (!strstr(e.text, why))
		fail_msg("'%s' does not say '%s'", e.text, why);
}

static void the_way_to_the_root(void **state)
{
	(void)state;
	assert_int_equal(stage1_run(&e), -1); /* an exec that returns is the end of the test */
	assert_string_equal(trace, "mount devtmpfs /dev;mount proc /proc;mount sysfs /sys;"
	                           "mount efivarfs /sys/firmware/efi/efivars;mount erofs /sysroot;"
	                           "bind /init;protect /sysroot/usr/bin/hearth;move /dev /sysroot/dev;move /proc "
	                           "/sysroot/proc;move /sys /sysroot/sys;"
	                           "go /sysroot;move . /;go .;go /;exec /usr/bin/hearth;");
	assert_string_equal(console, ""); /* nothing to say when all is well */
	assert_int_equal(program_reads, 0);
}

static void a_program_that_cannot_stay_in_memory(void **state)
{
	(void)state;
	no_bind = true;
	(void)!stage1_run(&e);
	assert_non_null(strstr(trace, "exec"));
	assert_int_equal(program_reads, 5); /* to its end */
}

static void a_disk_that_comes_late(void **state)
{
	(void)state;
	appears_at = 1000 + 31000;
	(void)!stage1_run(&e);
	assert_non_null(strstr(trace, "exec"));
	assert_non_null(strstr(console, "waiting for the disk with the root 11111111-1111-1111-1111-111111111111, "
	                                "5 of 120 s; disks so far: none"));
	assert_non_null(strstr(console, "30 of 120 s"));
	assert_true(fake_clock_ms <= appears_at + 1000);
}

static void a_disk_that_never_comes(void **state)
{
	(void)state;
	roots = "";
	refused("no disk holds the root 11111111-");
	assert_non_null(strstr(console, "disks so far: vda vda1 vda2"));
	assert_null(strstr(trace, "erofs"));
	assert_in_range(fake_clock_ms, 1000 + STAGE1_ROOT_WAIT_MS, 1000 + STAGE1_ROOT_WAIT_MS + 2000);
}

static void the_watchdog_is_fed_and_handed_over(void **state)
{
	(void)state;
	(void)!stage1_run(&e);
	assert_string_equal(dog_handed, "");
	dog = true;
	appears_at = fake_clock_ms + 100000;
	(void)!stage1_run(&e);
	assert_string_equal(dog_handed, "HEARTH_WATCHDOG=1007");
	assert_in_range(hungry, 1, 20000);
	roots = "";
	refused("no disk holds the root");
	stage1_refuse(&e);
	assert_int_equal(reboots, 1);
	assert_in_range(fake_clock_ms - fed_at, 0, 20000);
	assert_in_range(hungry, 1, 20000);
}

static void two_disks_are_both_named(void **state)
{
	(void)state;
	disks = " 254 2 1048576 vda2\n 254 18 1048576 vdb2\n";
	roots = "vda2 vdb2";
	refused("two partitions claim to be the root: vda2 and vdb2");
	assert_int_equal(fake_clock_ms, 1000); /* waiting would not help */
}

/* Both slots of a disk hold the same image: the loader decides. */
static void two_slots(void)
{
	disks = " 254 2 1048576 vda2\n 254 3 1048576 vda3\n";
	roots = "vda2 vda3";
}

static void booted(const char *slot)
{
	(void)!stage1_run(&e);
	if (!strstr(trace, "exec"))
		fail_msg("%s", e.text);
	assert_string_equal(handed, slot);
}

static void the_slot_is_handed_on(void **state)
{
	(void)state;
	booted("HEARTH_SLOT=a");
	setup(NULL);
	loader = NULL; /* no firmware, or another loader: the partition's name says it */
	booted("HEARTH_SLOT=a");
	setup(NULL);
	loader = "debian.conf";
	booted("HEARTH_SLOT=a");
	setup(NULL);
	label[0][2] = NULL; /* a partition without a name: the loader says it */
	booted("HEARTH_SLOT=a");
	setup(NULL);
	label[0][2] = loader = NULL;
	booted("");
	assert_string_equal(console, "");
}

static void a_trial_is_handed_on(void **state)
{
	(void)state;
	loader = "hearth-0002-a.efi";
	counted = "\\EFI\\Linux\\hearth-0002-a+2-1.efi|";
	entries = "hearth-0002-a.efi|hearth-0001-b.efi|";
	booted("HEARTH_SLOT=a");
	assert_string_equal(handed_trial, "HEARTH_TRIAL=2");
	label[0][2] = "system-b"; /* another slot runs than the loader speaks of */
	booted("HEARTH_SLOT=b");
	assert_string_equal(handed_trial, "");
	label[0][2] = "system-a";
	entries = "hearth-0002-a.efi|";
	booted("HEARTH_SLOT=a");
	assert_string_equal(handed_trial, "");
	counted = NULL;
	booted("HEARTH_SLOT=a");
	assert_string_equal(handed_trial, "");
}

static void the_loader_decides_between_two_slots(void **state)
{
	(void)state;
	two_slots();
	loader = "hearth-0012-b.efi";
	booted("HEARTH_SLOT=b");
	assert_int_equal(fake_clock_ms, 1000);
	setup(NULL);
	two_slots();
	booted("HEARTH_SLOT=a");
	setup(NULL);
	two_slots();
	loader = NULL;
	refused("two partitions claim to be the root: vda2 and vda3; the boot loader says nothing of a slot");
}

static void the_command_line_goes_over_the_loader(void **state)
{
	(void)state;
	two_slots();
	cmdline = "hearth.slot=b " LINE;
	booted("HEARTH_SLOT=b");
	assert_null(strstr(trace, "efivarfs"));
	setup(NULL);
	cmdline = "hearth.slot=b " LINE;
	booted("HEARTH_SLOT=b");
	assert_string_equal(console, "");
}

/* The other slot's partition may only be late; when it is not, the root is right all the same: it has the hash. */
static void the_root_is_in_another_slot_than_the_loader_says(void **state)
{
	(void)state;
	loader = "hearth-0002-b.efi";
	booted("HEARTH_SLOT=a");
	assert_non_null(strstr(console, "the boot loader started slot b, but its root is in slot a"));
	assert_int_equal(fake_clock_ms, 3000);
}

static void a_command_line_without_a_root(void **state)
{
	(void)state;
	cmdline = "quiet\n";
	refused("names no root");
	cmdline = "hearth.root=x\n";
	refused("hearth.root=x: must be a lower-case UUID");
}

static void a_damaged_program(void **state)
{
	(void)state;
	damaged = 39;
	program_damaged = no_bind = true;
	refused("the root is refused: block 39 of vda2 does not match its hash: the system partition is damaged");
	assert_null(strstr(trace, "exec"));
}

static void a_damaged_superblock(void **state)
{
	(void)state;
	damaged = 1;
	mount_damaged = true;
	refused("block 1 of vda2 does not match its hash");
	assert_null(strstr(trace, "move"));
}

static void a_root_that_does_not_mount_for_another_reason(void **state)
{
	(void)state;
	mount_damaged = true;
	refused("the root is refused: mount /dev/dm-0: Input/output error");
}

static void a_program_that_does_not_start(void **state)
{
	(void)state;
	exec_works = false;
	refused("stage 2: exec /usr/bin/hearth: No such file");
}

static void the_end_is_told_and_counted_down(void **state)
{
	unsigned times = 0;

	(void)state;
	exec_works = false;
	refused("exec");
	console[0] = '\0';
	stage1_refuse(&e);
	assert_int_equal(reboots, 1);
	assert_int_equal(fake_clock_ms, 1000 + STAGE1_REBOOT_S * 1000);
	for (const char *p = console; (p = strstr(p, e.text)); p++)
		times++;
	assert_int_equal(times, 2 * 6); /* both consoles, every 10 s */
	assert_non_null(strstr(console, "restart in 60 s"));
	assert_non_null(strstr(console, "restart in 10 s"));
}

/* Here without a boot partition; what marking does is boot/fallback's. */
static void only_a_root_that_failed_speaks_against_the_slot(void **state)
{
	(void)state;
	static const char *const way = "no way to the other slot: no boot partition";
	mount_damaged = true;
	refused("the root is refused");
	stage1_refuse(&e);
	assert_non_null(strstr(console, way));
	assert_non_null(strstr(console, "restart in 60 s"));
	console[0] = '\0';
	stage1_refuse(&e); /* once is enough */
	assert_null(strstr(console, way));
	setup(NULL);
	roots = "";
	refused("no disk holds the root");
	stage1_refuse(&e);
	assert_non_null(strstr(console, way));
	setup(NULL);
	disks = " 254 2 1048576 vda2\n 254 18 1048576 vdb2\n";
	roots = "vda2 vdb2";
	refused("two partitions claim to be the root");
	stage1_refuse(&e);
	assert_null(strstr(console, way));
	setup(NULL);
	exec_works = false;
	refused("exec");
	stage1_refuse(&e);
	assert_null(strstr(console, way));
	setup(NULL);
	loader = NULL;
	mount_damaged = true;
	refused("the root is refused");
	stage1_refuse(&e);
	assert_null(strstr(console, way));
}

static void any_call_may_fail(void **state)
{
	(void)state;
	for (unsigned n = 1; n < 200; n++) {
		setup(NULL);
		fake_fail_at(n, ENOMEM);
		assert_int_equal(stage1_run(&e), -1); /* whatever it is, it comes back with a reason */
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		assert_true(e.text[0] && e.code);
		stage1_refuse(&e);
		assert_int_equal(reboots, 1);
		if (!fired)
			return;
	}
	fail();
}

static void only_pid_1_may(void **state)
{
	(void)state;
	assert_int_equal(stage1_main(0, NULL), 2);
	assert_string_equal(trace, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_way_to_the_root, setup, teardown),
		cmocka_unit_test_setup_teardown(a_disk_that_comes_late, setup, teardown),
		cmocka_unit_test_setup_teardown(a_disk_that_never_comes, setup, teardown),
		cmocka_unit_test_setup_teardown(the_watchdog_is_fed_and_handed_over, setup, teardown),
		cmocka_unit_test_setup_teardown(two_disks_are_both_named, setup, teardown),
		cmocka_unit_test_setup_teardown(the_slot_is_handed_on, setup, teardown),
		cmocka_unit_test_setup_teardown(a_trial_is_handed_on, setup, teardown),
		cmocka_unit_test_setup_teardown(the_loader_decides_between_two_slots, setup, teardown),
		cmocka_unit_test_setup_teardown(the_command_line_goes_over_the_loader, setup, teardown),
		cmocka_unit_test_setup_teardown(the_root_is_in_another_slot_than_the_loader_says, setup, teardown),
		cmocka_unit_test_setup_teardown(a_command_line_without_a_root, setup, teardown),
		cmocka_unit_test_setup_teardown(a_damaged_program, setup, teardown),
		cmocka_unit_test_setup_teardown(a_program_that_cannot_stay_in_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(a_damaged_superblock, setup, teardown),
		cmocka_unit_test_setup_teardown(a_root_that_does_not_mount_for_another_reason, setup, teardown),
		cmocka_unit_test_setup_teardown(a_program_that_does_not_start, setup, teardown),
		cmocka_unit_test_setup_teardown(the_end_is_told_and_counted_down, setup, teardown),
		cmocka_unit_test_setup_teardown(only_a_root_that_failed_speaks_against_the_slot, setup, teardown),
		cmocka_unit_test_setup_teardown(any_call_may_fail, setup, teardown),
		cmocka_unit_test_setup_teardown(only_pid_1_may, setup, teardown),
	};

	return cmocka_run_group_tests_name("stage1", tests, NULL, NULL);
}
