/* The confirm role: renames the running slot's boot entry to one without a try counter. Started as a service when the
 * box is healthy, and for nothing else; the ESP is writable only for the moment of the rename. */
#include "node/confirm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/dir.h"
#include "base/exit.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "host/cmdline.h"
#include "host/mounts.h"

#define SUFFIX ".efi"
#define NAME   128
#define ESP    (MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOEXEC) /* flags that a remount must repeat */

/* "3", "2-1": what is left, and what was used. */
static bool is_counter(const char *s)
{
	size_t left = strspn(s, "0123456789");
	if (left == 0)
		return false;
	if (str_eq(s + left, SUFFIX))
		return true;
	if (s[left] != '-')
		return false;
	s += left + 1;
	size_t used = strspn(s, "0123456789");
	return used > 0 && str_eq(s + used, SUFFIX);
}

int confirm_name(const char *entry, const char *slot, char *good, size_t cap)
{
	char head[NAME];
	if (slot[0] == '\0' || str_format(head, sizeof(head), "hearth-%s+", slot) < 0)
		return -1;
	if (!str_starts(entry, head) || !is_counter(entry + strlen(head)))
		return -1;
	return str_format(good, cap, "hearth-%s" SUFFIX, slot);
}

struct search {
	const char *slot;
	char entry[NAME], good[NAME]; /* entry is "" until found */
};

static bool is_not_counted(const char *name, void *arg)
{
	struct search *s = arg;
	return confirm_name(name, s->slot, s->good, sizeof(s->good)) < 0 ||
	       str_copy(s->entry, sizeof(s->entry), name) < 0;
}

static int flush_folder(const char *path, struct err *e)
{
	int fd = sys_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	int rc = fd < 0 ? -1 : sys_fsync(fd);
	if (rc < 0)
		err_sys(e, "flush %s", path);
	if (fd >= 0)
		sys_close(fd);
	return rc;
}

static int rename_entry(const char *entry, const char *good, struct err *e)
{
	char from[LIMIT_PATH], to[LIMIT_PATH];
	if (str_format(from, sizeof(from), PATH_ESP_ENTRIES "/%s", entry) < 0 ||
	    str_format(to, sizeof(to), PATH_ESP_ENTRIES "/%s", good) < 0)
		return err_set(e, ENAMETOOLONG, "%s: name too long", entry);
	if (sys_rename(from, to) < 0)
		return err_sys(e, "rename %s to %s", from, good);
	return flush_folder(PATH_ESP_ENTRIES, e);
}

static int confirm(struct err *e)
{
	struct cmdline cmd;
	struct search s = {.slot = cmd.slot};
	if (!mounts_is_mounted(PATH_ESP))
		return err_set(e, ENOENT, PATH_ESP " is not mounted");
	if (cmdline_read(&cmd, e) < 0)
		return -1;
	if (dir_each(PATH_ESP_ENTRIES, is_not_counted, &s, e) < 0)
		return -1;
	if (s.entry[0] == '\0')
		return 0;
	if (sys_mount(NULL, PATH_ESP, NULL, ESP, NULL) < 0)
		return err_sys(e, "make " PATH_ESP " writable");
	int rc = rename_entry(s.entry, s.good, e);
	/* Left writable it is at risk in a power cut, so this is told, but the slot is good all the same. */
	if (sys_mount(NULL, PATH_ESP, NULL, ESP | MS_RDONLY, NULL) < 0)
		log_warn("confirm", "make " PATH_ESP " read-only again");
	if (rc == 0)
		log_info("confirm", "slot %s is good: %s is now %s", cmd.slot, s.entry, s.good);
	return rc;
}

int confirm_main(int argc, char **argv)
{
	struct err e = {0};
	(void)argv;
	if (argc != 1)
		return EXIT_USAGE;
	if (confirm(&e) == 0)
		return 0;
	log_errx("confirm", "%s; the boot loader goes on counting", e.text);
	return 1;
}
