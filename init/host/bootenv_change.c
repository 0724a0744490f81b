/* Changing a boot entry by a copy; see bootenv_change.h. Used by the slot role and by stage 1. Decides nothing about
 * slots: what an entry becomes is the caller's. */
#include "host/bootenv_change.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "base/sys.h"

#define ROOM     "bootenv"
#define FILE_MAX (UINT64_C(64) << 20) /* a UKI has 8 MiB */

static uint8_t block[65536];

/* "hearth-a.copy": never an entry. */
static int copy_of(const struct bootenv_entry *en, struct bootenv_entry *copy, struct err *e)
{
	*copy = *en;
	if (str_format(copy->name, sizeof(copy->name), "hearth-%c.copy", en->slot) < 0)
		return err_set(e, ENAMETOOLONG, "%s: name too long", en->name);
	return 0;
}

/* ---- leftovers ---- */

/* Where the bytes of the file begin on the disk; 0: nobody can say. */
static int first_block(const char *name)
{
	char path[LIMIT_PATH];
	struct err ignored;
	int number = 0; /* of the file, then of the disk */

	if (bootenv_path(name, path, &ignored) < 0)
		return 0;
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
	if (fd < 0)
		return 0;
	if (sys_ioctl(fd, FIBMAP, &number) < 0)
		number = 0;
	sys_close(fd);
	return number;
}

/* Of one file under two names neither is removed: see bootenv_remove. */
static bool is_by_itself(const struct bootenv *b, const int begin[BOOTENV_ENTRIES], unsigned which)
{
	for (unsigned i = 0; i < b->count; i++) {
		if (i != which && !b->entry[i].empty && (begin[i] == 0 || begin[i] == begin[which]))
			return false;
	}
	return begin[which] != 0;
}

/* Says of each entry whether it is to go; how many. */
static unsigned find_leftovers(const struct bootenv *b, const struct bootenv_entry *keep, bool goes[BOOTENV_ENTRIES])
{
	int begin[BOOTENV_ENTRIES] = {0};
	unsigned n = 0;

	for (unsigned i = 0; i < b->count; i++)
		begin[i] = first_block(b->entry[i].name);
	for (unsigned i = 0; i < b->count; i++) {
		const struct bootenv_entry *en = &b->entry[i];
		goes[i] = en->slot == keep->slot && !str_eq(en->name, keep->name) &&
		          (en->empty || is_by_itself(b, begin, i));
		n += goes[i];
	}
	return n;
}

static bool has_copy(const struct bootenv_entry *copy)
{
	char path[LIMIT_PATH];
	struct err ignored;
	struct stat st;

	return bootenv_path(copy->name, path, &ignored) == 0 && sys_stat(path, &st) == 0;
}

bool bootenv_has_leftovers(const struct bootenv *b, const struct bootenv_entry *keep)
{
	bool goes[BOOTENV_ENTRIES] = {false};
	struct bootenv_entry copy;
	struct err ignored;

	return (copy_of(keep, &copy, &ignored) == 0 && has_copy(&copy)) || find_leftovers(b, keep, goes) > 0;
}

static void drop(const char *name)
{
	struct err e = {0};

	if (bootenv_unlink(name, &e) < 0)
		log_warnx(ROOM, "%s", e.text);
	else
		log_info(ROOM, "%s is left of an earlier change, and removed", name);
}

void bootenv_sweep(const struct bootenv *b, const struct bootenv_entry *keep)
{
	bool goes[BOOTENV_ENTRIES] = {false};
	struct bootenv_entry copy;
	struct err ignored;

	if (copy_of(keep, &copy, &ignored) == 0 && has_copy(&copy))
		drop(copy.name);
	if (find_leftovers(b, keep, goes) == 0)
		return;
	for (unsigned i = 0; i < b->count; i++) {
		if (goes[i])
			drop(b->entry[i].name);
	}
}

/* ---- the copy ---- */

static int pump(int in, int out)
{
	uint64_t total = 0;
	ssize_t n;

	while ((n = sys_read(in, block, sizeof(block))) > 0) {
		total += (uint64_t)n;
		errno = EFBIG;
		if (total > FILE_MAX)
			return -1;
		errno = ENOSPC; /* for a part of it */
		if (sys_write(out, block, (size_t)n) != n)
			return -1;
	}
	return n < 0 ? -1 : 0;
}

static int write_copy(int in, const char *path, struct err *e)
{
	int out = sys_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (out < 0)
		return err_sys(e, "%s", path);
	int rc = pump(in, out) < 0 || sys_fsync(out) < 0 ? err_sys(e, "write %s", path) : 0;
	sys_close(out);
	return rc;
}

/* On the disk when it returns 0. */
static int make_copy(const struct bootenv_entry *from, struct bootenv_entry *copy, struct err *e)
{
	char old[LIMIT_PATH], path[LIMIT_PATH];
	struct err ignored;

	if (copy_of(from, copy, e) < 0 || bootenv_path(from->name, old, e) < 0 || bootenv_path(copy->name, path, e) < 0)
		return -1;
	int in = sys_open(old, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
	if (in < 0)
		return err_sys(e, "%s", old);
	int rc = write_copy(in, path, e);
	sys_close(in);
	if (rc < 0)
		(void)!bootenv_unlink(copy->name, &ignored);
	return rc;
}

int bootenv_change(const struct bootenv *b, const struct bootenv_entry *from, struct bootenv_entry *to, struct err *e)
{
	struct bootenv_entry copy;
	struct err why = {0};

	if (bootenv_name(to) < 0)
		return err_set(e, ERANGE, "%s: no name for what it shall be", from->name);
	if (str_eq(from->name, to->name))
		return 0;
	bootenv_sweep(b, from);
	if (make_copy(from, &copy, &why) < 0) {
		log_warnx(ROOM, "%s is renamed without a copy: %s", from->name, why.text);
		return bootenv_rename(from, to, e);
	}
	if (bootenv_rename(&copy, to, e) < 0) {
		(void)!bootenv_unlink(copy.name, &why);
		return -1;
	}
	return bootenv_unlink(from->name, e);
}
