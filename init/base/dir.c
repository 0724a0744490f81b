/* The names in a folder, straight from the kernel. Every role uses it. Never follows into folders below. */
#include "base/dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>

#include "base/sys.h"

#define BLOCK 4096

static bool each_of_block(const char *block, size_t n, dir_fn *fn, void *arg)
{
	for (size_t at = 0; at < n;) {
		const struct dirent *d = (const struct dirent *)(const void *)(block + at);
		at += d->d_reclen;
		if (!fn(d->d_name, arg))
			return false;
	}
	return true;
}

int dir_each(const char *path, dir_fn *fn, void *arg, struct err *e)
{
	_Alignas(struct dirent) char block[BLOCK];
	ssize_t n;
	int fd = sys_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	do {
		n = sys_getdents(fd, block, sizeof(block));
	} while (n > 0 && each_of_block(block, (size_t)n, fn, arg));
	int rc = n < 0 ? err_sys(e, "read %s", path) : 0;
	sys_close(fd);
	return rc;
}
