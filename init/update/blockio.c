/* Reads and writes at a place. Used by the update's worker, on descriptors that it was given. */
#include "update/blockio.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>

#include "base/sys.h"

#define PIECE 16384

int blockio_read(int fd, void *p, size_t n, uint64_t at, struct err *e)
{
	for (size_t done = 0; done < n;) { /* each round gets something */
		ssize_t got = sys_pread(fd, (char *)p + done, n - done, (off_t)(at + done));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(e, "read at byte %llu", (unsigned long long)(at + done));
		if (got == 0)
			return err_set(e, ENODATA, "ends at byte %llu", (unsigned long long)(at + done));
		done += (size_t)got;
	}
	return 0;
}

int blockio_write(int fd, const void *p, size_t n, uint64_t at, struct err *e)
{
	for (size_t done = 0; done < n;) {
		ssize_t put = sys_pwrite(fd, (const char *)p + done, n - done, (off_t)(at + done));
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_sys(e, "write at byte %llu", (unsigned long long)(at + done));
		if (put == 0)
			return err_set(e, ENOSPC, "no room at byte %llu", (unsigned long long)(at + done));
		done += (size_t)put;
	}
	return 0;
}

int blockio_direct(int fd, bool on, struct err *e)
{
	int flags = sys_fcntl(fd, F_GETFL, 0);

	if (flags < 0 || sys_fcntl(fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT) < 0)
		return err_sys(e, "direct access");
	return 0;
}

int blockio_sum(int fd, uint8_t digest[SHA256_BYTES], uint64_t *bytes, struct err *e)
{
	uint8_t piece[PIECE];
	struct sha256 s;
	ssize_t n;

	sha256_init(&s);
	*bytes = 0;
	while ((n = sys_pread(fd, piece, sizeof(piece), (off_t)*bytes)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read at byte %llu", (unsigned long long)*bytes);
		sha256_add(&s, piece, (size_t)n);
		*bytes += (uint64_t)n;
	}
	sha256_end(&s, digest);
	return 0;
}

int blockio_size(int fd, uint64_t *bytes, struct err *e)
{
	struct stat st;

	if (sys_fstat(fd, &st) < 0)
		return err_sys(e, "size");
	*bytes = (uint64_t)st.st_size;
	if (S_ISBLK(st.st_mode) && sys_ioctl(fd, BLKGETSIZE64, bytes) < 0)
		return err_sys(e, "size");
	return 0;
}
