/* Small files: whole reads, replacement that survives a power cut, attributes, folders. Every role uses it.
 * It never follows a half-way: the old file stays whole until the new one is whole on the disk. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "base/sys.h"

/* Fills b from fd up to its end; a byte beyond the room left is an error. */
static int read_all(int fd, const char *path, struct buf *b, struct err *e)
{
	char extra;
	size_t room = b->cap > 0 ? b->cap - 1 - b->len : 0;
	for (;;) { /* each round takes at least one byte of a bounded room */
		ssize_t n = room > 0 ? sys_read(fd, b->data + b->len, room) : sys_read(fd, &extra, 1);
		if (n < 0)
			return err_sys(e, "read %s", path);
		if (n == 0)
			break;
		if (room == 0)
			return err_set(e, EFBIG, "%s: larger than %zu bytes", path, b->len);
		b->len += (size_t)n;
		room -= (size_t)n;
	}
	return 0;
}

int file_read(const char *path, struct buf *b, struct err *e)
{
	size_t before = b->len;
	/* Non-blocking, so that a FIFO in the place of a file cannot hold PID 1. */
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	int rc = read_all(fd, path, b, e);
	sys_close(fd);
	if (rc < 0)
		b->len = before;
	if (b->cap > 0)
		b->data[b->len] = '\0';
	return rc;
}

int file_read_line(const char *path, char *text, size_t cap, struct err *e)
{
	struct buf b;
	buf_init(&b, text, cap);
	if (file_read(path, &b, e) < 0) {
		text[0] = '\0';
		if (e->code != ENOENT && e->code != EFBIG)
			return -1;
	}
	text[strcspn(text, "\n")] = '\0';
	return 0;
}

static int write_all(int fd, const char *data, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = sys_write(fd, data + done, len - done);
		if (n < 0)
			return -1;
		if (n == 0) {
			errno = ENOSPC;
			return -1;
		}
		done += (size_t)n;
	}
	return 0;
}

/* A descriptor of the folder that holds path. */
static int open_parent(const char *path, struct err *e)
{
	char dir[LIMIT_PATH];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	if (n >= sizeof(dir))
		return err_set(e, ENAMETOOLONG, "%s: name too long", path);
	memcpy(dir, path, n);
	dir[n] = '\0';
	const char *name = slash == path ? "/" : slash ? dir : ".";
	int fd = sys_open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	return fd < 0 ? err_sys(e, "open %s", name) : fd;
}

/* Writes the whole of the new file under its temporary name, on the disk when it returns 0. */
static int write_new(const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	int fd = sys_open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return err_sys(e, "create %s", path);
	int rc = 0;
	if (sys_chmod(path, mode) < 0) /* the mode asked for, whatever the umask */
		rc = err_sys(e, "chmod %s", path);
	else if (write_all(fd, data, len) < 0)
		rc = err_sys(e, "write %s", path);
	else if (sys_fsync(fd) < 0)
		rc = err_sys(e, "fsync %s", path);
	if (sys_close(fd) < 0 && rc == 0)
		rc = err_sys(e, "close %s", path);
	return rc;
}

int file_replace(const char *path, const void *data, size_t len, mode_t mode, struct err *e)
{
	char temp[LIMIT_PATH];
	if (str_format(temp, sizeof(temp), "%s.new", path) < 0)
		return err_set(e, ENAMETOOLONG, "%s: name too long", path);
	/* Opened first: after the rename only the fsync itself can still fail. */
	int dir = open_parent(path, e);
	if (dir < 0)
		return -1;
	int rc = -1;
	if (sys_unlink(temp) < 0 && errno != ENOENT) { /* left by a power cut */
		err_sys(e, "unlink %s", temp);
		goto out;
	}
	if (write_new(temp, data, len, mode, e) < 0)
		goto drop;
	if (sys_rename(temp, path) < 0) {
		err_sys(e, "rename %s", temp);
		goto drop;
	}
	rc = sys_fsync(dir) < 0 ? err_sys(e, "fsync the folder of %s", path) : 0;
	goto out;
drop:
	(void)sys_unlink(temp);
out:
	sys_close(dir);
	return rc;
}

int file_flush_folder(const char *path, struct err *e)
{
	int fd = sys_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	int rc = fd < 0 || sys_fsync(fd) < 0 ? err_sys(e, "flush %s", path) : 0;
	if (fd >= 0)
		sys_close(fd);
	return rc;
}

int file_write_attr(const char *path, const char *text, struct err *e)
{
	int fd = sys_open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return err_sys(e, "open %s", path);
	int rc = 0;
	ssize_t n = sys_write(fd, text, strlen(text));
	if (n < 0)
		rc = err_sys(e, "write %s", path);
	else if ((size_t)n != strlen(text))
		rc = err_set(e, EIO, "write %s: only %zd bytes taken", path, n);
	sys_close(fd);
	return rc;
}

static int make_dir(const char *path, mode_t mode, struct err *e)
{
	struct stat st;
	if (sys_mkdir(path, mode) == 0)
		return sys_chmod(path, mode) < 0 ? err_sys(e, "chmod %s", path) : 0;
	if (errno != EEXIST)
		return err_sys(e, "mkdir %s", path);
	if (sys_stat(path, &st) < 0)
		return err_sys(e, "stat %s", path);
	return S_ISDIR(st.st_mode) ? 0 : err_set(e, ENOTDIR, "mkdir %s: a file is in the way", path);
}

int file_mkdirs(const char *path, mode_t mode, struct err *e)
{
	char part[LIMIT_PATH];
	if (str_copy(part, sizeof(part), path) < 0)
		return err_set(e, ENAMETOOLONG, "%s: name too long", path);
	for (char *p = part; *p != '\0'; p++) {
		if (*p != '/' || p == part || p[-1] == '/')
			continue;
		*p = '\0';
		int rc = make_dir(part, mode, e);
		*p = '/';
		if (rc < 0)
			return -1;
	}
	return make_dir(part, mode, e);
}
