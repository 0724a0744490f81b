/* Project quotas of a folder: a real tree of files, project ids and quota calls faked beside it. */
#include "node/quota.h"

#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <sys/stat.h>

#include "box.h"
#include "node/tree.h"

#define FILES 256
#define DQS   8

/* What XFS would keep: a project id for each inode, a record for each id that has limits or usage. */
static struct {
	ino_t ino;
	uint32_t project, flags;
} file[FILES];
static struct fs_disk_quota dq[DQS];
static unsigned dqs;
static uint16_t enforced;
static int broken;      /* errno of every quota call */
static ino_t elsewhere; /* an inode of another file system */
static int dir = -1;

static int node(int fd)
{
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	for (int i = 0; i < FILES; i++) {
		if (file[i].ino == st.st_ino || file[i].ino == 0) {
			file[i].ino = st.st_ino;
			return i;
		}
	}
	fail_msg("more files than expected");
	return 0;
}

static int on_ioctl(int fd, unsigned long request, void *arg)
{
	struct fsxattr *a = arg;
	int i = node(fd);

	if (request == FS_IOC_FSGETXATTR) {
		memset(a, 0, sizeof(*a));
		a->fsx_projid = file[i].project;
		a->fsx_xflags = file[i].flags;
		return 0;
	}
	assert_int_equal(request, FS_IOC_FSSETXATTR);
	file[i].project = a->fsx_projid;
	file[i].flags = a->fsx_xflags;
	return 0;
}

static struct fs_disk_quota *record(uint32_t id)
{
	for (unsigned i = 0; i < dqs; i++) {
		if (dq[i].d_id == id)
			return &dq[i];
	}
	return NULL;
}

static int on_quota(int fd, unsigned command, unsigned id, void *arg)
{
	struct fs_disk_quota *q = arg, *have = record(id);

	assert_true(fcntl(fd, F_GETFD) >= 0);
	assert_int_equal(command & 0xff, PRJQUOTA);
	errno = broken;
	if (broken)
		return -1;
	if (command == QCMD(Q_XGETQSTATV, PRJQUOTA)) {
		struct fs_quota_statv *s = arg;
		assert_int_equal(s->qs_version, FS_QSTATV_VERSION1);
		s->qs_flags = enforced;
		return 0;
	}
	if (command == QCMD(Q_XSETQLIM, PRJQUOTA)) {
		assert_int_equal(q->d_version, FS_DQUOT_VERSION);
		assert_int_equal(q->d_flags, FS_PROJ_QUOTA);
		assert_int_equal(q->d_fieldmask, FS_DQ_BHARD | FS_DQ_BSOFT);
		if (!have) {
			assert_true(dqs < DQS);
			have = &dq[dqs++];
			have->d_id = id;
		}
		have->d_blk_hardlimit = q->d_blk_hardlimit;
		return 0;
	}
	assert_int_equal(command, QCMD(Q_XGETQUOTA, PRJQUOTA));
	errno = ENOENT;
	if (!have)
		return -1;
	*q = *have;
	return 0;
}

static int on_fstat(int fd, struct stat *st)
{
	int rc = fstat(fd, st);
	if (rc == 0 && st->st_ino == elsewhere)
		st->st_dev ^= 0x100;
	return rc;
}

/* A pod may put a link in the place of what was a file a moment ago. */
static int on_openat(int fd, const char *path, int flags, mode_t mode)
{
	assert_true(strcmp(path, ".") == 0 || flags & O_NOFOLLOW);
	assert_null(strchr(path, '/'));
	return openat(fd, path, flags, mode);
}

static int up(void **state)
{
	if (box_up(state) < 0)
		return -1;
	memset(file, 0, sizeof(file));
	memset(dq, 0, sizeof(dq));
	dqs = 0;
	broken = 0;
	elsewhere = 0;
	enforced = FS_QUOTA_PDQ_ACCT | FS_QUOTA_PDQ_ENFD;
	fake_ioctl = on_ioctl;
	fake_quotactl_fd = on_quota;
	fake_fstat = on_fstat;
	fake_openat = on_openat;
	dir = open(box_path("/data"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : 0;
}

static int down(void **state)
{
	close(dir);
	return box_down(state);
}

static uint32_t project(const char *path)
{
	int fd = open(box_path(path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	assert_true(fd >= 0);
	int i = node(fd);
	close(fd);
	/* A folder without the flag does not pass its id on. */
	struct stat st;
	assert_int_equal(stat(box_path(path), &st), 0);
	return S_ISDIR(st.st_mode) && !(file[i].flags & FS_XFLAG_PROJINHERIT) ? 0 : file[i].project;
}

static void folder(const char *path)
{
	assert_int_equal(mkdir(box_path(path), 0755), 0);
}

static void set(uint64_t bytes)
{
	struct err e = {0};
	if (quota_set(dir, "/data/v", bytes, &e) < 0)
		fail_msg("%s", e.text);
}

static struct quota_state get(void)
{
	struct quota_state q;
	struct err e = {0};
	if (quota_get(dir, "/data/v", &q, &e) < 0)
		fail_msg("%s", e.text);
	return q;
}

static void refused(uint64_t bytes, const char *why)
{
	struct err e = {0};
	assert_int_equal(quota_set(dir, "/data/v", bytes, &e), -1);
	if (!strstr(e.text, why))
		fail_msg("'%s' has no '%s'", e.text, why);
}

static void an_empty_folder_gets_an_id_and_a_limit(void **state)
{
	(void)state;
	struct quota_state q = get();
	assert_int_equal(q.project, 0);
	set(1000001);
	q = get();
	assert_true(q.project >= 0x10000);
	assert_int_equal(q.project, project("/data"));
	assert_int_equal(q.limit, 1954 * 512); /* never less than asked for */
	assert_int_equal(q.used, 0);
	record(q.project)->d_bcount = 10;
	assert_int_equal(get().used, 5120);
}

static void an_id_is_kept_and_gets_the_new_limit(void **state)
{
	(void)state;
	set(4096);
	uint32_t id = project("/data");
	set(8192);
	assert_int_equal(project("/data"), id);
	assert_int_equal(get().limit, 8192);
	assert_int_equal(dqs, 1);
	set(0);
	assert_int_equal(get().limit, 0);
	assert_int_equal(get().project, id);
}

static void an_id_that_is_not_passed_on_does_not_count(void **state)
{
	(void)state;
	file[node(dir)].project = 7;
	assert_int_equal(get().project, 0);
	set(4096);
	assert_true(project("/data") >= 0x10000);
}

static void no_limit_needs_no_id(void **state)
{
	(void)state;
	set(0);
	assert_int_equal(get().project, 0);
	assert_int_equal(dqs, 0);
}

static void an_id_in_use_is_passed_over(void **state)
{
	(void)state;
	set(4096);
	uint32_t first = project("/data");
	memset(file, 0, sizeof(file)); /* another folder whose name has the same hash */
	set(8192);
	assert_int_equal(project("/data"), first + 1);
	assert_int_equal(record(first)->d_blk_hardlimit, 8);
}

static void all_below_is_marked_but_for_links_and_mounts(void **state)
{
	struct stat st;
	char other[300];

	(void)state;
	folder("/data/a");
	folder("/data/a/b");
	folder("/data/mounted");
	box_write("/data/f", "x");
	box_write("/data/a/b/f", "x");
	box_write("/data/mounted/f", "x");
	box_write("/state/f", "x");
	(void)snprintf(other, sizeof(other), "%s/state", box);
	assert_int_equal(symlink(other, box_path("/data/link")), 0);
	assert_int_equal(mkfifo(box_path("/data/pipe"), 0600), 0);
	assert_int_equal(stat(box_path("/data/mounted"), &st), 0);
	elsewhere = st.st_ino;
	unsigned open_before = fake_open_fds();
	set(4096);
	assert_int_equal(fake_open_fds(), open_before);
	uint32_t id = project("/data");
	assert_true(id != 0);
	assert_int_equal(project("/data/f"), id);
	assert_int_equal(project("/data/a"), id);
	assert_int_equal(project("/data/a/b"), id);
	assert_int_equal(project("/data/a/b/f"), id);
	assert_int_equal(project("/data/mounted"), 0);
	assert_int_equal(project("/data/mounted/f"), 0);
	assert_int_equal(project("/state"), 0);
	assert_int_equal(project("/state/f"), 0);
}

static void many_names_need_more_than_one_read(void **state)
{
	char name[32];

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "/data/a-rather-long-name-%u", i);
		box_write(name, "");
	}
	set(4096);
	for (unsigned i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "/data/a-rather-long-name-%u", i);
		assert_int_equal(project(name), project("/data"));
	}
}

static void too_deep_a_tree_is_refused_and_not_half_done(void **state)
{
	char path[300] = "/data"; /* two bytes a folder */

	(void)state;
	for (unsigned i = 0; i < TREE_DEPTH; i++) {
		strcat(path, "/d");
		folder(path);
	}
	unsigned open_before = fake_open_fds();
	refused(4096, "/data/v: more than 128 folders deep");
	assert_int_equal(fake_open_fds(), open_before);
	assert_int_equal(project("/data"), 0);
}

static void what_is_wrong_with_the_file_system_is_said(void **state)
{
	static const int off[] = {ENOSYS, ESRCH, EOPNOTSUPP, ENOTTY};

	(void)state;
	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
		broken = off[i];
		refused(4096, "/data/v: no project quotas here: it must be on XFS, mounted with prjquota");
	}
	broken = EPERM;
	refused(4096, "run it as root with CAP_SYS_ADMIN");
	broken = EIO;
	refused(4096, "quota of /data/v: Input/output error");
	broken = 0;
	enforced = FS_QUOTA_PDQ_ACCT; /* pqnoenforce */
	refused(4096, "mounted with prjquota");
	enforced |= FS_QUOTA_PDQ_ENFD;
	refused(UINT64_MAX, "a limit of more than");
	assert_int_equal(dqs, 0);
}

/* Whichever call fails: no descriptor is lost, and the folder gets its id only when all below has it. */
static void any_call_may_fail(void **state)
{
	struct err e;
	int rc = -1;
	unsigned n, open_before = fake_open_fds();

	(void)state;
	folder("/data/a");
	box_write("/data/a/f", "x");
	for (n = 1; rc < 0 && n < 100; n++) {
		fake_fail_at(n, EIO);
		rc = quota_set(dir, "/data/v", 4096, &e);
		bool failed = fake_fired();
		fake_fail_at(0, 0);
		assert_true(failed == (rc < 0));
		assert_int_equal(fake_open_fds(), open_before);
		if (rc < 0)
			assert_int_equal(project("/data"), 0);
		/* Each try takes an id that nothing has, as a limit without a folder stays behind. */
		dqs = 0;
	}
	assert_int_equal(rc, 0);
	assert_true(n > 10);
	assert_int_equal(project("/data/a/f"), project("/data"));
}

static int ask(char *a, char *b, char *c)
{
	char *argv[] = {(char[]){"quota"}, a, b, c, NULL};
	int argc = 1;

	while (argc < 4 && argv[argc])
		argc++;
	return quota_main(argc, argv);
}

static void words_are_checked(void **state)
{
	(void)state;
	assert_int_equal(ask(NULL, NULL, NULL), 2);
	assert_int_equal(ask((char[]){"/data"}, (char[]){"much"}, NULL), 2);
	assert_int_equal(ask((char[]){"/data"}, (char[]){"1"}, (char[]){"2"}), 2);
	assert_int_equal(ask((char[]){"/data/not-there"}, (char[]){"1"}, NULL), 1);
	assert_int_equal(ask((char[]){"/data"}, (char[]){"2M"}, NULL), 0);
	assert_int_equal(get().limit, 2 << 20);
	assert_int_equal(ask((char[]){"/data"}, NULL, NULL), 0);
	assert_int_equal(symlink("a", box_path("/data/link")), 0);
	folder("/data/a");
	assert_int_equal(ask((char[]){"/data/link"}, (char[]){"1M"}, NULL), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, up, down)
	const struct CMUnitTest tests[] = {
		TEST(an_empty_folder_gets_an_id_and_a_limit),
		TEST(an_id_is_kept_and_gets_the_new_limit),
		TEST(an_id_that_is_not_passed_on_does_not_count),
		TEST(no_limit_needs_no_id),
		TEST(an_id_in_use_is_passed_over),
		TEST(all_below_is_marked_but_for_links_and_mounts),
		TEST(many_names_need_more_than_one_read),
		TEST(too_deep_a_tree_is_refused_and_not_half_done),
		TEST(what_is_wrong_with_the_file_system_is_said),
		TEST(any_call_may_fail),
		TEST(words_are_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
