/* dm-verity. Used by stage 1 (which opens the root) and by the storage and scrub roles (which ask for what is below
 * it). Never decides what a bad root means: it only says so. */
#include "host/verity.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"

#define SUPER_BYTES 512
#define EROFS_MAGIC UINT32_C(0xE0F5E1E2)
#define SECTOR      512

enum super_at {
	SUPER_SIGNATURE = 0,
	SUPER_VERSION = 8,
	SUPER_HASH_TYPE = 12,
	SUPER_UUID = 16,
	SUPER_ALGORITHM = 32,
	SUPER_DATA_BLOCK = 64,
	SUPER_HASH_BLOCK = 68,
	SUPER_DATA_BLOCKS = 72,
	SUPER_SALT_SIZE = 80,
	SUPER_SALT = 88
};

int verity_parse(struct verity *v, const uint8_t *block, size_t len, uint64_t hash_offset, struct err *e)
{
	static const uint8_t signature[8] = {'v', 'e', 'r', 'i', 't', 'y', 0, 0};
	static const char algorithm[32] = "sha256";

	if (len < SUPER_BYTES || memcmp(block + SUPER_SIGNATURE, signature, sizeof(signature)) != 0)
		return err_set(e, ENOENT, "no verity superblock");
	if (bytes_le32(block + SUPER_VERSION) != 1 || bytes_le32(block + SUPER_HASH_TYPE) != 1)
		return err_set(e, EINVAL, "verity superblock of an unknown version");
	if (memcmp(block + SUPER_ALGORITHM, algorithm, sizeof(algorithm)) != 0)
		return err_set(e, EINVAL, "verity superblock with another hash than sha256");
	if (bytes_le32(block + SUPER_DATA_BLOCK) != VERITY_BLOCK ||
	    bytes_le32(block + SUPER_HASH_BLOCK) != VERITY_BLOCK)
		return err_set(e, EINVAL, "verity superblock with another block size than %u", VERITY_BLOCK);
	v->data_blocks = bytes_le64(block + SUPER_DATA_BLOCKS);
	v->salt_len = (size_t)(block[SUPER_SALT_SIZE] | block[SUPER_SALT_SIZE + 1] << 8);
	if (v->data_blocks == 0 || v->data_blocks > hash_offset / VERITY_BLOCK || v->salt_len > VERITY_SALT_MAX)
		return err_set(e, EINVAL, "verity superblock with impossible sizes");
	v->hash_start = hash_offset / VERITY_BLOCK + 1;
	memcpy(v->uuid, block + SUPER_UUID, sizeof(v->uuid));
	memcpy(v->salt, block + SUPER_SALT, v->salt_len);
	return 0;
}

int verity_image_bytes(const uint8_t *block, size_t len, uint64_t *bytes, struct err *e)
{
	const uint8_t *super = block + VERITY_EROFS_AT;

	if (len < VERITY_EROFS_AT + 128 || bytes_le32(super) != EROFS_MAGIC)
		return err_set(e, ENOENT, "no EROFS superblock");
	unsigned bits = super[12];
	uint32_t blocks = bytes_le32(super + 36);
	if (bits < 9 || bits > 12 || blocks == 0)
		return err_set(e, EINVAL, "EROFS superblock with impossible sizes");
	*bytes = (uint64_t)blocks << bits;
	return 0;
}

int verity_table(const struct verity *v, dev_t dev, const char *roothash, char *dst, size_t cap, struct err *e)
{
	unsigned mj = major(dev), mn = minor(dev);
	struct buf b;

	buf_init(&b, dst, cap);
	buf_addf(&b, "1 %u:%u %u:%u %u %u %llu %llu sha256 %s ", mj, mn, mj, mn, VERITY_BLOCK, VERITY_BLOCK,
	         (unsigned long long)v->data_blocks, (unsigned long long)v->hash_start, roothash);
	if (v->salt_len == 0)
		buf_add_char(&b, '-');
	buf_add_hex(&b, v->salt, v->salt_len);
	return buf_ok(&b) ? 0 : err_set(e, ENOSPC, "verity table does not fit");
}

/* One block at `at`; a short read is an error. Aligned as direct I/O wants it, though it is not used here. */
static int read_block(int fd, uint64_t at, uint8_t block[VERITY_BLOCK], struct err *e)
{
	ssize_t n = sys_pread(fd, block, VERITY_BLOCK, (off_t)at);

	if (n < 0)
		return err_sys(e, "read at %llu", (unsigned long long)at);
	return n == VERITY_BLOCK ? 0 : err_set(e, ENOENT, "too small");
}

int verity_probe(int fd, struct verity *v, struct err *e)
{
	uint8_t block[VERITY_BLOCK];
	uint64_t bytes = 0;

	if (read_block(fd, 0, block, e) < 0 || verity_image_bytes(block, sizeof(block), &bytes, e) < 0)
		return -1;
	uint64_t offset = (bytes + VERITY_BLOCK - 1) / VERITY_BLOCK * VERITY_BLOCK;
	if (read_block(fd, offset, block, e) < 0)
		return -1;
	return verity_parse(v, block, sizeof(block), offset, e);
}

ssize_t verity_read(int fd, uint64_t *block, uint8_t *p, size_t len, struct err *e)
{
	ssize_t n = sys_pread(fd, p, len, (off_t)(*block * VERITY_BLOCK));

	if (n >= 0) {
		*block += ((uint64_t)n + VERITY_BLOCK - 1) / VERITY_BLOCK;
		return n;
	}
	/* The whole step failed: which block of it does? */
	for (size_t done = 0; done + VERITY_BLOCK <= len; done += VERITY_BLOCK, (*block)++) {
		n = sys_pread(fd, p + done, VERITY_BLOCK, (off_t)(*block * VERITY_BLOCK));
		if (n < 0)
			return err_sys(e, "block %llu", (unsigned long long)*block);
		if (n == 0)
			return (ssize_t)done;
	}
	return (ssize_t)len;
}

/* One device-mapper request: the fixed header and room for one target or a list of devices. */
struct request {
	struct dm_ioctl head;
	struct dm_target_spec target;
	char text[1024];
};

static void request_init(struct request *rq)
{
	memset(rq, 0, sizeof(*rq));
	rq->head.version[0] = DM_VERSION_MAJOR;
	rq->head.data_size = sizeof(*rq);
	rq->head.data_start = offsetof(struct request, target);
	/* Both fit: constants. */
	memcpy(rq->head.name, VERITY_NAME, sizeof(VERITY_NAME));
}

static int control_open(struct err *e)
{
	int fd = sys_open(PATH_DM_CONTROL, O_RDWR | O_CLOEXEC, 0);

	return fd < 0 ? err_sys(e, PATH_DM_CONTROL) : fd;
}

static int load_table(int control, const struct verity *v, dev_t dev, const char *roothash, struct err *e)
{
	struct request rq;

	request_init(&rq);
	rq.head.flags = DM_READONLY_FLAG;
	rq.head.target_count = 1;
	rq.target.length = v->data_blocks * (VERITY_BLOCK / SECTOR);
	rq.target.next = sizeof(rq.target) + sizeof(rq.text);
	memcpy(rq.target.target_type, "verity", sizeof("verity"));
	if (verity_table(v, dev, roothash, rq.text, sizeof(rq.text), e) < 0)
		return -1;
	return sys_ioctl(control, DM_TABLE_LOAD, &rq) < 0 ? err_sys(e, "device-mapper: load the verity table") : 0;
}

int verity_open(const struct verity *v, dev_t dev, const char *roothash, dev_t *out, struct err *e)
{
	struct request rq;
	int control = control_open(e);
	int rc = -1;

	if (control < 0)
		return -1;
	request_init(&rq);
	if (sys_ioctl(control, DM_DEV_CREATE, &rq) < 0) {
		err_sys(e, "device-mapper: create " VERITY_NAME);
		goto out;
	}
	*out = (dev_t)rq.head.dev;
	if (load_table(control, v, dev, roothash, e) < 0)
		goto remove;
	request_init(&rq);
	if (sys_ioctl(control, DM_DEV_SUSPEND, &rq) < 0) { /* without DM_SUSPEND_FLAG: resume */
		err_sys(e, "device-mapper: resume " VERITY_NAME);
		goto remove;
	}
	rc = 0;
	goto out;
remove:
	request_init(&rq);
	(void)sys_ioctl(control, DM_DEV_REMOVE, &rq);
out:
	sys_close(control);
	return rc;
}

int verity_device(dev_t *out, struct err *e)
{
	struct request rq;
	int control = control_open(e);

	if (control < 0)
		return -1;
	request_init(&rq);
	int rc = sys_ioctl(control, DM_DEV_STATUS, &rq);
	if (rc < 0)
		err_sys(e, "device-mapper: " VERITY_NAME);
	sys_close(control);
	*out = (dev_t)rq.head.dev;
	return rc < 0 ? -1 : 0;
}

int verity_open_root(struct err *e)
{
	char path[LIMIT_NAME];
	dev_t dev;

	if (verity_device(&dev, e) < 0)
		return -1;
	if (str_format(path, sizeof(path), "/dev/dm-%u", minor(dev)) < 0)
		return err_set(e, ENAMETOOLONG, "device number");
	int fd = sys_open(path, O_RDONLY | O_DIRECT | O_CLOEXEC, 0);

	return fd < 0 ? err_sys(e, "%s", path) : fd;
}

int verity_backing(dev_t *out, struct err *e)
{
	struct request rq;
	struct dm_target_deps deps;
	uint64_t dev;
	int control = control_open(e);

	if (control < 0)
		return -1;
	request_init(&rq);
	int rc = sys_ioctl(control, DM_TABLE_DEPS, &rq);
	if (rc < 0)
		err_sys(e, "device-mapper: what is below " VERITY_NAME);
	sys_close(control);
	if (rc < 0)
		return -1;
	if (rq.head.data_start > sizeof(rq) - sizeof(deps) - sizeof(dev))
		return err_set(e, EPROTO, "device-mapper: an answer out of shape");
	memcpy(&deps, (const char *)&rq + rq.head.data_start, sizeof(deps));
	if (deps.count < 1)
		return err_set(e, ENXIO, "device-mapper: nothing is below " VERITY_NAME);
	memcpy(&dev, (const char *)&rq + rq.head.data_start + sizeof(deps), sizeof(dev));
	*out = (dev_t)dev;
	return 0;
}
