/* Bundles on sticks; see usb.h. Runs in the update role, as root; of what is on the stick it reads names alone. */
#include "update/usb.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/dir.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "format/version.h"
#include "host/sticks.h"

#define ROOM   "update"
#define ENDING ".hearth"
#define FLAGS  (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define NONE   "no stick with an update is there: put a file NAME.hearth into the root folder of a FAT-formatted stick"

/* What the kernel of the image knows; the one that fits is the one that mounts. ext4: its journal is left alone. */
static const struct {
	const char *type, *options;
} kinds[] = {{"vfat", ""}, {"exfat", ""}, {"ext4", "noload"}};

/* --- which file ------------------------------------------------------------------------------- */

static bool is_candidate(const char *name)
{
	size_t n = strnlen(name, USB_NAME), ending = strlen(ENDING);
	/* "._NAME": what macOS leaves beside each file on a FAT. */
	if (n <= ending || n == USB_NAME || name[0] == '.' || strcasecmp(name + n - ending, ENDING) != 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (name[i] < ' ' || name[i] > '~')
			return false;
	}
	return true;
}

/* "hearth-0.2.0.hearth": what stands behind the last '-'; without one it is version 0. */
static struct version version_of(const char *name)
{
	char text[VERSION_TEXT] = "";
	struct version v = {{0}};
	const char *dash = strrchr(name, '-');
	size_t n = dash ? strlen(dash + 1) - strlen(ENDING) : 0;
	if (n == 0 || n >= sizeof(text))
		return v;
	memcpy(text, dash + 1, n);
	if (version_read(text, &v) < 0)
		memset(&v, 0, sizeof(v));
	return v;
}

bool usb_better(const char *name, const char *best)
{
	if (!is_candidate(name) || best[0] == '\0')
		return is_candidate(name);
	const struct version a = version_of(name), b = version_of(best);
	int order = version_compare(&a, &b);
	return order != 0 ? order > 0 : strcmp(name, best) < 0;
}

struct search {
	char best[USB_NAME];
	unsigned looked;
};

static bool on_name(const char *name, void *arg)
{
	struct search *s = arg;
	if (usb_better(name, s->best))
		(void)!str_copy(s->best, sizeof(s->best), name); /* fits: a candidate */
	return ++s->looked < USB_FILES;
}

static int open_best(char best[USB_NAME], struct err *e)
{
	struct search s = {0};
	char path[LIMIT_PATH];
	struct stat st;
	if (dir_each(PATH_RUN_STICK, on_name, &s, e) < 0)
		return -1;
	if (s.best[0] == '\0')
		return err_set(e, ENOMEDIUM, NONE);
	if (str_copy(best, USB_NAME, s.best) < 0 || str_format(path, sizeof(path), PATH_RUN_STICK "/%s", best) < 0)
		return err_set(e, ENAMETOOLONG, "%s: name too long", s.best);
	int fd = sys_open_no_links(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_sys(e, "%s", best);
	if (sys_fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	sys_close(fd);
	return err_set(e, EINVAL, "%s is no plain file", best);
}

/* --- which stick ------------------------------------------------------------------------------ */

/* A partition that anybody has mounted, the platform's apps too, or that is a part of something is not touched. */
static int check_free(const char *name, struct err *e)
{
	int fd = disk_open(name, O_RDONLY | O_EXCL, e);
	if (fd < 0)
		return -1;
	sys_close(fd);
	return 0;
}

static int mount_stick(const char *name, struct err *e)
{
	char device[LIMIT_PATH];
	if (str_format(device, sizeof(device), "/dev/%s", name) < 0)
		return err_set(e, ENAMETOOLONG, "%s: name too long", name);
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (sys_mount(device, PATH_RUN_STICK, kinds[i].type, FLAGS, kinds[i].options) == 0)
			return 0;
	}
	return err_set(e, EINVAL, "%s has none of the file systems FAT, exFAT and ext4, or a damaged one", name);
}

/* Lazily: whoever holds the file keeps what it needs, and a stick that is gone holds nobody up. */
static void take_off(void)
{
	if (sys_umount2(PATH_RUN_STICK, MNT_DETACH) < 0 && errno != EINVAL && errno != ENOENT)
		log_warn(ROOM, "unmount " PATH_RUN_STICK);
}

static int open_on(const char *name, char best[USB_NAME], struct err *e)
{
	if (check_free(name, e) < 0 || mount_stick(name, e) < 0)
		return -1;
	int fd = open_best(best, e);
	take_off();
	return fd < 0 ? err_prefix(e, "stick %s", name) : fd;
}

int usb_open(const char *own, char found[USB_FOUND], struct err *e)
{
	struct err first = {0};
	struct sticks s;
	char best[USB_NAME];
	found[0] = '\0';
	if (sticks_find(&s, own, e) < 0 || file_mkdirs(PATH_RUN_STICK, 0700, e) < 0)
		return err_prefix(e, "look for a stick");
	take_off(); /* of a role that was killed between two lines */
	for (unsigned i = 0; i < s.count; i++) {
		int fd = open_on(s.dev[i].name, best, e);
		if (fd >= 0 && str_format(found, USB_FOUND, "%s on %s", best, s.dev[i].name) == 0)
			return fd;
		if (fd < 0 && e->code != ENOMEDIUM && first.code == 0)
			first = *e;
	}
	if (first.code == 0)
		return err_set(e, ENOMEDIUM, NONE);
	return err_set(e, ENOMEDIUM, "no stick with an update can be read: %.150s", first.text);
}
