/* The clone role; see clone.h. Walks what pods have written, so it follows no symbolic link and opens only by name
 * within an open folder. */
#include "node/clone.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/exit.h"
#include "base/str.h"
#include "base/sys.h"
#include "node/tree.h"

#define UNIT   512 /* of st_blocks */
#define OPEN   (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
#define NUMBER 24 /* an inode's, as text */

/* What is left to others, in bytes; and what a copied inode takes at most, its extents and names among that. */
#define SPARE     (UINT64_C(64) << 20)
#define PER_INODE 1024

/* In step with the walk through FROM: the folder of TO that belongs to each of its. */
struct walk {
	struct tree tree;
	struct {
		int to;
		struct stat st;
	} level[TREE_DEPTH];
	dev_t dev;
	uint64_t bytes;
	int links; /* a folder: one name, its number, for each file that has several; so no table of them is needed */
};

static int open_folder(int dir, const char *name, struct err *e)
{
	int fd = sys_openat(dir, name, OPEN | O_DIRECTORY, 0);

	return fd < 0 ? err_sys(e, "open %s", name) : fd;
}

/* --- what a file is beside its bytes ---------------------------------------------------------- */

static int copy_attribute(int from, int to, const char *name)
{
	static char value[XATTR_SIZE_MAX];
	ssize_t n = sys_fgetxattr(from, name, value, sizeof(value));

	return n < 0 ? -1 : sys_fsetxattr(to, name, value, (size_t)n, 0);
}

static int copy_attributes(int from, int to)
{
	static char list[XATTR_LIST_MAX];
	ssize_t n = sys_flistxattr(from, list, sizeof(list));

	if (n < 0)
		return errno == EOPNOTSUPP ? 0 : -1;
	for (const char *name = list; name < list + n; name += strlen(name) + 1) {
		if (copy_attribute(from, to, name) < 0)
			return -1;
	}
	return 0;
}

/* In this order: a new owner takes away bits and capabilities, and all of it would change the time. */
static int dress(int from, int to, const struct stat *st)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};

	if (sys_fchownat(to, "", st->st_uid, st->st_gid, AT_EMPTY_PATH) < 0 || sys_fchmod(to, st->st_mode & 07777) < 0)
		return -1;
	return copy_attributes(from, to) < 0 ? -1 : sys_utimensat(to, "", times, AT_EMPTY_PATH);
}

/* --- one name --------------------------------------------------------------------------------- */

static int share(int from, int to, const char *name, const struct stat *st, struct err *e)
{
	if (st->st_size == 0 || sys_ioctl(to, FICLONE, (void *)(intptr_t)from) == 0)
		return 0;
	if (errno == EOPNOTSUPP || errno == ENOTTY || errno == EXDEV)
		return err_set(e, errno, "%s: its file system knows no reflinks, or TO is on another one", name);
	return err_sys(e, "share %s", name);
}

static int new_file(struct walk *w, int from, const char *name, const struct stat *st, struct err *e)
{
	int dir = w->level[w->tree.depth - 1].to;
	int to = sys_openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (to < 0)
		return err_sys(e, "make %s", name);
	int rc = share(from, to, name, st, e);
	if (rc == 0 && dress(from, to, st) < 0)
		rc = err_sys(e, "owner and attributes of %s", name);
	sys_close(to);
	w->bytes += (uint64_t)st->st_blocks * UNIT;
	return rc;
}

/* A file with several names: the first one that comes is made, and kept by number for the others. */
static int linked_file(struct walk *w, int from, const char *name, const struct stat *st, struct err *e)
{
	int dir = w->level[w->tree.depth - 1].to;
	char number[NUMBER];

	if (str_format(number, sizeof(number), "%" PRIu64, (uint64_t)st->st_ino) < 0)
		return err_set(e, EOVERFLOW, "%s", name);
	if (sys_linkat(w->links, number, dir, name, 0) == 0)
		return 0;
	if (errno != ENOENT)
		return err_sys(e, "link %s", name);
	if (new_file(w, from, name, st, e) < 0)
		return -1;
	return sys_linkat(dir, name, w->links, number, 0) < 0 ? err_sys(e, "keep %s", name) : 0;
}

static int copy_link(const struct walk *w, const char *name, const struct stat *st, struct err *e)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};
	int dir = w->level[w->tree.depth - 1].to;
	char target[PATH_MAX];
	ssize_t n = sys_readlinkat(tree_fd(&w->tree), name, target, sizeof(target) - 1);

	if (n < 0)
		return err_sys(e, "read the link %s", name);
	target[n] = '\0';
	if (sys_symlinkat(target, dir, name) < 0 ||
	    sys_fchownat(dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    sys_utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "make the link %s", name);
	return 0;
}

/* fd is the walk's from now on when it succeeds. `to` stands for a folder that is made. */
static int enter(struct walk *w, int fd, int to, const struct stat *st, struct err *e)
{
	if (tree_enter(&w->tree, fd, e) < 0)
		return -1;
	w->level[w->tree.depth - 1].to = to;
	w->level[w->tree.depth - 1].st = *st;
	return 0;
}

static int copy_folder(struct walk *w, int from, const char *name, const struct stat *st, struct err *e)
{
	int dir = w->level[w->tree.depth - 1].to;

	if (sys_mkdirat(dir, name, 0700) < 0)
		return err_sys(e, "make %s", name);
	int to = open_folder(dir, name, e);
	if (to < 0 || enter(w, from, to, st, e) == 0)
		return to < 0 ? -1 : 0;
	sys_close(to);
	return -1;
}

static int visit(struct walk *w, const struct dirent *d, struct err *e)
{
	struct stat st;
	int dir = tree_fd(&w->tree);

	if (sys_fstatat(dir, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "%s", d->d_name);
	if (S_ISLNK(st.st_mode))
		return copy_link(w, d->d_name, &st, e);
	if (st.st_dev != w->dev || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return 0;
	int from = S_ISDIR(st.st_mode) ? open_folder(dir, d->d_name, e) : sys_openat(dir, d->d_name, OPEN, 0);
	if (from < 0)
		return S_ISDIR(st.st_mode) ? -1 : err_sys(e, "open %s", d->d_name);
	if (S_ISDIR(st.st_mode) && copy_folder(w, from, d->d_name, &st, e) == 0)
		return 0; /* leave() closes it */
	int rc = -1;
	if (S_ISREG(st.st_mode))
		rc = (st.st_nlink > 1 ? linked_file : new_file)(w, from, d->d_name, &st, e);
	sys_close(from);
	return rc;
}

/* --- the walk --------------------------------------------------------------------------------- */

static void leave(struct walk *w)
{
	sys_close(w->level[w->tree.depth - 1].to);
	tree_leave(&w->tree);
}

/* The next name; or the end of a folder, which gets what would have changed or hindered while names were made in it. */
static int step(struct walk *w, struct err *e)
{
	const struct dirent *d;
	int rc = tree_next(&w->tree, &d, e);

	if (rc != 0)
		return rc > 0 ? visit(w, d, e) : -1;
	unsigned at = w->tree.depth - 1;
	if (dress(tree_fd(&w->tree), w->level[at].to, &w->level[at].st) < 0)
		rc = err_sys(e, "owner and attributes of a folder");
	leave(w);
	return rc;
}

static int walk(struct walk *w, int from, int to, struct err *e)
{
	struct stat st;

	w->tree.depth = 0;
	w->bytes = 0;
	if (sys_fstat(from, &st) < 0) {
		sys_close(to);
		return err_sys(e, "stat");
	}
	w->dev = st.st_dev;
	int own = sys_openat(from, ".", OPEN | O_DIRECTORY, 0);
	int rc = own < 0 ? err_sys(e, "open") : enter(w, own, to, &st, e);
	if (rc < 0)
		sys_close(to);
	while (rc == 0 && w->tree.depth > 0) /* a tree that nobody changes has an end */
		rc = step(w, e);
	while (w->tree.depth > 0)
		leave(w);
	return rc;
}

/* At least for as many inodes as there are on the whole file system. Not asked of FROM: in a folder with a quota that
 * would be the quota's. */
static int check_room(const char *to, struct err *e)
{
	struct statvfs v;

	if (sys_statvfs(to, &v) < 0)
		return err_sys(e, "%s", to);
	uint64_t free = (uint64_t)v.f_bavail * v.f_frsize;
	uint64_t need = SPARE + ((uint64_t)v.f_files - v.f_ffree) * PER_INODE;
	if (free >= need)
		return 0;
	return err_set(e, ENOSPC, "no room for a copy: %" PRIu64 " MiB are free there, %" PRIu64 " must be", free >> 20,
	               (need >> 20) + 1);
}

static int make_folder(const char *path, struct err *e)
{
	if (sys_mkdir(path, 0700) < 0)
		return err_sys(e, "make %s", path);
	int fd = sys_open(path, OPEN | O_DIRECTORY, 0);
	return fd < 0 ? err_sys(e, "open %s", path) : fd;
}

static bool forget_link(const char *name, void *arg)
{
	const int *dir = arg;

	if (!str_eq(name, ".") && !str_eq(name, ".."))
		(void)sys_unlinkat(*dir, name, 0);
	return true;
}

static int forget_links(struct walk *w, const char *path, struct err *e)
{
	int rc = dir_each(path, forget_link, &w->links, e);

	sys_close(w->links);
	if (rc == 0 && sys_rmdir(path) < 0)
		rc = err_sys(e, "remove %s", path);
	return rc;
}

int clone_folder(const char *from, const char *to, uint64_t *bytes, struct err *e)
{
	static struct walk w;
	char links[PATH_MAX];

	if (str_format(links, sizeof(links), "%s.links", to) < 0)
		return err_set(e, ENAMETOOLONG, "%s", to);
	int fd = sys_open(from, OPEN | O_DIRECTORY, 0);
	if (fd < 0)
		return err_sys(e, "open %s", from);
	int top = make_folder(to, e);
	w.links = top < 0 ? -1 : make_folder(links, e);
	int rc = w.links < 0 ? -1 : check_room(to, e);
	if (rc == 0 && walk(&w, fd, top, e) < 0)
		rc = err_prefix(e, "%s", from);
	else if (rc < 0 && top >= 0)
		sys_close(top);
	if (w.links >= 0) {
		struct err second;
		if (forget_links(&w, links, rc == 0 ? e : &second) < 0)
			rc = -1;
	}
	sys_close(fd);
	*bytes = rc == 0 ? w.bytes : 0;
	return rc;
}

int clone_main(int argc, char **argv)
{
	struct err e = {0};
	uint64_t bytes;

	if (argc != 3) {
		fprintf(stderr, "usage: hearth clone FROM TO\n");
		return EXIT_USAGE;
	}
	if (clone_folder(argv[1], argv[2], &bytes, &e) < 0) {
		fprintf(stderr, "hearth clone: %s\n", e.text);
		return 1;
	}
	printf("%" PRIu64 "\n", bytes);
	return 0;
}
