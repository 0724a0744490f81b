/* Block devices. Used by stage 1 and the storage role; never by PID 1 itself, since every call here may wait for a
 * disk. Never makes or mounts a file system. */
#include "host/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"

#define PARTITIONS_TEXT 16384
#define UEVENT_TEXT     512  /* half a dozen short lines */
#define WIPE_SECTORS    2048 /* 1 MiB: every superblock that anything looks for */
#define WIPE_STEP       128

/* One number and the blanks around it; NULL when there is none or it is too large. */
static const char *take_number(const char *p, uint64_t *out)
{
	uint64_t v = 0;

	while (*p == ' ')
		p++;
	if (*p < '0' || *p > '9')
		return NULL;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (v > UINT64_MAX / 16)
			return NULL;
		v = v * 10 + (uint64_t)(*p - '0');
	}
	*out = v;
	return *p == ' ' ? p + strspn(p, " ") : NULL;
}

static bool is_virtual(const char *name)
{
	return str_starts(name, "ram") || str_starts(name, "loop") || str_starts(name, "dm-") ||
	       str_starts(name, "zram");
}

/* "   8        0  488386584 sda" */
static bool parse_line(const char *line, size_t len, struct disk_dev *d)
{
	uint64_t mj, mn;
	const char *end = line + len;
	const char *p = take_number(line, &mj);

	p = p ? take_number(p, &mn) : NULL;
	p = p ? take_number(p, &d->kib) : NULL;
	if (!p || p >= end || (size_t)(end - p) >= sizeof(d->name) || mj > UINT32_MAX || mn > UINT32_MAX)
		return false;
	memcpy(d->name, p, (size_t)(end - p));
	d->name[end - p] = '\0';
	d->dev = makedev((unsigned)mj, (unsigned)mn);
	return !is_virtual(d->name);
}

void disk_list_parse(struct disk_list *l, const char *text)
{
	l->count = 0;
	while (*text && l->count < DISK_LIST) {
		size_t len = strcspn(text, "\n");
		if (parse_line(text, len, &l->dev[l->count]))
			l->count++;
		text += len;
		if (*text)
			text++;
	}
}

int disk_list_read(struct disk_list *l, struct err *e)
{
	char text[PARTITIONS_TEXT];
	struct buf b;

	buf_init(&b, text, sizeof(text));
	if (file_read(PATH_PROC_PARTITIONS, &b, e) < 0)
		return -1;
	disk_list_parse(l, text);
	return 0;
}

int disk_open(const char *name, int flags, struct err *e)
{
	char path[LIMIT_PATH];

	if (str_format(path, sizeof(path), "/dev/%s", name) < 0)
		return err_set(e, ENAMETOOLONG, "/dev/%s: name too long", name);
	int fd = sys_open(path, flags | O_CLOEXEC, 0);
	return fd < 0 ? err_sys(e, "%s", path) : fd;
}

static bool in_list(const struct disk_list *l, const struct disk_dev *d)
{
	for (unsigned i = 0; i < l->count; i++) {
		if (l->dev[i].dev == d->dev && l->dev[i].kib == d->kib)
			return true;
	}
	return false;
}

/* A drive without a medium is nothing to tell, and of several faults the first is enough. */
static void note_refused(struct disk_match *m, const struct disk_dev *d, const struct err *why)
{
	struct buf b;

	if (why->code == ENOMEDIUM || why->code == ENXIO || why->code == ENOENT || m->refused[0])
		return;
	buf_init(&b, m->refused, sizeof(m->refused));
	buf_addf(&b, "%s: %s", d->name, why->text);
}

/* True when it is certain that the device is not the one. */
static bool match_one(struct disk_match *m, const struct disk_dev *d, const uint8_t uuid[16])
{
	struct verity v;
	struct err e = {0};
	int fd = disk_open(d->name, O_RDONLY, &e);
	int rc = fd < 0 ? -1 : verity_probe(fd, &v, &e);

	if (fd >= 0)
		sys_close(fd);
	/* Not ours. A node that is not there yet has the same code, but no descriptor. */
	if (rc < 0 && fd >= 0 && e.code == ENOENT)
		return true;
	if (rc < 0) {
		note_refused(m, d, &e);
		return false;
	}
	if (memcmp(v.uuid, uuid, sizeof(v.uuid)) != 0)
		return true;
	if (m->count < DISK_MATCHES) {
		m->verity[m->count] = v;
		m->dev[m->count++] = *d;
	}
	return false;
}

/* A stick that was pulled out is new when it comes back. */
static void forget_absent(struct disk_list *seen, const struct disk_list *l)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < seen->count; i++) {
		if (in_list(l, &seen->dev[i]))
			seen->dev[kept++] = seen->dev[i];
	}
	seen->count = kept;
}

void disk_match_root(struct disk_match *m, const struct disk_list *l, struct disk_list *seen, const uint8_t uuid[16])
{
	memset(m, 0, sizeof(*m));
	forget_absent(seen, l);
	for (unsigned i = 0; i < l->count; i++) {
		if (in_list(seen, &l->dev[i]))
			continue;
		if (match_one(m, &l->dev[i], uuid) && seen->count < DISK_LIST)
			seen->dev[seen->count++] = l->dev[i];
	}
}

int disk_of_partition(dev_t part, char disk[DISK_NAME], unsigned *number, struct err *e)
{
	char path[LIMIT_PATH], target[LIMIT_PATH], text[16];
	struct buf b;
	uint64_t n;

	if (str_format(path, sizeof(path), PATH_SYS_BLOCK_DEV "/%u:%u", major(part), minor(part)) < 0)
		return err_set(e, ENAMETOOLONG, "device %u:%u", major(part), minor(part));
	ssize_t len = sys_readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return err_sys(e, "%s", path);
	target[len] = '\0';
	/* ".../block/vda/vda2": the folder above the partition is its disk. */
	char *slash = strrchr(target, '/');
	if (slash)
		*slash = '\0';
	char *name = slash ? strrchr(target, '/') : NULL;
	if (!name || str_copy(disk, DISK_NAME, name + 1) < 0)
		return err_set(e, EINVAL, "%s: not the address of a partition", path);
	buf_init(&b, text, sizeof(text));
	if (str_format(path, sizeof(path), PATH_SYS_BLOCK_DEV "/%u:%u/partition", major(part), minor(part)) < 0 ||
	    file_read(path, &b, e) < 0)
		return err_prefix(e, "device %u:%u is no partition", major(part), minor(part));
	text[strcspn(text, "\n")] = '\0';
	if (str_u64(text, GPT_ENTRIES, &n) < 0)
		return err_set(e, EINVAL, "%s: not a partition number", path);
	*number = (unsigned)n;
	return 0;
}

int disk_partition_label(dev_t part, char label[GPT_NAME], struct err *e)
{
	static const char key[] = "PARTNAME=";
	char path[LIMIT_PATH], text[UEVENT_TEXT];
	struct buf b;

	label[0] = '\0';
	buf_init(&b, text, sizeof(text));
	if (str_format(path, sizeof(path), PATH_SYS_BLOCK_DEV "/%u:%u/uevent", major(part), minor(part)) < 0 ||
	    file_read(path, &b, e) < 0)
		return err_prefix(e, "name of the partition");
	for (char *line = text; *line;) {
		size_t len = strcspn(line, "\n");
		bool last = line[len] == '\0';
		line[len] = '\0';
		if (str_starts(line, key) && str_copy(label, GPT_NAME, line + strlen(key)) < 0)
			return err_set(e, EINVAL, "%s: the partition's name is too long", path);
		line += len + !last;
	}
	return 0;
}

int disk_partition_name(const char *disk, unsigned number, char name[DISK_NAME], struct err *e)
{
	size_t len = strlen(disk);
	bool digit = len > 0 && disk[len - 1] >= '0' && disk[len - 1] <= '9';

	if (len == 0 || str_format(name, DISK_NAME, "%s%s%u", disk, digit ? "p" : "", number) < 0)
		return err_set(e, ENAMETOOLONG, "%s: no name for partition %u", disk, number);
	return 0;
}

int disk_sectors(int fd, uint64_t *sectors, struct err *e)
{
	uint64_t bytes;
	unsigned size;

	if (sys_ioctl(fd, BLKSSZGET, &size) < 0 || sys_ioctl(fd, BLKGETSIZE64, &bytes) < 0)
		return err_sys(e, "size of the disk");
	if (size != GPT_SECTOR)
		return err_set(e, EINVAL, "the disk has sectors of %u bytes; only %u are supported", size, GPT_SECTOR);
	*sectors = bytes / GPT_SECTOR;
	return 0;
}

/* All of it or an error; a disk does not return less without a reason. */
static int read_at(int fd, uint64_t lba, void *dst, size_t len, struct err *e)
{
	ssize_t n = sys_pread(fd, dst, len, (off_t)(lba * GPT_SECTOR));

	if (n < 0)
		return err_sys(e, "read sector %llu", (unsigned long long)lba);
	return (size_t)n == len ? 0 : err_set(e, EIO, "read sector %llu: short", (unsigned long long)lba);
}

static int write_at(int fd, uint64_t lba, const void *src, size_t len, struct err *e)
{
	ssize_t n = sys_pwrite(fd, src, len, (off_t)(lba * GPT_SECTOR));

	if (n < 0)
		return err_sys(e, "write sector %llu", (unsigned long long)lba);
	return (size_t)n == len ? 0 : err_set(e, EIO, "write sector %llu: short", (unsigned long long)lba);
}

static int read_copy(int fd, uint64_t lba, uint64_t sectors, struct gpt *g, struct err *e)
{
	uint8_t head[GPT_SECTOR], table[GPT_TABLE];

	if (read_at(fd, lba, head, sizeof(head), e) < 0)
		return -1;
	uint64_t table_lba = gpt_table_lba(head);
	if (table_lba < 2 || table_lba > sectors - 1 - GPT_TABLE_SECTORS)
		return err_set(e, EINVAL, "no partition table at sector %llu", (unsigned long long)lba);
	if (read_at(fd, table_lba, table, sizeof(table), e) < 0)
		return -1;
	return gpt_parse(g, head, table, lba, sectors, e);
}

int disk_gpt_read(int fd, struct gpt *g, enum disk_gpt *found, struct err *e)
{
	static struct gpt backup; /* 16 KiB that no stack needs to hold; the role has one thread */
	struct err ignored;
	uint64_t sectors = 0;

	if (disk_sectors(fd, &sectors, e) < 0)
		return -1;
	if (sectors < GPT_MIN_SECTORS)
		return err_set(e, EINVAL, "the disk is too small");
	bool backup_good = read_copy(fd, sectors - 1, sectors, &backup, &ignored) == 0;
	if (read_copy(fd, 1, sectors, g, e) < 0) {
		if (!backup_good)
			return -1;
		*g = backup;
		*found = DISK_GPT_PRIMARY_BAD;
		return 0;
	}
	bool same = backup_good && backup.last_usable == g->last_usable &&
	            memcmp(backup.entry, g->entry, sizeof(g->entry)) == 0 &&
	            memcmp(backup.disk_guid, g->disk_guid, sizeof(g->disk_guid)) == 0;
	*found = same ? DISK_GPT_GOOD : DISK_GPT_BACKUP_BAD;
	return 0;
}

static int write_copy(int fd, const struct gpt *g, uint64_t lba, struct err *e)
{
	uint8_t head[GPT_SECTOR];

	gpt_build(g, lba, head);
	if (write_at(fd, gpt_table_lba(head), g->entry, sizeof(g->entry), e) < 0)
		return -1;
	if (write_at(fd, lba, head, sizeof(head), e) < 0)
		return -1;
	return sys_fsync(fd) < 0 ? err_sys(e, "flush the disk") : 0;
}

int disk_wipe(int fd, const struct gpt_part *p, struct err *e)
{
	static uint8_t zero[WIPE_STEP * GPT_SECTOR]; /* not const: it takes no room in the program's file */
	uint64_t end = p->last - p->first < WIPE_SECTORS ? p->last + 1 : p->first + WIPE_SECTORS;

	for (uint64_t at = p->first; at < end; at += WIPE_STEP) {
		uint64_t n = end - at < WIPE_STEP ? end - at : WIPE_STEP;
		if (write_at(fd, at, zero, (size_t)n * GPT_SECTOR, e) < 0)
			return err_prefix(e, "wipe the place of partition %u", p->number);
	}
	return sys_fsync(fd) < 0 ? err_sys(e, "flush the disk") : 0;
}

int disk_gpt_write(int fd, const struct gpt *g, struct err *e)
{
	uint8_t mbr[GPT_SECTOR];

	if (write_copy(fd, g, g->sectors - 1, e) < 0)
		return err_prefix(e, "backup partition table");
	if (read_at(fd, 0, mbr, sizeof(mbr), e) < 0)
		return -1;
	gpt_build_mbr(g, mbr);
	if (write_at(fd, 0, mbr, sizeof(mbr), e) < 0 || write_copy(fd, g, 1, e) < 0)
		return err_prefix(e, "partition table");
	return 0;
}

static int blkpg(int fd, int op, const struct gpt_part *p)
{
	struct blkpg_partition part = {
		.start = (long long)(p->first * GPT_SECTOR),
		.length = (long long)((p->last - p->first + 1) * GPT_SECTOR),
		.pno = (int)p->number,
	};
	struct blkpg_ioctl_arg arg = {.op = op, .datalen = sizeof(part), .data = &part};

	return sys_ioctl(fd, BLKPG, &arg);
}

int disk_kernel_add(int fd, const struct gpt_part *p, struct err *e)
{
	/* EBUSY: the kernel knows it already, from before a power cut. */
	if (blkpg(fd, BLKPG_ADD_PARTITION, p) < 0 && errno != EBUSY)
		return err_sys(e, "tell the kernel of partition %u", p->number);
	return 0;
}

int disk_kernel_resize(int fd, const struct gpt_part *p, struct err *e)
{
	if (blkpg(fd, BLKPG_RESIZE_PARTITION, p) < 0)
		return err_sys(e, "tell the kernel of the new size of partition %u", p->number);
	return 0;
}
