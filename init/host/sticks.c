/* Removable disks, from what sysfs says of them; see sticks.h. Used by the update role. Never opens a device. */
#include "host/sticks.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"

#define BLOCK "/block/"

/* What is known of a device besides its number. */
struct seen {
	char disk[DISK_NAME];
	bool stick;
};

/* "usb2" and the like, as one part of a path. */
static bool has_usb(const char *path)
{
	for (const char *p = strstr(path, "/usb"); p; p = strstr(p + 1, "/usb")) {
		if (p[4] >= '0' && p[4] <= '9')
			return true;
	}
	return false;
}

int sticks_address(const char *target, char disk[DISK_NAME], bool *usb)
{
	const char *at = strstr(target, BLOCK);
	if (!at)
		return -1;
	at += strlen(BLOCK);
	size_t n = strcspn(at, "/");
	if (n == 0 || n >= DISK_NAME)
		return -1;
	memcpy(disk, at, n);
	disk[n] = '\0';
	*usb = has_usb(target);
	return 0;
}

static bool is_removable(const char *disk)
{
	char path[LIMIT_PATH], text[8];
	struct err ignored;
	struct buf b;
	buf_init(&b, text, sizeof(text));
	return str_format(path, sizeof(path), PATH_SYS_BLOCK "/%s/removable", disk) == 0 &&
	       file_read(path, &b, &ignored) == 0 && text[0] == '1';
}

static void look(const struct disk_dev *d, struct seen *s)
{
	char path[LIMIT_PATH], target[LIMIT_PATH];
	bool usb;
	s->stick = false;
	s->disk[0] = '\0';
	if (str_format(path, sizeof(path), PATH_SYS_BLOCK_DEV "/%u:%u", major(d->dev), minor(d->dev)) < 0)
		return;
	ssize_t n = sys_readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return;
	target[n] = '\0';
	if (sticks_address(target, s->disk, &usb) == 0)
		s->stick = usb || is_removable(s->disk);
}

/* The partitions of a disk are what is on it. */
static bool has_partitions(const struct disk_list *l, const struct seen *seen, unsigned i)
{
	for (unsigned k = 0; k < l->count; k++) {
		if (k != i && str_eq(seen[k].disk, l->dev[i].name))
			return true;
	}
	return false;
}

int sticks_find(struct sticks *s, const char *own, struct err *e)
{
	static struct disk_list l;
	static struct seen seen[DISK_LIST];
	s->count = 0;
	if (disk_list_read(&l, e) < 0)
		return -1;
	for (unsigned i = 0; i < l.count; i++)
		look(&l.dev[i], &seen[i]);
	for (unsigned i = 0; i < l.count && s->count < STICKS; i++) {
		if (seen[i].stick && !str_eq(seen[i].disk, own) && !has_partitions(&l, seen, i))
			s->dev[s->count++] = l.dev[i];
	}
	return 0;
}
