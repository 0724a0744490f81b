/* The names of the service files of one folder. Run by PID 1 and `hearth check`. Allocates nothing: no opendir. */
#include "service/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/sys.h"

#define BLOCK 4096

static bool ends_in(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n > m && str_eq(name + n - m, suffix);
}

static void add(struct folder *f, const char *name)
{
	if (name[0] == '.' || (!ends_in(name, ".yaml") && !ends_in(name, ".yml")))
		return;
	if (f->count == LIMIT_SERVICES) {
		f->lost++;
		return;
	}
	size_t n = strlen(name);
	if (n >= FOLDER_NAME)
		n = FOLDER_NAME - 1;
	memcpy(f->name[f->count], name, n);
	f->name[f->count++][n] = '\0';
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

int folder_read(struct folder *f, const char *path, struct err *e)
{
	_Alignas(struct dirent) char block[BLOCK];
	ssize_t n;

	f->count = f->lost = 0;
	int fd = sys_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_sys(e, "open %s", path);
	while ((n = sys_getdents(fd, block, sizeof(block))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct dirent *d = (const struct dirent *)(const void *)(block + at);
			add(f, d->d_name);
			at += d->d_reclen;
		}
	}
	int rc = n < 0 ? err_sys(e, "read %s", path) : 0;
	sys_close(fd);
	qsort(f->name, f->count, sizeof(f->name[0]), compare);
	return rc;
}
