/* How each file system of the box is made, checked, mounted and grown. Run by the storage role; decides nothing. */
#include "node/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "board.h"
#include "host/disk.h"
#include "host/gpt.h"
#include "host/mounts.h"
#include "node/tool.h"

#define ARGS        24
#define MAKE_MS     (10 * 60 * 1000) /* a slow stick of 2 TB; the service's own deadline is longer */
#define CHECK_MS    (10 * 60 * 1000)
#define GROW_MS     (5 * 60 * 1000)
#define CHECK_FIXED 2 /* e2fsck: 0 clean, 1 repaired, 2 repaired and a mounted one would need a reboot (8) */
#define CHECK_NONE  8 /* e2fsck: could not begin, as without a superblock */
#define GROW_SLACK  (UINT64_C(16) << 20) /* an XFS does not use a last allocation group that would be too small */

#define TEXT(number)  TEXT_OF(number)
#define TEXT_OF(text) #text

/* Short: it is shown on 80 columns and cut at LIMIT_DETAIL. */
#define KEEP_SAFE "left as it is: repair it on another computer or delete the partition"

static const struct fs {
	const char *target, *type, *options;
	unsigned long flags;
	const char *make[ARGS]; /* the device comes behind */
	const char *check[ARGS];
	const char *check_backup[ARGS]; /* when the first could not begin */
} table[] = {
	[FS_ESP] = {.target = PATH_ESP,
                    .type = "vfat",
                    .options = "umask=0077",
                    /* In order: a power cut in a rename leaves the boot entry under both names, never under none. */
                    .flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_DIRSYNC,
                    .make = {PATH_MKFS_FAT, "-F", "32", "-n", BOARD_LABEL_ESP, "-i", TEXT(BOARD_IMAGE_ESP_SERIAL)},
                    .check = {PATH_FSCK_FAT, "-a", "-w"}},
	/* Few small files: fewer inodes make it quicker; nothing is left for a kernel thread to initialise later. */
	[FS_STATE] = {.target = PATH_STATE,
                      .type = "ext4",
                      .options = "errors=remount-ro",
                      .flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME,
                      .make = {PATH_MKE2FS, "-q", "-F", "-t", "ext4", "-b", "4096", "-N", "4096", "-m", "0", "-J",
                               "size=8", "-E", "lazy_itable_init=0,lazy_journal_init=0", "-L", BOARD_LABEL_STATE},
                      .check = {PATH_E2FSCK, "-p"},
                      /* The superblock is two sectors: a power cut can leave one old, one new. */
                      .check_backup = {PATH_E2FSCK, "-p", "-b", "32768", "-B", "4096"}},
	[FS_DATA] = {.target = PATH_DATA,
                     .type = "xfs",
                     .options = "prjquota",
                     .flags = MS_NOATIME,
                     .make = {PATH_MKFS_XFS, "-q", "-f", "-K", "-m", "reflink=1", "-L", BOARD_LABEL_DATA}},
};

const char *fs_target(enum fs_id id)
{
	return table[id].target;
}

/* argv and the device behind it; ARGS leaves room for both and the end. */
static int run_on(const char *const *argv, const char *device, uint32_t deadline_ms, int *status, struct err *e)
{
	const char *all[ARGS + 2] = {NULL};
	unsigned n = 0;

	while (n < ARGS && argv[n]) {
		all[n] = argv[n];
		n++;
	}
	all[n] = device;
	return tool_run(all, deadline_ms, status, e);
}

int fs_make(enum fs_id id, const char *device, struct err *e)
{
	const struct fs *f = &table[id];
	int status;

	if (run_on(f->make, device, MAKE_MS, &status, e) < 0)
		return err_prefix(e, "make %s on %s", f->type, device);
	return status == 0
	               ? 0
	               : err_set(e, EIO, "make %s on %s: %s ended with status %d", f->type, device, f->make[0], status);
}

static int run_check(const struct fs *f, const char *device, int *status, struct err *e)
{
	int rc = run_on(f->check, device, CHECK_MS, status, e);

	if (rc == 0 && *status == CHECK_NONE && f->check_backup[0]) {
		log_warnx("storage", "%s: no whole superblock; checking by its backup", device);
		rc = run_on(f->check_backup, device, CHECK_MS, status, e);
	}
	return rc;
}

int fs_check(enum fs_id id, const char *device, bool *fixed, struct err *e)
{
	const struct fs *f = &table[id];
	int status;

	*fixed = false;
	if (!f->check[0])
		return 0;
	if (run_check(f, device, &status, e) < 0) {
		if (e->code != ENOENT)
			return err_prefix(e, "check %s", device);
		log_warnx("storage", "%s: not checked: %s", device, e->text);
		return 0;
	}
	if (status > CHECK_FIXED)
		return err_set(e, EUCLEAN, "the %s of %s is damaged (status %d of its check); " KEEP_SAFE, f->type,
		               device, status);
	*fixed = status > 0;
	if (*fixed)
		log_warnx("storage", "%s: repaired (status %d)", device, status);
	return 0;
}

int fs_mount(enum fs_id id, const char *device, struct err *e)
{
	const struct fs *f = &table[id];

	if (mounts_is_mounted(f->target))
		return 0;
	(void)sys_mkdir(f->target, 0755); /* the image has it; mount says it when not */
	if (sys_mount(device, f->target, f->type, f->flags, f->options) < 0)
		return err_set(e, errno, "the %s of %s does not mount (%s); " KEEP_SAFE, f->type, device,
		               strerror(errno));
	return 0;
}

static uint64_t get_be(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

uint64_t fs_xfs_bytes(const uint8_t *sector)
{
	/* struct xfs_dsb: magic, block size, number of blocks; big-endian. */
	if (memcmp(sector, "XFSB", 4) != 0)
		return 0;
	uint64_t block = get_be(sector + 4, 4), blocks = get_be(sector + 8, 8);
	return block > 65536 || blocks > UINT64_MAX / 65536 ? 0 : block * blocks;
}

static int sizes(const char *device, uint64_t *part, uint64_t *fs, struct err *e)
{
	uint8_t sector[GPT_SECTOR] = {0};
	int fd = sys_open(device, O_RDONLY | O_CLOEXEC, 0);
	int rc = -1;

	*part = 0;
	if (fd < 0)
		return err_sys(e, "%s", device);
	if (disk_sectors(fd, part, e) == 0) {
		ssize_t n = sys_pread(fd, sector, sizeof(sector), 0);
		rc = n == (ssize_t)sizeof(sector) ? 0 : err_sys(e, "read %s", device);
	}
	sys_close(fd);
	*part *= GPT_SECTOR;
	*fs = rc == 0 ? fs_xfs_bytes(sector) : 0;
	return rc;
}

int fs_grow_data(const char *device, bool *grew, struct err *e)
{
	const char *argv[] = {PATH_XFS_GROWFS, "-d", PATH_DATA, NULL};
	uint64_t part = 0, fs = 0;
	int status;

	*grew = false;
	if (sizes(device, &part, &fs, e) < 0)
		return -1;
	if (fs == 0 || part < fs + GROW_SLACK)
		return 0;
	if (tool_run(argv, GROW_MS, &status, e) < 0)
		return -1;
	if (status != 0)
		return err_set(e, EIO, "grow %s: " PATH_XFS_GROWFS " ended with status %d", device, status);
	*grew = true;
	return 0;
}
