/* A disk of a box, in files: /dev/vda is a sparse file of any size, /dev/vdaN the files of the partitions that the
 * kernel (this header) was told of. Helper programs are noted as "mke2fs /dev/vda4" and end with helper_status. */
#ifndef HEARTH_TESTS_NODE_DISK_H
#define HEARTH_TESTS_NODE_DISK_H

#include <linux/blkpg.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "board.h"
#include "box.h"
#include "host/gpt.h"
#include "pid1.h"

#define DISK_MIB   2048 /* sectors in a MiB */
#define DISK_PARTS 8

static int disk_fd = -1;
static uint64_t disk_mib;
static struct blkpg_partition kernel_part[DISK_PARTS + 1]; /* by number; length 0: not known */
static char disk_log[2048];                                /* helpers and mounts, one a line */
static int helper_status;
static const char *helper_fails; /* "mkfs.xfs": only this one ends with helper_status */
static const char *mount_fails;  /* target */
static char xfs_sector[512];

static void disk_note(const char *what, const char *a, const char *b)
{
	size_t at = strlen(disk_log);

	(void)snprintf(disk_log + at, sizeof(disk_log) - at, "%s %s%s%s\n", what, a, b ? " " : "", b ? b : "");
}

static void disk_path(char path[300])
{
	(void)snprintf(path, 300, "%s/disk", box);
}

static int disk_open_path(const char *path, int flags, mode_t mode)
{
	char file[300];

	if (strcmp(path, "/dev/mapper/control") == 0)
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	if (strcmp(path, "/sys/dev/block/254:2/partition") == 0) {
		disk_path(file);
		strcat(file, ".number");
		return open(file, O_RDONLY | O_CLOEXEC);
	}
	if (strncmp(path, "/dev/vda", 8) != 0)
		return box_open(path, flags, mode);
	unsigned number = (unsigned)atoi(path + 8);
	if (number > DISK_PARTS || (number && kernel_part[number].length == 0)) {
		errno = ENOENT;
		return -1;
	}
	disk_path(file);
	int fd = open(file, O_RDWR | O_CLOEXEC);
	if (fd >= 0 && number)
		assert_int_equal(lseek(fd, (off_t)number, SEEK_SET), number); /* how disk_ioctl knows which one it is */
	return fd;
}

static int disk_blkpg(const struct blkpg_ioctl_arg *a)
{
	const struct blkpg_partition *p = a->data;

	assert_true(p->pno >= 1 && p->pno <= DISK_PARTS);
	bool known = kernel_part[p->pno].length != 0;
	if (a->op == BLKPG_ADD_PARTITION && known) {
		errno = EBUSY;
		return -1;
	}
	assert_true(known || a->op == BLKPG_ADD_PARTITION);
	kernel_part[p->pno] = *p;
	return 0;
}

static int disk_ioctl(int fd, unsigned long request, void *arg)
{
	if (request == DM_TABLE_DEPS) {
		struct dm_ioctl *rq = arg;
		struct dm_target_deps *d = (void *)((char *)arg + rq->data_start);
		uint64_t dev = makedev(254, 2);
		d->count = 1;
		memcpy(d + 1, &dev, sizeof(dev));
		return 0;
	}
	if (request == BLKPG)
		return disk_blkpg(arg);
	off_t number = lseek(fd, 0, SEEK_CUR);
	if (request == BLKSSZGET)
		*(int *)arg = 512;
	else if (request == BLKGETSIZE64)
		*(uint64_t *)arg =
			number > 0 && number <= DISK_PARTS ? (uint64_t)kernel_part[number].length : disk_mib << 20;
	else
		assert_true(false);
	return 0;
}

/* Reading a partition gives what a test wants its first sector to be. */
static ssize_t disk_pread(int fd, void *p, size_t n, off_t at)
{
	off_t number = lseek(fd, 0, SEEK_CUR);

	if (number < 1 || number > DISK_PARTS)
		return pread(fd, p, n, at);
	assert_int_equal(n, sizeof(xfs_sector));
	memcpy(p, xfs_sector, n);
	return (ssize_t)n;
}

static ssize_t disk_readlink(const char *path, char *dst, size_t n)
{
	static const char target[] = "../../devices/virtio1/block/vda/vda2";

	assert_string_equal(path, "/sys/dev/block/254:2");
	assert_true(n > sizeof(target));
	memcpy(dst, target, sizeof(target) - 1);
	return sizeof(target) - 1;
}

/* In the child, which shares our memory until it execs. */
static int disk_execve(const char *path, char *const argv[], char *const envp[])
{
	static char sh[] = "sh", c[] = "-c", script[32];
	const char *name = strrchr(path, '/') + 1, *last = "";

	for (unsigned i = 0; argv[i]; i++)
		last = argv[i];
	disk_note(name, last, NULL);
	if (strcmp(name, "mkfs.fat") == 0) /* what is made anew mounts */
		mount_fails = NULL;
	bool fails = helper_fails && strcmp(helper_fails, name) == 0;
	(void)snprintf(script, sizeof(script), "exit %d", fails ? helper_status : 0);
	return execve("/bin/sh", (char *[]){sh, c, script, NULL}, envp);
}

static int disk_mount(const char *src, const char *dst, const char *fs, unsigned long flags, const void *data)
{
	(void)data;
	if (mount_fails && strcmp(mount_fails, dst) == 0) {
		errno = EINVAL;
		return -1;
	}
	disk_note(flags & MS_BIND ? "bind" : fs, src, dst);
	box_mounted(dst);
	return 0;
}

/* What the flashed image holds, on a disk of this size. */
__attribute__((unused)) static void disk_flash(uint64_t mib)
{
	static struct gpt g;
	static const char *const names[] = {BOARD_PART_ESP, BOARD_PART_SYSTEM_A};
	static const uint64_t sizes[] = {BOARD_ESP_MIB, BOARD_SYSTEM_MIB};
	uint8_t head[GPT_SECTOR];
	struct gpt_part p;
	struct err e;

	memset(&g, 0, sizeof(g));
	g.sectors = (BOARD_ESP_MIB + BOARD_SYSTEM_MIB + 2) * DISK_MIB;
	g.first_usable = 2048;
	(void)gpt_fit(&g);
	assert_int_equal(gpt_guid_parse(BOARD_IMAGE_DISK_GUID, g.disk_guid), 0);
	for (unsigned i = 0; i < 2; i++) {
		struct gpt_want w = {.name = names[i], .type = BOARD_TYPE_LINUX, .sectors = sizes[i] * DISK_MIB};
		assert_int_equal(gpt_add(&g, &w, &p, &e), 0);
		gpt_set_attributes(&g, p.number, 0);
		kernel_part[p.number].length = (long long)(sizes[i] << 20);
	}
	disk_mib = mib;
	assert_int_equal(ftruncate(disk_fd, (off_t)(mib << 20)), 0);
	gpt_build(&g, 1, head);
	assert_int_equal(pwrite(disk_fd, head, sizeof(head), 512), sizeof(head));
	assert_int_equal(pwrite(disk_fd, g.entry, sizeof(g.entry), 1024), sizeof(g.entry));
}

/* The power comes back: mounts and /run are gone, the kernel reads the table again. */
__attribute__((unused)) static void disk_power_cycle(void)
{
	uint8_t head[GPT_SECTOR];
	static uint8_t table[GPT_TABLE];
	static struct gpt g;
	struct gpt_part p;
	struct err e;
	bool backup = false;

	memset(box_mounts, 0, sizeof(box_mounts));
	memset(kernel_part, 0, sizeof(kernel_part));
	(void)unlink(box_path("/run/hearth/identity"));
	disk_log[0] = '\0';
	uint64_t sectors = disk_mib * DISK_MIB;
	assert_int_equal(pread(disk_fd, head, 512, 512), 512);
	assert_int_equal(pread(disk_fd, table, sizeof(table), 1024), sizeof(table));
	if (gpt_parse(&g, head, table, 1, sectors, &e) < 0) {
		assert_int_equal(pread(disk_fd, head, 512, (off_t)(sectors - 1) * 512), 512);
		assert_int_equal(pread(disk_fd, table, sizeof(table), (off_t)(sectors - 33) * 512), sizeof(table));
		assert_int_equal(gpt_parse(&g, head, table, sectors - 1, sectors, &e), 0);
		backup = true;
	}
	(void)backup;
	for (unsigned i = 0; i < DISK_PARTS; i++) {
		if (gpt_get(&g, i, &p))
			kernel_part[p.number].length = (long long)((p.last - p.first + 1) * 512);
	}
}

__attribute__((unused)) static int disk_up(void **state)
{
	char path[300];

	box_up(state);
	pid1_up();
	disk_path(path);
	strcat(path, ".number");
	int fd = open(path, O_WRONLY | O_CREAT, 0644);
	assert_int_equal(write(fd, "2\n", 2), 2);
	close(fd);
	disk_path(path);
	disk_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	assert_true(disk_fd >= 0);
	memset(kernel_part, 0, sizeof(kernel_part));
	memset(xfs_sector, 0, sizeof(xfs_sector));
	disk_log[0] = '\0';
	helper_fails = mount_fails = NULL;
	helper_status = 1;
	fake_open = disk_open_path;
	fake_ioctl = disk_ioctl;
	fake_pread = disk_pread;
	fake_readlink = disk_readlink;
	fake_execve = disk_execve;
	fake_mount = disk_mount;
	return 0;
}

__attribute__((unused)) static int disk_down(void **state)
{
	close(disk_fd);
	if (pid1_end >= 0)
		close(pid1_end);
	pid1_end = -1;
	return box_down(state);
}

#endif
