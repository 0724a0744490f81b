/* The boot loader's word on the tries of a slot; see tries.h. Read by stage 1. A wrong word costs nothing on a box that
 * mounts its disks, and a restart while there are tries on one that does not. */
#include "boot/tries.h"

#include <errno.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/paths.h"
#include "board.h"

#define ATTRIBUTES 4    /* bytes in front of every variable's value */
#define VALUE_MAX  8192 /* the loader's list has a line for each menu entry */

/* The name at `at`, read as a variable of its own: what stands before it is passed over as attributes. */
static int take_name(struct bootenv_entry *en, const uint8_t *data, size_t len, size_t at)
{
	return bootenv_selected(en, data + at - ATTRIBUTES, len - at + ATTRIBUTES);
}

static bool is_char(const uint8_t *p, char c)
{
	return p[0] == (uint8_t)c && p[1] == 0;
}

int tries_counted(struct bootenv_entry *en, const uint8_t *data, size_t len)
{
	size_t name = ATTRIBUTES;

	if (len < ATTRIBUTES || len % 2 != 0)
		return -1;
	for (size_t at = ATTRIBUTES; at < len && !is_char(data + at, '\0'); at += 2) {
		if (is_char(data + at, '\\'))
			name = at + 2;
	}
	return take_name(en, data, len, name) < 0 || !en->counted ? -1 : 0;
}

bool tries_lists(char slot, const uint8_t *data, size_t len)
{
	struct bootenv_entry en;
	bool begins = true;

	if (len < ATTRIBUTES || len % 2 != 0)
		return false;
	for (size_t at = ATTRIBUTES; at < len; at += 2) {
		if (begins && take_name(&en, data, len, at) == 0 && en.slot == slot)
			return true;
		begins = is_char(data + at, '\0');
	}
	return false;
}

bool tries_is_trial(const struct bootenv_entry *en)
{
	return en->counted && (en->left > 0 || en->used <= BOARD_TRIAL_BOOTS);
}

static int read_value(const char *path, struct buf *b, struct err *e)
{
	buf_reset(b);
	return file_read(path, b, e);
}

int tries_read(const struct bootenv_entry *started, unsigned *left, struct err *e)
{
	static char value[VALUE_MAX];
	struct bootenv_entry en;
	struct buf b;

	buf_init(&b, value, sizeof(value));
	if (read_value(PATH_EFI_COUNTED, &b, e) < 0)
		return -1;
	if (tries_counted(&en, (const uint8_t *)b.data, b.len) < 0 || en.slot != started->slot ||
	    en.generation != started->generation || !tries_is_trial(&en))
		return err_set(e, ENOENT, "the boot loader counts no tries of slot %c", started->slot);
	*left = en.left;
	if (read_value(PATH_EFI_ENTRIES, &b, e) < 0)
		return -1;
	if (tries_lists(bootenv_other(started->slot), (const uint8_t *)b.data, b.len))
		return 0;
	return err_set(e, ENOENT, "the boot loader knows no slot %c", bootenv_other(started->slot));
}
