/* The quota role: project quotas of XFS, one folder at a time. Walks what pods have written, so it follows no symbolic
 * link and opens only by name within an open folder. */
#include "node/quota.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/exit.h"
#include "base/str.h"
#include "base/sys.h"
#include "node/tree.h"

#define UNIT     512                 /* quota calls count in basic blocks */
#define MOST     (UINT64_C(1) << 62) /* bytes */
#define FIRST_ID 0x10000             /* below: for people */
#define IDS      0x7fff0000          /* all that are left of 31 bits */
#define TRIES    1000

#define NO_QUOTAS "no project quotas here: it must be on XFS, mounted with prjquota"
#define NO_RIGHTS "not allowed: run it as root with CAP_SYS_ADMIN (a pod: add SYS_ADMIN)"

static int refuse(struct err *e, const char *dir)
{
	static const struct {
		int code;
		const char *text;
	} known[] = {
		{ENOTTY, NO_QUOTAS}, {EOPNOTSUPP, NO_QUOTAS}, {ENOSYS, NO_QUOTAS},
		{ESRCH, NO_QUOTAS},  {EPERM, NO_RIGHTS},      {EACCES, NO_RIGHTS},
	};
	int code = errno;

	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (known[i].code == code)
			return err_set(e, code, "%s: %s", dir, known[i].text);
	}
	return err_set(e, code, "quota of %s: %s", dir, strerror(code));
}

static int call(int fd, unsigned command, uint32_t id, void *arg)
{
	return sys_quotactl_fd(fd, QCMD(command, PRJQUOTA), id, arg);
}

static int read_project(int fd, uint32_t id, struct fs_disk_quota *q)
{
	memset(q, 0, sizeof(*q));
	return call(fd, Q_XGETQUOTA, id, q);
}

/* Counting without enforcing would look fine until the disk is full. */
static int check_enforced(int fd, const char *dir, struct err *e)
{
	struct fs_quota_statv s = {.qs_version = FS_QSTATV_VERSION1};

	if (call(fd, Q_XGETQSTATV, 0, &s) < 0)
		return refuse(e, dir);
	return s.qs_flags & FS_QUOTA_PDQ_ENFD ? 0 : err_set(e, ENOSYS, "%s: " NO_QUOTAS, dir);
}

static int set_limit(int fd, const char *dir, uint32_t id, uint64_t limit, struct err *e)
{
	/* A soft limit, which somebody else may have set, must not lie above the hard one. */
	struct fs_disk_quota q = {
		.d_version = FS_DQUOT_VERSION,
		.d_flags = FS_PROJ_QUOTA,
		.d_fieldmask = FS_DQ_BHARD | FS_DQ_BSOFT,
		.d_id = id,
		.d_blk_hardlimit = limit / UNIT + (limit % UNIT > 0),
	};
	return call(fd, Q_XSETQLIM, id, &q) < 0 ? refuse(e, dir) : 0;
}

/* An id that has neither usage nor limits; the same folder finds the same one again. */
static int find_id(int fd, const char *dir, uint32_t *id, struct err *e)
{
	struct fs_disk_quota q;
	uint32_t start = str_hash(STR_HASH, dir, strlen(dir));

	for (uint32_t i = 0; i < TRIES; i++) {
		*id = FIRST_ID + (uint32_t)(((uint64_t)start + i) % IDS);
		if (read_project(fd, *id, &q) < 0)
			return errno == ENOENT ? 0 : refuse(e, dir);
	}
	return err_set(e, EUSERS, "%s: no free project id near %" PRIu32, dir, *id);
}

static int mark(int fd, uint32_t id, bool folder)
{
	uint32_t inherit = folder ? FS_XFLAG_PROJINHERIT : 0;
	struct fsxattr a;

	if (sys_ioctl(fd, FS_IOC_FSGETXATTR, &a) < 0)
		return -1;
	if (a.fsx_projid == id && (a.fsx_xflags & inherit) == inherit)
		return 0;
	a.fsx_projid = id;
	a.fsx_xflags |= inherit;
	return sys_ioctl(fd, FS_IOC_FSSETXATTR, &a);
}

/* A walk that marks. */
struct walk {
	struct tree tree;
	dev_t dev;
	uint32_t id;
};

/* One name in the innermost folder. Takes an error's text without DIR: the caller knows it. */
static int visit(struct walk *w, const struct dirent *d, struct err *e)
{
	bool folder = d->d_type == DT_DIR;
	struct stat st;

	if (!folder && d->d_type != DT_REG)
		return 0;
	int fd = sys_openat(tree_fd(&w->tree), d->d_name,
	                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (folder ? O_DIRECTORY : 0), 0);
	if (fd < 0)
		return err_sys(e, "open %s", d->d_name);
	int rc = sys_fstat(fd, &st);
	bool other = rc == 0 && st.st_dev != w->dev;
	if (rc == 0 && !other)
		rc = mark(fd, w->id, folder);
	if (rc < 0)
		(void)err_sys(e, "mark %s", d->d_name);
	if (rc == 0 && folder && !other) {
		rc = tree_enter(&w->tree, fd, e);
		if (rc == 0)
			return 0; /* tree_leave closes it */
	}
	sys_close(fd);
	return rc;
}

/* Marks the next name, or leaves the folder when there is none. */
static int step(struct walk *w, struct err *e)
{
	const struct dirent *d;
	int rc = tree_next(&w->tree, &d, e);

	if (rc == 0)
		tree_leave(&w->tree);
	return rc > 0 ? visit(w, d, e) : rc;
}

/* Marks all below the folder, not the folder itself. */
static int mark_below(int fd, uint32_t id, struct err *e)
{
	static struct walk w;
	struct stat st;
	int rc = sys_fstat(fd, &st);
	int top = rc < 0 ? -1 : sys_openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	if (top < 0)
		return err_sys(e, "open");
	w.tree.depth = 0;
	w.dev = st.st_dev;
	w.id = id;
	rc = tree_enter(&w.tree, top, e);
	while (rc == 0 && w.tree.depth > 0) /* a tree that nobody changes has an end */
		rc = step(&w, e);
	while (w.tree.depth > 0)
		tree_leave(&w.tree);
	return rc;
}

static int project_of(int fd, const char *dir, uint32_t *id, struct err *e)
{
	struct fsxattr a;

	*id = 0;
	if (sys_ioctl(fd, FS_IOC_FSGETXATTR, &a) < 0)
		return refuse(e, dir);
	*id = a.fsx_xflags & FS_XFLAG_PROJINHERIT ? a.fsx_projid : 0;
	return 0;
}

int quota_get(int fd, const char *dir, struct quota_state *q, struct err *e)
{
	struct fs_disk_quota d;

	memset(q, 0, sizeof(*q));
	if (project_of(fd, dir, &q->project, e) < 0)
		return -1;
	if (check_enforced(fd, dir, e) < 0)
		return -1;
	if (q->project == 0)
		return 0;
	if (read_project(fd, q->project, &d) < 0)
		return errno == ENOENT ? 0 : refuse(e, dir); /* nothing in it yet, and no limit */
	q->used = d.d_bcount * UNIT;
	q->limit = d.d_blk_hardlimit * UNIT;
	return 0;
}

int quota_set(int fd, const char *dir, uint64_t limit, struct err *e)
{
	uint32_t id;

	if (limit > MOST)
		return err_set(e, EFBIG, "%s: a limit of more than %" PRIu64 " bytes", dir, MOST);
	if (project_of(fd, dir, &id, e) < 0 || check_enforced(fd, dir, e) < 0)
		return -1;
	if (id != 0)
		return set_limit(fd, dir, id, limit, e);
	if (limit == 0)
		return 0;
	/* The limit first: it makes the id a taken one. The folder last: with its id all is done. */
	if (find_id(fd, dir, &id, e) < 0 || set_limit(fd, dir, id, limit, e) < 0)
		return -1;
	if (mark_below(fd, id, e) < 0)
		return err_prefix(e, "%s", dir);
	return mark(fd, id, true) < 0 ? refuse(e, dir) : 0;
}

static int show(int fd, const char *dir, struct err *e)
{
	struct quota_state q;

	if (quota_get(fd, dir, &q, e) < 0)
		return -1;
	if (q.project == 0)
		printf("no quota\n");
	else if (q.limit == 0)
		printf("%" PRIu64 " bytes used, no limit (project %" PRIu32 ")\n", q.used, q.project);
	else
		printf("%" PRIu64 " of %" PRIu64 " bytes used (project %" PRIu32 ")\n", q.used, q.limit, q.project);
	return 0;
}

int quota_main(int argc, char **argv)
{
	struct err e = {0};
	uint64_t limit = 0;

	if (argc < 2 || argc > 3 || (argc == 3 && str_size(argv[2], &limit) < 0)) {
		fprintf(stderr, "usage: hearth quota DIR [BYTES]\n");
		return EXIT_USAGE;
	}
	const char *dir = argv[1];
	int fd = sys_open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	int rc = fd < 0 ? err_sys(&e, "open %s", dir) : 0;
	if (rc == 0)
		rc = argc == 3 ? quota_set(fd, dir, limit, &e) : show(fd, dir, &e);
	if (fd >= 0)
		sys_close(fd);
	if (rc < 0)
		fprintf(stderr, "hearth quota: %s\n", e.text);
	return rc < 0 ? 1 : 0;
}
