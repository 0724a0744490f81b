/* The unmount role: lets go of every disk at the end of a shutdown. Run by PID 1 as its last child; blocks on disks,
 * never on people, and ends in bounded time. */
#include "node/unmount.h"

#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/exit.h"
#include "base/file.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "host/mounts.h"

#define MOUNTS     4096     /* pods have a dozen each */
#define MOUNT_TEXT 0x100000 /* of /proc/self/mountinfo with so many */
#define RETRY_MS   100

static struct {
	char text[MOUNT_TEXT];
	const char *line[MOUNTS];
	unsigned lines;
} um;

/* What the rest of the shutdown stands on; the kernel drops it by itself. */
static const char *const keep_exact[] = {"/", "/run", "/tmp", "/var", PATH_SELF};
static const char *const keep_below[] = {"/dev", "/proc", "/sys"};

bool unmount_is_ours(const char *target)
{
	for (size_t i = 0; i < COUNT_OF(keep_exact); i++) {
		if (str_eq(target, keep_exact[i]))
			return false;
	}
	for (size_t i = 0; i < COUNT_OF(keep_below); i++) {
		size_t n = strlen(keep_below[i]);
		if (str_starts(target, keep_below[i]) && (target[n] == '/' || target[n] == '\0'))
			return false;
	}
	return target[0] == '/';
}

/* Lines of the mount table, in the order of mounting. */
static int read_mounts(struct err *e)
{
	struct mounts_info m;
	struct buf b;

	buf_init(&b, um.text, sizeof(um.text));
	um.lines = 0;
	if (file_read(PATH_PROC_MOUNTS, &b, e) < 0)
		return -1;
	for (const char *p = um.text, *next; um.lines < MOUNTS && (next = mounts_info_next(p, &m)); p = next) {
		if (unmount_is_ours(m.target))
			um.line[um.lines++] = p;
	}
	return 0;
}

/* Last mounted first. Returns how many are left. */
static unsigned pass(int flags)
{
	struct mounts_info m;
	unsigned left = 0;

	for (unsigned i = um.lines; i > 0; i--) {
		if (mounts_info_next(um.line[i - 1], &m) && sys_umount2(m.target, flags | UMOUNT_NOFOLLOW) < 0)
			left++;
	}
	return left;
}

/* Read-only first: whatever still has a file open then finds the file system whole after the reboot. */
static void force(void)
{
	struct mounts_info m;

	for (unsigned i = um.lines; i > 0; i--) {
		if (!mounts_info_next(um.line[i - 1], &m))
			continue;
		log_warnx("unmount", "%s is still in use: read-only and detached", m.target);
		if (sys_mount(NULL, m.target, NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0)
			log_warn("unmount", "%s: not even read-only", m.target);
	}
	(void)pass(MNT_DETACH);
}

int unmount_main(int argc, char **argv)
{
	struct err e = {0};
	uint64_t until = clock_ms() + UNMOUNT_WAIT_MS;

	(void)argv;
	if (argc != 1)
		return EXIT_USAGE;
	sys_sync();
	for (;;) {
		if (read_mounts(&e) < 0) {
			log_errx("unmount", "%s", e.text);
			return EXIT_SYSTEM;
		}
		if (pass(0) == 0)
			break;
		if (clock_ms() >= until) {
			(void)!read_mounts(&e);
			force();
			break;
		}
		(void)sys_poll(NULL, 0, RETRY_MS);
	}
	bool clean = clock_ms() < until;
	sys_sync();
	return clean ? 0 : 1;
}
