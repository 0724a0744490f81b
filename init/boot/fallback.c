/* Marking the own boot entry bad in stage 1; see fallback.h. */
#include "boot/fallback.h"

#include <errno.h>

#include "base/log.h"
#include "base/paths.h"
#include "base/str.h"
#include "base/sys.h"
#include "board.h"
#include "host/bootenv_change.h"
#include "node/fs.h"

static bool is_boot_partition(const struct disk_dev *d, const char *disk)
{
	char label[GPT_NAME], on[DISK_NAME];
	struct err ignored;
	unsigned number;

	if (disk_partition_label(d->dev, label, &ignored) < 0 || !str_eq(label, BOARD_PART_ESP))
		return false;
	return disk[0] == '\0' || (disk_of_partition(d->dev, on, &number, &ignored) == 0 && str_eq(on, disk));
}

static const struct disk_dev *find(const struct disk_list *disks, const char *disk, struct err *e)
{
	const struct disk_dev *found = NULL;

	for (unsigned i = 0; i < disks->count; i++) {
		const struct disk_dev *d = &disks->dev[i];
		if (!is_boot_partition(d, disk))
			continue;
		if (found) {
			err_set(e, ENOTUNIQ, "two boot partitions: %s and %s", found->name, d->name);
			return NULL;
		}
		found = d;
	}
	if (!found)
		err_set(e, ENOENT, "no boot partition");
	return found;
}

/* When all are bad the loader takes the highest generation: that becomes the other one, which is left as bad as it is.
 * First, for it changes nothing as long as the own one is not bad. */
static int raise_other(const struct bootenv *b, const struct bootenv_entry *mine, struct err *e)
{
	const struct bootenv_entry *other = bootenv_of(b, bootenv_other(mine->slot));

	if (bootenv_starts(other) || other->generation > mine->generation)
		return 0;
	struct bootenv_entry raised = *other;
	raised.generation = bootenv_next_generation(b);
	return bootenv_change(b, other, &raised, e);
}

static int mark(const struct bootenv_entry *started, struct err *e)
{
	struct bootenv b;

	if (bootenv_read(&b, e) < 0)
		return -1;
	const struct bootenv_entry *mine = bootenv_of(&b, started->slot);
	if (mine == NULL || mine->generation != started->generation)
		return err_set(e, ENOENT, "the boot entry of slot %c is not there", started->slot);
	if (!bootenv_starts(mine))
		return err_set(e, EALREADY, "slot %c is marked bad already", started->slot);
	if (bootenv_state(bootenv_of(&b, bootenv_other(started->slot))) == BOOTENV_EMPTY)
		return err_set(e, ENOENT, "slot %c holds no system to go to", bootenv_other(started->slot));
	struct bootenv_entry bad = bootenv_as_bad(mine);
	if (bootenv_unlock(e) < 0)
		return -1;
	int rc = raise_other(&b, mine, e) < 0 ? -1 : bootenv_change(&b, mine, &bad, e);
	bootenv_lock();
	return rc;
}

int fallback_mark(const struct bootenv_entry *started, const char *disk, const struct disk_list *disks, struct err *e)
{
	char device[DISK_NAME + 8];
	const struct disk_dev *esp = find(disks, disk, e);

	if (esp == NULL)
		return -1;
	if (str_format(device, sizeof(device), "/dev/%s", esp->name) < 0)
		return err_set(e, ENAMETOOLONG, "%s: name too long", esp->name);
	if (fs_mount(FS_ESP, device, e) < 0)
		return -1;
	int rc = mark(started, e);
	if (sys_umount2(PATH_ESP, 0) < 0)
		log_warn("stage1", "unmount " PATH_ESP);
	return rc;
}
