/* The end of a log file. Runs in the console and ctl roles. Only reads. */
#include "console/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>

#include "base/str.h"
#include "base/sys.h"

#define BLOCK 4096

/* Opens what stands at the path now, at its start. 0 also when nothing is there. */
static int open_now(struct tail *t, struct err *e)
{
	struct stat st;
	t->at = 0;
	t->fd = sys_open(t->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
	if (t->fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", t->path);
	if (sys_fstat(t->fd, &st) < 0) {
		err_sys(e, "%s", t->path);
		tail_close(t);
		return -1;
	}
	t->inode = st.st_ino;
	t->device = st.st_dev;
	return 0;
}

/* Where the last `lines` lines begin: walks backwards over line ends; the one at the very end of the file is the
 * last line's own. */
static int go_back(struct tail *t, unsigned lines, struct err *e)
{
	struct stat st;
	char block[BLOCK];
	if (sys_fstat(t->fd, &st) < 0)
		return err_sys(e, "%s", t->path);
	t->at = t->end = st.st_size;
	off_t start = st.st_size;
	while (start > 0 && lines > 0) {
		off_t from = start > BLOCK ? start - BLOCK : 0;
		ssize_t n = sys_pread(t->fd, block, (size_t)(start - from), from);
		if (n < 0)
			return err_sys(e, "%s", t->path);
		for (ssize_t i = n - 1; i >= 0; i--) {
			if (block[i] == '\n' && from + i + 1 < st.st_size && --lines == 0) {
				t->at = from + i + 1;
				return 0;
			}
		}
		start = t->at = from;
	}
	return 0;
}

int tail_open(struct tail *t, const char *path, unsigned lines, struct err *e)
{
	t->fd = -1;
	t->end = 0;
	if (str_copy(t->path, sizeof(t->path), path))
		return err_set(e, ENAMETOOLONG, "%s: the path is too long", path);
	if (open_now(t, e))
		return -1;
	if (t->fd >= 0 && go_back(t, lines, e)) {
		tail_close(t);
		return -1;
	}
	return 0;
}

/* At the end of the open file: another one, or a shorter one, may stand at the path by now. 1: there is more to read.
 */
static int look_again(struct tail *t, struct err *e)
{
	struct stat st;
	if (sys_stat(t->path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", t->path);
	if (t->fd >= 0 && st.st_ino == t->inode && st.st_dev == t->device) {
		bool shorter = st.st_size < t->at;
		if (shorter)
			t->at = 0;
		return shorter && st.st_size > 0;
	}
	tail_close(t);
	if (open_now(t, e))
		return -1;
	return t->fd >= 0;
}

ssize_t tail_read(struct tail *t, char *data, size_t cap, struct err *e)
{
	for (int i = 0; i < 2; i++) {
		ssize_t n = t->fd >= 0 ? sys_pread(t->fd, data, cap, t->at) : 0;
		if (n < 0)
			return err_sys(e, "%s", t->path);
		if (n > 0) {
			t->at += n;
			return n;
		}
		int more = look_again(t, e);
		if (more <= 0)
			return more;
	}
	return 0;
}

void tail_close(struct tail *t)
{
	if (t->fd >= 0)
		sys_close(t->fd);
	t->fd = -1;
}
