/* Block devices on a file: the list, finding the root, and writing a partition table under power cuts. */
#include "host/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake/sys.h"

#define SECTORS 16384 /* 8 MiB */
#define LINUX   "0fc63daf-8483-4772-8e79-3d69d8477de4"

static struct err e;
static struct gpt g, before, after;
static enum disk_gpt found;
static int fd = -1;
static char path[] = "/tmp/hearth-test-disk-XXXXXX";
static uint64_t bytes = SECTORS * 512;
static int sector_size = 512;
static struct blkpg_partition told;
static int told_op, blkpg_errno;
static unsigned fds_before;

static int disk_ioctl(int on, unsigned long request, void *arg)
{
	const struct blkpg_ioctl_arg *a = arg;

	(void)on;
	if (request == BLKSSZGET) {
		*(int *)arg = sector_size;
	} else if (request == BLKGETSIZE64) {
		*(uint64_t *)arg = bytes;
	} else if (request == BLKPG) {
		told_op = a->op;
		told = *(const struct blkpg_partition *)a->data;
		errno = blkpg_errno;
		return blkpg_errno ? -1 : 0;
	} else {
		errno = ENOTTY;
		return -1;
	}
	return 0;
}

static int setup(void **state)
{
	(void)state;
	fake_reset();
	fds_before = fake_open_fds();
	strcpy(path, "/tmp/hearth-test-disk-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, SECTORS * 512), 0);
	bytes = SECTORS * 512;
	sector_size = 512;
	blkpg_errno = 0;
	fake_ioctl = disk_ioctl;
	memset(&e, 0, sizeof(e));
	memset(&g, 0, sizeof(g));
	g.sectors = SECTORS;
	g.first_usable = 34;
	memset(g.disk_guid, 7, sizeof(g.disk_guid));
	(void)gpt_fit(&g);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(fd);
	unlink(path);
	fake_reset();
	return fake_open_fds() == fds_before ? 0 : -1;
}

static void add(struct gpt *to, const char *name, uint64_t sectors)
{
	struct gpt_want w = {.name = name, .type = LINUX, .sectors = sectors};
	struct gpt_part p;

	memset(w.guid, 3, sizeof(w.guid));
	assert_int_equal(gpt_add(to, &w, &p, &e), 0);
}

static void list_is_parsed(void **state)
{
	static struct disk_list l;

	(void)state;
	disk_list_parse(&l, "major minor  #blocks  name\n\n"
	                    "   8        0  488386584 sda\n"
	                    "   7        0       1960 loop0\n"
	                    " 253        0       1960 dm-0\n"
	                    " 259        2    1048576 nvme0n1p2\n"
	                    "   1        x       4096 bad\n"
	                    "99999999999999999999 0 1 huge\n"
	                    "   8        1          1 a-name-of-more-than-thirty-one-bytes\n"
	                    "   8       17        100 sdb1");
	assert_int_equal(l.count, 3);
	assert_string_equal(l.dev[0].name, "sda");
	assert_int_equal(l.dev[0].kib, 488386584);
	assert_true(l.dev[0].dev == makedev(8, 0));
	assert_string_equal(l.dev[1].name, "nvme0n1p2");
	assert_true(l.dev[1].dev == makedev(259, 2));
	assert_string_equal(l.dev[2].name, "sdb1");
}

static void a_long_list_is_cut(void **state)
{
	static struct disk_list l;
	static char text[DISK_LIST * 64];
	size_t n = 0;

	(void)state;
	for (int i = 0; i < DISK_LIST + 10; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " 8 %d 100 sd%d\n", i, i);
	disk_list_parse(&l, text);
	assert_int_equal(l.count, DISK_LIST);
}

/* ---- finding the root: every device of the list is the same file, seen through what `content` says ---- */

enum content { EMPTY, ROOT, OTHER_ROOT, BROKEN, UNREADABLE, ABSENT };
static enum content content[4];
static unsigned opens;

static int content_open(const char *name, int flags, mode_t mode)
{
	(void)flags;
	(void)mode;
	opens++;
	int n = name[strlen(name) - 1] - '0';
	if (content[n] == ABSENT) {
		errno = ENOENT;
		return -1;
	}
	return 100 + n;
}

static int content_close(int on)
{
	return on >= 100 ? 0 : close(on);
}

static ssize_t content_pread(int on, void *p, size_t n, off_t at)
{
	enum content c = content[on - 100];
	uint8_t *b = p;

	memset(b, 0, n);
	if (c == UNREADABLE) {
		errno = EIO;
		return -1;
	}
	if (c == EMPTY)
		return (ssize_t)n;
	if (at == 0) { /* EROFS: 8 blocks of 4096 */
		static const uint8_t magic[4] = {0xE2, 0xE1, 0xF5, 0xE0};
		memcpy(b + 1024, magic, 4);
		b[1024 + 12] = 12;
		b[1024 + 36] = 8;
		return (ssize_t)n;
	}
	assert_int_equal(at, 8 * 4096);
	memcpy(b, "verity\0\0", 8);
	b[8] = c == BROKEN ? 9 : 1;
	b[12] = 1;
	memset(b + 16, c == OTHER_ROOT ? 0x22 : 0x11, 16);
	memcpy(b + 32, "sha256", 6);
	b[64 + 1] = b[68 + 1] = 0x10;
	b[72] = 8;
	return (ssize_t)n;
}

static void look(struct disk_match *m, struct disk_list *seen)
{
	static struct disk_list l;
	static const uint8_t uuid[16] = {[0 ... 15] = 0x11};

	fake_open = content_open;
	fake_close = content_close;
	fake_pread = content_pread;
	disk_list_parse(&l, " 8 0 100 sd0\n 8 1 100 sd1\n 8 2 100 sd2\n 8 3 100 sd3\n");
	opens = 0;
	disk_match_root(m, &l, seen, uuid);
}

static void finds_the_root(void **state)
{
	static struct disk_list seen;
	struct disk_match m;

	(void)state;
	memset(&seen, 0, sizeof(seen));
	content[0] = EMPTY;
	content[1] = OTHER_ROOT;
	content[2] = ROOT;
	content[3] = EMPTY;
	look(&m, &seen);
	assert_int_equal(m.count, 1);
	assert_string_equal(m.dev[0].name, "sd2");
	assert_int_equal(m.verity[0].data_blocks, 8);
	assert_string_equal(m.refused, "");
	assert_int_equal(opens, 4);
	/* What is certainly something else is not read again. */
	look(&m, &seen);
	assert_int_equal(m.count, 1);
	assert_int_equal(opens, 1);
}

static void all_roots_are_named(void **state)
{
	static struct disk_list seen;
	struct disk_match m;

	(void)state;
	memset(&seen, 0, sizeof(seen));
	for (int i = 0; i < 4; i++)
		content[i] = i == 0 ? EMPTY : ROOT;
	look(&m, &seen);
	assert_int_equal(m.count, 3);
	assert_int_equal(m.verity[2].data_blocks, 8);
	assert_string_equal(m.dev[0].name, "sd1");
	assert_string_equal(m.dev[1].name, "sd2");
}

static void what_cannot_be_used_is_named_and_tried_again(void **state)
{
	static struct disk_list seen;
	struct disk_match m;

	(void)state;
	memset(&seen, 0, sizeof(seen));
	content[0] = EMPTY;
	content[1] = ABSENT;
	content[2] = BROKEN;
	content[3] = UNREADABLE;
	look(&m, &seen);
	assert_int_equal(m.count, 0);
	assert_string_equal(m.refused, "sd2: verity superblock of an unknown version");
	content[1] = content[3] = ROOT; /* its node is there now; it answers now */
	look(&m, &seen);
	assert_int_equal(m.count, 2);
	content[1] = EMPTY;
	content[2] = EMPTY;
	content[3] = UNREADABLE;
	look(&m, &seen);
	assert_string_equal(m.refused, "sd3: read at 0: Input/output error");
}

static void a_stick_that_comes_back_is_new(void **state)
{
	static struct disk_list seen, none, l;
	struct disk_match m;
	static const uint8_t uuid[16] = {[0 ... 15] = 0x11};

	(void)state;
	memset(&seen, 0, sizeof(seen));
	for (int i = 0; i < 4; i++)
		content[i] = EMPTY;
	look(&m, &seen);
	assert_int_equal(seen.count, 4);
	disk_match_root(&m, &none, &seen, uuid);
	assert_int_equal(seen.count, 0);
	content[1] = ROOT;
	look(&m, &seen);
	assert_int_equal(m.count, 1);
	(void)l;
}

/* ---- partitions and names ---- */

static const char *link_target, *number_text;

static ssize_t part_readlink(const char *name, char *dst, size_t n)
{
	assert_string_equal(name, "/sys/dev/block/254:2");
	if (!link_target) {
		errno = ENOENT;
		return -1;
	}
	size_t len = strlen(link_target);
	memcpy(dst, link_target, len < n ? len : n);
	return (ssize_t)(len < n ? len : n);
}

static int number_open(const char *name, int flags, mode_t mode)
{
	(void)mode;
	assert_true(strcmp(name, "/sys/dev/block/254:2/partition") == 0 ||
	            strcmp(name, "/sys/dev/block/254:2/uevent") == 0);
	if (!number_text) {
		errno = ENOENT;
		return -1;
	}
	char file[] = "/tmp/hearth-test-number-XXXXXX";
	int on = mkostemp(file, flags & O_CLOEXEC);
	unlink(file);
	assert_int_equal(write(on, number_text, strlen(number_text)), strlen(number_text));
	lseek(on, 0, SEEK_SET);
	return on;
}

static int find(const char *target, const char *text, char disk[DISK_NAME], unsigned *number)
{
	fake_readlink = part_readlink;
	fake_open = number_open;
	link_target = target;
	number_text = text;
	return disk_of_partition(makedev(254, 2), disk, number, &e);
}

static void a_partition_knows_its_name(void **state)
{
	char label[GPT_NAME];

	(void)state;
	fake_open = number_open;
	number_text = "MAJOR=254\nMINOR=2\nDEVNAME=vda2\nDEVTYPE=partition\nPARTN=2\nPARTNAME=system-b\n";
	assert_int_equal(disk_partition_label(makedev(254, 2), label, &e), 0);
	assert_string_equal(label, "system-b");
	number_text = "PARTNAME=system-a"; /* no line break */
	assert_int_equal(disk_partition_label(makedev(254, 2), label, &e), 0);
	assert_string_equal(label, "system-a");
	number_text = "MAJOR=254\nXPARTNAME=x\n";
	assert_int_equal(disk_partition_label(makedev(254, 2), label, &e), 0);
	assert_string_equal(label, "");
	number_text = "PARTNAME=a-name-that-is-longer-than-a-gpt-can-hold\n";
	assert_int_equal(disk_partition_label(makedev(254, 2), label, &e), -1);
	number_text = NULL;
	assert_int_equal(disk_partition_label(makedev(254, 2), label, &e), -1);
	assert_string_equal(label, "");
}

static void a_partition_knows_its_disk(void **state)
{
	char disk[DISK_NAME];
	unsigned number;

	(void)state;
	assert_int_equal(find("../../devices/pci0/virtio1/block/vda/vda2", "2\n", disk, &number), 0);
	assert_string_equal(disk, "vda");
	assert_int_equal(number, 2);
	assert_int_equal(find("../../devices/pci0/nvme/nvme0/nvme0n1/nvme0n1p12", "12\n", disk, &number), 0);
	assert_string_equal(disk, "nvme0n1");
	assert_int_equal(number, 12);
	assert_int_equal(find(NULL, "2\n", disk, &number), -1);
	assert_int_equal(find("../../devices/block/vda", NULL, disk, &number), -1);
	assert_non_null(strstr(e.text, "is no partition"));
	assert_int_equal(find("vda2", "2\n", disk, &number), -1);
	assert_int_equal(find("../block/vda/vda2", "129\n", disk, &number), -1);
	assert_int_equal(find("../block/a-name-of-more-than-thirty-one-bytes/x", "1\n", disk, &number), -1);
}

static void partitions_are_named_as_the_kernel_does(void **state)
{
	char name[DISK_NAME];

	(void)state;
	assert_int_equal(disk_partition_name("vda", 2, name, &e), 0);
	assert_string_equal(name, "vda2");
	assert_int_equal(disk_partition_name("mmcblk0", 12, name, &e), 0);
	assert_string_equal(name, "mmcblk0p12");
	assert_int_equal(disk_partition_name("", 1, name, &e), -1);
	assert_int_equal(disk_partition_name("a-name-of-thirty-one-bytes-abcde", 1, name, &e), -1);
}

static void other_sectors_are_refused(void **state)
{
	uint64_t n;

	(void)state;
	assert_int_equal(disk_sectors(fd, &n, &e), 0);
	assert_int_equal(n, SECTORS);
	sector_size = 4096;
	assert_int_equal(disk_sectors(fd, &n, &e), -1);
	assert_non_null(strstr(e.text, "4096"));
}

/* ---- tables on the disk ---- */

static void expect(enum disk_gpt how, const struct gpt *what)
{
	static struct gpt got;

	assert_int_equal(disk_gpt_read(fd, &got, &found, &e), 0);
	assert_int_equal(found, how);
	assert_memory_equal(got.entry, what->entry, sizeof(got.entry));
	assert_memory_equal(got.disk_guid, what->disk_guid, 16);
}

static void scratch(unsigned sector)
{
	assert_int_equal(pwrite(fd, "scratch", 7, (off_t)sector * 512 + 30), 7);
}

static void written_and_read_back(void **state)
{
	static struct gpt none;

	(void)state;
	assert_int_equal(disk_gpt_read(fd, &none, &found, &e), -1);
	add(&g, "state", 2048);
	assert_int_equal(disk_gpt_write(fd, &g, &e), 0);
	expect(DISK_GPT_GOOD, &g);
	uint8_t mbr[512];
	assert_int_equal(pread(fd, mbr, 512, 0), 512);
	assert_int_equal(mbr[450], 0xEE);
}

static void either_copy_is_enough(void **state)
{
	static const unsigned primary[] = {1, 2, 33}, backup[] = {SECTORS - 1, SECTORS - 33, SECTORS - 2};

	(void)state;
	add(&g, "state", 2048);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(disk_gpt_write(fd, &g, &e), 0);
		scratch(primary[i]);
		expect(DISK_GPT_PRIMARY_BAD, &g);
		assert_int_equal(disk_gpt_write(fd, &g, &e), 0);
		scratch(backup[i]);
		expect(DISK_GPT_BACKUP_BAD, &g);
	}
	scratch(1);
	assert_int_equal(disk_gpt_read(fd, &g, &found, &e), -1);
}

static void a_larger_disk_has_no_backup_yet(void **state)
{
	(void)state;
	add(&g, "data", 0);
	assert_int_equal(disk_gpt_write(fd, &g, &e), 0);
	bytes *= 2;
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	expect(DISK_GPT_BACKUP_BAD, &g);
	static struct gpt larger;
	struct gpt_part p;
	assert_int_equal(disk_gpt_read(fd, &larger, &found, &e), 0);
	assert_true(gpt_fit(&larger));
	assert_true(gpt_grow(&larger, 1, &p));
	assert_int_equal(disk_gpt_write(fd, &larger, &e), 0);
	expect(DISK_GPT_GOOD, &larger);
}

static void copies_that_differ_are_repaired_from_the_primary(void **state)
{
	static uint8_t old[33 * 512];

	(void)state;
	add(&g, "state", 2048);
	assert_int_equal(disk_gpt_write(fd, &g, &e), 0);
	assert_int_equal(pread(fd, old, sizeof(old), (SECTORS - 33) * 512), sizeof(old));
	add(&g, "data", 2048);
	assert_int_equal(disk_gpt_write(fd, &g, &e), 0);
	assert_int_equal(pwrite(fd, old, sizeof(old), (SECTORS - 33) * 512), sizeof(old));
	expect(DISK_GPT_BACKUP_BAD, &g);
}

static void a_disk_of_nothing_is_refused(void **state)
{
	(void)state;
	bytes = 67 * 512;
	assert_int_equal(disk_gpt_read(fd, &g, &found, &e), -1);
	assert_non_null(strstr(e.text, "too small"));
}

/* The disk loses power in the middle of the write that has this number: the first `torn` bytes of it arrive. */
static unsigned power_writes;
static size_t torn;
static bool off;

static ssize_t cut_pwrite(int on, const void *p, size_t n, off_t at)
{
	if (off || --power_writes == 0) {
		if (!off)
			assert_true(pwrite(on, p, torn < n ? torn : n, at) >= 0);
		off = true;
		errno = EIO;
		return -1;
	}
	return pwrite(on, p, n, at);
}

static int cut_fsync(int on)
{
	(void)on;
	errno = EIO;
	return off ? -1 : 0;
}

static bool is_table(const struct gpt *a, const struct gpt *b)
{
	return memcmp(a->entry, b->entry, sizeof(a->entry)) == 0;
}

static bool cut_at(unsigned number, size_t part)
{
	fake_reset();
	fake_ioctl = disk_ioctl;
	assert_int_equal(disk_gpt_write(fd, &before, &e), 0);
	fake_pwrite = cut_pwrite;
	fake_fsync = cut_fsync;
	power_writes = number;
	torn = part;
	off = false;
	int rc = disk_gpt_write(fd, &after, &e);
	assert_int_equal(rc, off ? -1 : 0);
	fake_pwrite = NULL;
	fake_fsync = NULL;
	if (disk_gpt_read(fd, &g, &found, &e) < 0)
		fail_msg("no table after a cut in write %u at byte %zu: %s", number, part, e.text);
	assert_true(is_table(&g, &before) || is_table(&g, &after));
	if (!off) {
		assert_true(is_table(&g, &after));
		assert_int_equal(found, DISK_GPT_GOOD);
	}
	return off;
}

static void a_power_cut_leaves_one_good_copy(void **state)
{
	static const size_t parts[] = {0, 512, 1024, 8192, GPT_TABLE};
	unsigned n, cuts = 0;

	(void)state;
	add(&g, "state", 2048);
	before = g;
	add(&g, "data", 0);
	after = g;
	for (n = 1; n < 100; n++) {
		bool cut = false;
		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
			cut = cut_at(n, parts[i]) || cut;
		if (!cut)
			break;
		cuts++;
	}
	assert_int_equal(cuts, 5); /* entries and header of the backup, the MBR, entries and header of the primary */
}

static void every_call_may_fail(void **state)
{
	(void)state;
	add(&g, "state", 2048);
	assert_int_equal(disk_gpt_write(fd, &g, &e), 0);
	before = g;
	add(&g, "data", 0);
	after = g;
	for (unsigned n = 1; n < 100; n++) {
		static struct gpt got;
		fake_fail_at(n, EIO);
		int rc = disk_gpt_write(fd, &after, &e);
		bool fired = fake_fired();
		fake_fail_at(0, 0);
		assert_int_equal(rc, fired ? -1 : 0);
		assert_int_equal(disk_gpt_read(fd, &got, &found, &e), 0);
		fake_fail_at(n, EIO);
		(void)!disk_gpt_read(fd, &got, &found, &e);
		bool read_fired = fake_fired();
		fake_fail_at(0, 0);
		if (!fired && !read_fired)
			return;
	}
	fail();
}

static void the_place_of_a_new_partition_is_wiped(void **state)
{
	struct gpt_part p = {.number = 3, .first = 2048, .last = 2048 + 4095};
	uint8_t old[512], got[512];

	(void)state;
	memset(old, 0xEE, sizeof(old));
	for (unsigned i = 2047; i < 2048 + 4097; i++)
		assert_int_equal(pwrite(fd, old, 512, (off_t)i * 512), 512);
	assert_int_equal(disk_wipe(fd, &p, &e), 0);
	static const struct {
		unsigned sector;
		uint8_t byte;
	} see[] = {{2047, 0xEE}, {2048, 0}, {2050, 0}, {4095, 0}, {4096, 0xEE}};
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(pread(fd, got, 512, (off_t)see[i].sector * 512), 512);
		assert_int_equal(got[0], see[i].byte);
	}
	p.first = 5000; /* smaller than what is wiped */
	p.last = 5001;
	assert_int_equal(disk_wipe(fd, &p, &e), 0);
	assert_int_equal(pread(fd, got, 512, 5002 * 512), 512);
	assert_int_equal(got[0], 0xEE);
	fake_fail_at(1, EIO);
	assert_int_equal(disk_wipe(fd, &p, &e), -1);
	fake_fail_at(2, EIO);
	assert_int_equal(disk_wipe(fd, &p, &e), -1);
}

static void the_kernel_hears_of_partitions(void **state)
{
	struct gpt_part p = {.number = 3, .first = 2048, .last = 4095};

	(void)state;
	assert_int_equal(disk_kernel_add(fd, &p, &e), 0);
	assert_int_equal(told_op, BLKPG_ADD_PARTITION);
	assert_int_equal(told.pno, 3);
	assert_int_equal(told.start, 2048 * 512);
	assert_int_equal(told.length, 2048 * 512);
	blkpg_errno = EBUSY;
	assert_int_equal(disk_kernel_add(fd, &p, &e), 0);
	assert_int_equal(disk_kernel_resize(fd, &p, &e), -1);
	blkpg_errno = EINVAL;
	assert_int_equal(disk_kernel_add(fd, &p, &e), -1);
	blkpg_errno = 0;
	assert_int_equal(disk_kernel_resize(fd, &p, &e), 0);
	assert_int_equal(told_op, BLKPG_RESIZE_PARTITION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(list_is_parsed, setup, teardown),
		cmocka_unit_test_setup_teardown(a_long_list_is_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(finds_the_root, setup, teardown),
		cmocka_unit_test_setup_teardown(all_roots_are_named, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_used_is_named_and_tried_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stick_that_comes_back_is_new, setup, teardown),
		cmocka_unit_test_setup_teardown(a_partition_knows_its_name, setup, teardown),
		cmocka_unit_test_setup_teardown(a_partition_knows_its_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(partitions_are_named_as_the_kernel_does, setup, teardown),
		cmocka_unit_test_setup_teardown(other_sectors_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(written_and_read_back, setup, teardown),
		cmocka_unit_test_setup_teardown(either_copy_is_enough, setup, teardown),
		cmocka_unit_test_setup_teardown(a_larger_disk_has_no_backup_yet, setup, teardown),
		cmocka_unit_test_setup_teardown(copies_that_differ_are_repaired_from_the_primary, setup, teardown),
		cmocka_unit_test_setup_teardown(a_disk_of_nothing_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_power_cut_leaves_one_good_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(every_call_may_fail, setup, teardown),
		cmocka_unit_test_setup_teardown(the_place_of_a_new_partition_is_wiped, setup, teardown),
		cmocka_unit_test_setup_teardown(the_kernel_hears_of_partitions, setup, teardown),
	};

	return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
