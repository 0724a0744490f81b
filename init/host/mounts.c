/* Mounts: the table of early mounts and the helpers around mount(2). Used by stage 1, PID 1 and the storage and
 * unmount roles. Never waits for a disk and never makes a file system. */
#include "host/mounts.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>

#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"

#define NOEXEC_ALL (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define DATA_ONLY  (MS_NOSUID | MS_NODEV)

/* Sizes of the tmpfs are shares of the memory: caps, not reservations. What is not "needed" is used by k3s, by people
 * who look into a fault, or by programs that can do without. */
static const struct mounts_row early[] = {
	{"proc", "/proc", "proc", NOEXEC_ALL, NULL, true},
	{"sysfs", "/sys", "sysfs", NOEXEC_ALL, NULL, true},
	{"devtmpfs", "/dev", "devtmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755", true},
	{"devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "gid=5,mode=0620,ptmxmode=0666", false},
	{"tmpfs", "/dev/shm", "tmpfs", DATA_ONLY, "mode=1777,size=25%", false},
	{"mqueue", "/dev/mqueue", "mqueue", NOEXEC_ALL, NULL, false},
	{"tmpfs", "/run", "tmpfs", DATA_ONLY, "mode=0755,size=20%", true},
	{"tmpfs", "/tmp", "tmpfs", DATA_ONLY, "mode=1777,size=20%", true},
	{"tmpfs", "/var", "tmpfs", DATA_ONLY, "mode=0755,size=20%", true},
	{"cgroup2", PATH_CGROUP, "cgroup2", NOEXEC_ALL, "nsdelegate,memory_recursiveprot,favordynmods", false},
	{"pstore", PATH_PSTORE, "pstore", NOEXEC_ALL, NULL, false},
	{"securityfs", "/sys/kernel/security", "securityfs", NOEXEC_ALL, NULL, false},
	{"bpf", "/sys/fs/bpf", "bpf", NOEXEC_ALL, "mode=0700", false},
	{"efivarfs", PATH_EFIVARS, "efivarfs", NOEXEC_ALL | MS_RDONLY, NULL, false},
	/* kubelet hands mounts to pods and back: everything is shared, as every other distribution has it. */
	{NULL, "/", NULL, MS_REC | MS_SHARED, NULL, false},
};

static const struct {
	const char *path;
	mode_t mode;
} folders[] = {
	{PATH_RUN, 0755},   {PATH_RUN_SERVICES, 0755}, {"/run/lock", 0755},  {"/var/cache", 0755}, {"/var/lib", 0755},
	{"/var/log", 0755}, {PATH_LOGS, 0750},         {"/var/spool", 0755}, {"/var/tmp", 01777},
};

static const struct {
	const char *to, *path;
} links[] = {
	{"/proc/self/fd", "/dev/fd"}, {"fd/0", "/dev/stdin"}, {"fd/1", "/dev/stdout"},
	{"fd/2", "/dev/stderr"},      {"/run", "/var/run"},   {"/run/lock", "/var/lock"},
};

const struct mounts_row *mounts_early(unsigned *count)
{
	*count = COUNT_OF(early);
	return early;
}

int mounts_apply(const struct mounts_row *row, struct err *e)
{
	if (row->type && mounts_is_mounted(row->target))
		return 0;
	/* Whether the folder is there now, mount itself says best: the place may be read-only or the kernel's own. */
	if (row->type)
		(void)sys_mkdir(row->target, 0755);
	if (sys_mount(row->source, row->target, row->type, row->flags, row->options) == 0)
		return 0;
	if (row->type && errno == EBUSY)
		return 0;
	return err_sys(e, "mount %s on %s", row->type ? row->type : "flags", row->target);
}

static int make_folder(const char *path, mode_t mode, struct err *e)
{
	if (sys_mkdir(path, mode) < 0 && errno != EEXIST)
		return err_sys(e, "mkdir %s", path);
	return sys_chmod(path, mode) < 0 ? err_sys(e, "chmod %s", path) : 0;
}

static int make_link(const char *to, const char *path, struct err *e)
{
	return sys_symlink(to, path) < 0 && errno != EEXIST ? err_sys(e, "link %s", path) : 0;
}

int mounts_setup(mounts_note_fn *note, void *arg)
{
	struct err e;
	int rc = 0;

	for (size_t i = 0; i < COUNT_OF(early); i++) {
		if (mounts_apply(&early[i], &e) == 0)
			continue;
		note(early[i].target, early[i].needed, &e, arg);
		if (early[i].needed)
			rc = -1;
	}
	for (size_t i = 0; i < COUNT_OF(folders); i++) {
		if (make_folder(folders[i].path, folders[i].mode, &e) < 0)
			note(folders[i].path, false, &e, arg);
	}
	for (size_t i = 0; i < COUNT_OF(links); i++) {
		if (make_link(links[i].to, links[i].path, &e) < 0)
			note(links[i].path, false, &e, arg);
	}
	return rc;
}

bool mounts_is_mounted(const char *path)
{
	char above[LIMIT_PATH];
	struct stat here, up;

	if (str_format(above, sizeof(above), "%s/..", path) < 0)
		return false;
	if (sys_stat(path, &here) < 0 || sys_stat(above, &up) < 0 || !S_ISDIR(here.st_mode))
		return false;
	/* The root is its own parent. */
	return here.st_dev != up.st_dev || here.st_ino == up.st_ino;
}

int mounts_move(const char *from, const char *to, struct err *e)
{
	return sys_mount(from, to, NULL, MS_MOVE, NULL) < 0 ? err_sys(e, "move %s to %s", from, to) : 0;
}

int mounts_bind(const char *from, const char *to, struct err *e)
{
	return sys_mount(from, to, NULL, MS_BIND, NULL) < 0 ? err_sys(e, "bind %s on %s", from, to) : 0;
}

/* Digits up to a following `end`; NULL when it is not so. */
static const char *take_number(const char *p, char end, unsigned *out)
{
	unsigned v = 0;

	if (*p < '0' || *p > '9')
		return NULL;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (v > UINT32_MAX / 16)
			return NULL;
		v = v * 10 + (unsigned)(*p - '0');
	}
	*out = v;
	return *p == end ? p + 1 : NULL;
}

static bool is_octal(const char *p)
{
	return p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' && p[3] >= '0' && p[3] <= '7';
}

/* Blank, tab, newline and backslash stand as \ooo in the file. */
static void unescape(char *dst, size_t cap, const char *p, size_t len)
{
	const char *end = p + len;
	size_t n = 0;

	while (p < end && n + 1 < cap) {
		bool octal = end - p >= 4 && is_octal(p);
		dst[n++] = octal ? (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0')) : *p;
		p += octal ? 4 : 1;
	}
	dst[p < end ? 0 : n] = '\0';
}

/* "36 35 98:0 /root /target rw,noatime ...": the second word is dropped by number, the fourth by blank. */
static bool parse_info(const char *p, size_t len, struct mounts_info *m)
{
	const char *end = p + len;
	unsigned ignored, mj, mn;

	p = take_number(p, ' ', &ignored);
	p = p ? take_number(p, ' ', &ignored) : NULL;
	p = p ? take_number(p, ':', &mj) : NULL;
	p = p ? take_number(p, ' ', &mn) : NULL;
	if (!p || p >= end)
		return false;
	m->dev = makedev(mj, mn);
	p = memchr(p, ' ', (size_t)(end - p));
	if (!p++)
		return false;
	const char *stop = memchr(p, ' ', (size_t)(end - p));
	if (!stop)
		return false;
	unescape(m->target, sizeof(m->target), p, (size_t)(stop - p));
	return true;
}

const char *mounts_info_next(const char *text, struct mounts_info *m)
{
	size_t len = strcspn(text, "\n");

	if (*text == '\0')
		return NULL;
	m->dev = 0;
	m->target[0] = '\0';
	(void)parse_info(text, len, m);
	return text[len] ? text + len + 1 : text + len;
}
